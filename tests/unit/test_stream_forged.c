/* Forged streams: all checksums, numbers and links are right, but not what they protect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sys/deflate.h"
#include "tests/unit/stream_fixture.h"
#include "wire/frame.h"

#define TOKENS                                                                                     \
    "{\"wts\":1,\"kind\":\"tokens\",\"rec\":[{\"name\":\"tok\",\"dtype\":\"u16\",\"shape\":[]}]}"  \
    "\n"
/* a: bytes 0 to 2, b: bytes 64 to 67 */
#define TENSORS                                                                                    \
    "{\"wts\":1,\"kind\":\"tensors\",\"tensors\":[{\"name\":\"a\",\"dtype\":\"u8\",\"shape\":[3]}" \
    ","                                                                                            \
    "{\"name\":\"b\",\"dtype\":\"u32\",\"shape\":[1]}]}\n"

struct forge {
    u8 *bytes;
    size_t size;
    struct w_chain chain;
    u64 raw;
    u64 index;
};

static void put_filtered(struct forge *g, u8 type, u8 codec, u8 filter, u32 count,
                         const void *payload, u32 raw_len, u32 stored_len)
{
    struct w_frame f = {.type = type,
                        .codec = codec,
                        .filter = filter,
                        .seq = g->chain.seq,
                        .pos = g->chain.pos,
                        .count = count,
                        .raw_len = raw_len,
                        .stored_len = stored_len,
                        .payload_crc = w_crc32(0, payload, stored_len),
                        .link = g->chain.link};
    g->bytes = realloc(g->bytes, g->size + 48 + stored_len);
    w_frame_encode(&f, g->bytes + g->size);
    memcpy(g->bytes + g->size + 48, payload, stored_len);
    w_chain_step(&g->chain, &f, g->bytes + g->size);
    if (type == 'D')
        g->raw += raw_len;
    g->size += 48 + stored_len;
}

static void put_frame(struct forge *g, u8 type, u8 codec, u32 count, const void *payload,
                      u32 raw_len, u32 stored_len)
{
    put_filtered(g, type, codec, W_FILTER_NONE, count, payload, raw_len, stored_len);
}

static void put(struct forge *g, u8 type, u32 count, const void *payload, u32 size)
{
    put_frame(g, type, W_STORED, count, payload, size, size);
}

static void put_text(struct forge *g, u8 type, const char *text)
{
    put(g, type, 0, text, (u32)strlen(text));
}

/* An end frame with right totals, except for those in `format`. */
static void put_end_as(struct forge *g, const char *format, const char *tail)
{
    char payload[209];
    int n = snprintf(payload, sizeof payload, format, (unsigned long long)g->chain.pos,
                     (unsigned long long)g->raw, (unsigned long long)g->size + 256,
                     (unsigned long long)g->index, g->chain.seq + 1);
    assert_true(n > 0 && n < 208);
    memset(payload + n, ' ', (size_t)(207 - n));
    payload[207] = tail[0];
    put(g, 'E', 0, payload, 208);
}

static void put_end(struct forge *g)
{
    put_end_as(
        g,
        "{\"records\":%llu,\"raw\":%llu,\"bytes\":%llu,\"index\":%llu,\"frames\":%u,\"ok\":true}",
        "\n");
}

/* Read to the end and throw the forged bytes away; *got is how many records came. */
static enum w_status read_forged(struct forge *g, u64 *got, struct w_err *err)
{
    struct fixture f;
    struct w_reader *r;
    const struct w_header *h;
    const void *records;
    u64 count, sum = 0;

    fixture_open(&f);
    assert_int_equal(w_output_write(&f.out, g->bytes, g->size, &f.err), W_DONE);
    reader_of(&f, &r);
    enum w_status status = w_reader_member(r, &h, &f.err);
    while (!status && !(status = w_reader_records(r, &records, &count, &f.err)))
        sum += count;
    if (status == W_END)
        status = w_reader_member(r, &h, &f.err);
    w_reader_close(&r);
    if (got)
        *got = sum;
    if (err)
        *err = f.err;
    fixture_free(&f);
    free(g->bytes);
    memset(g, 0, sizeof *g);
    return status;
}

static enum w_status outcome(struct forge *g)
{
    return read_forged(g, NULL, NULL);
}

static void what_is_right_is_taken(void **state)
{
    (void)state;
    struct forge g = {0};
    u64 got;
    put_text(&g, 'H', TOKENS);
    put(&g, 'D', 2, "abcd", 4);
    put_end(&g);
    assert_int_equal(read_forged(&g, &got, NULL), W_END);
    assert_true(got == 2);
}

static void unknown_frames_are_skipped_if_they_say_so(void **state)
{
    (void)state;
    struct forge g = {0};
    u64 got;
    put_text(&g, 'H', TOKENS);
    put(&g, 'z', 12345, "\xff\xfe\xfd", 3);
    put(&g, 'D', 2, "abcd", 4);
    put_frame(&g, 'q', W_ZLIB, 0, "no zlib data at all", 1000, 19);
    put(&g, 'D', 1, "ef", 2);
    put(&g, 'a', 0, "", 0);
    put_end(&g);
    assert_int_equal(read_forged(&g, &got, NULL), W_END);
    assert_true(got == 3);
    put_text(&g, 'H', TOKENS);
    put(&g, 'Z', 0, "abcd", 4);
    put_end(&g);
    assert_int_equal(outcome(&g), W_NEWER);
}

static void compressed_data_must_give_exactly_what_is_said(void **state)
{
    (void)state;
    enum { SIZE = 100000 };
    u8 *raw = calloc(1, SIZE), *packed = malloc(w_deflate_bound(SIZE) + 8);
    size_t size;
    struct w_deflater *d;
    struct w_err err;
    assert_int_equal(w_deflater_new(&d, 9, &err), W_DONE);
    assert_int_equal(w_deflate(d, raw, SIZE, packed, &size, &err), W_DONE);
    w_deflater_free(d);
    u32 n = (u32)size;
    static const struct {
        int raw, stored;
        enum w_status status;
    } rows[] = {
        {0, 0, W_END},       {-2, 0, W_CORRUPT}, {2, 0, W_CORRUPT},          {0, -1, W_CORRUPT},
        {0, -10, W_CORRUPT}, {0, 1, W_CORRUPT},  {-SIZE + 200, 0, W_CORRUPT}};
    for (size_t i = 0; i < W_COUNTOF(rows); i++) {
        struct forge g = {0};
        u32 raw_len = (u32)(SIZE + rows[i].raw);
        put_text(&g, 'H', TOKENS);
        put_frame(&g, 'D', W_ZLIB, raw_len / 2, packed, raw_len, (u32)((int)n + rows[i].stored));
        put_end(&g);
        assert_int_equal(outcome(&g), rows[i].status);
    }
    /* The checksum inside of zlib covers the raw bytes. */
    struct forge g = {0};
    packed[n - 1] ^= 1;
    put_text(&g, 'H', TOKENS);
    put_frame(&g, 'D', W_ZLIB, SIZE / 2, packed, SIZE, n);
    put_end(&g);
    assert_int_equal(outcome(&g), W_CORRUPT);
    free(raw);
    free(packed);
}

/* Five ids (the example of the page), and the same with something wrong in it. */
static void filtered_data_must_be_what_the_filter_writes(void **state)
{
    (void)state;
    static const char *const columns =
        "{\"wts\":1,\"kind\":\"tokens\",\"rec\":[{\"name\":\"tok\",\"dtype\":\"u16\",\"shape\":[]},"
        "{\"name\":\"n\",\"dtype\":\"u16\",\"shape\":[]}]}\n";
    const struct {
        const char *header;
        u32 size, at, value, count, record_bytes;
        u8 filter;
        enum w_status status;
    } rows[] = {
        {TOKENS, 10, 0, 8, 5, 2, W_FILTER_IDS, W_END},
        {TOKENS, 10, 0, 9, 5, 2, W_FILTER_IDS, W_CORRUPT},  /* other bits */
        {TOKENS, 9, 0, 8, 5, 2, W_FILTER_IDS, W_CORRUPT},   /* a byte less, one more, one id more */
        {TOKENS, 11, 0, 8, 5, 2, W_FILTER_IDS, W_CORRUPT},  /* (more than the ids) */
        {TOKENS, 10, 0, 8, 6, 2, W_FILTER_IDS, W_CORRUPT},  /* one id more */
        {columns, 10, 0, 8, 5, 4, W_FILTER_IDS, W_CORRUPT}, /* not ids alone */
        {TENSORS, 10, 0, 8, 10, 1, W_FILTER_IDS, W_CORRUPT},
        {columns, 12, 0, 8, 3, 4, W_FILTER_PLANES, W_END},
        {columns, 11, 0, 8, 3, 4, W_FILTER_PLANES, W_CORRUPT}, /* fewer bytes, more */
        {columns, 13, 0, 8, 3, 4, W_FILTER_PLANES, W_CORRUPT},
        {TOKENS, 10, 0, 8, 5, 2, W_FILTER_PLANES, W_CORRUPT}, /* a single column */
        {TENSORS, 10, 0, 8, 10, 1, W_FILTER_PLANES, W_CORRUPT},
    };
    struct w_deflater *d;
    struct w_err err;
    assert_int_equal(w_deflater_new(&d, 6, &err), W_DONE);
    for (size_t i = 0; i < W_COUNTOF(rows); i++) {
        u8 bytes[16] = {8, 1, 5, 0, 4, 7, 4, 0, 0, 0xbc}, packed[256];
        struct forge g = {0};
        size_t size;
        bytes[rows[i].at] = (u8)rows[i].value;
        assert_int_equal(w_deflate(d, bytes, rows[i].size, packed, &size, &err), W_DONE);
        put_text(&g, 'H', rows[i].header);
        put_filtered(&g, 'D', W_ZLIB, rows[i].filter, rows[i].count, packed,
                     rows[i].count * rows[i].record_bytes, (u32)size);
        put_end(&g);
        assert_int_equal(outcome(&g), rows[i].status);
    }
    w_deflater_free(d);
}

static void a_header_is_one_line_and_comes_first(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "\n",
                                      "{}",
                                      "{}\n",
                                      TOKENS "\n",
                                      "\n" TOKENS,
                                      "{\"wts\":1,\n\"kind\":\"tokens\"}\n",
                                      "{\"wts\":1}",
                                      "nonsense\n"};
    for (size_t i = 0; i < W_COUNTOF(bad); i++) {
        struct forge g = {0};
        put_text(&g, 'H', bad[i]);
        put_end(&g);
        assert_int_equal(outcome(&g), W_CORRUPT);
    }
    struct forge g = {0};
    put(&g, 'D', 2, "abcd", 4);
    assert_int_equal(outcome(&g), W_CORRUPT);
    put_end(&g);
    assert_int_equal(outcome(&g), W_CORRUPT);
    put_text(&g, 'X', "{}\n");
    assert_int_equal(outcome(&g), W_CORRUPT);
    put_text(&g, 'H', TOKENS);
    put_text(&g, 'H', TOKENS);
    assert_int_equal(outcome(&g), W_CORRUPT);
}

static void the_totals_of_an_end_are_verified(void **state)
{
    (void)state;
    /* A member of a right end gets another value, or is left out; or the whole is another text. */
    static const struct {
        const char *key, *value;
    } bad[] = {
        {"records", "1"}, {"raw", "1"}, {"bytes", "1"},    {"index", "48"}, {"frames", "2"},
        {"ok", "false"},  {"ok", NULL}, {"records", NULL}, {NULL, "[]"},    {NULL, "{\"ok\":true"},
    };
    static const char *const keys[] = {"records", "raw", "bytes", "index", "frames", "ok"};
    for (size_t i = 0; i <= W_COUNTOF(bad); i++) {
        struct forge g = {0};
        char payload[300];
        memset(payload, ' ', sizeof payload);
        put_text(&g, 'H', TOKENS);
        put(&g, 'D', 2, "abcd", 4);
        const u64 right[] = {g.chain.pos, g.raw, g.size + 256, g.index, g.chain.seq + 1};
        const bool whole = i < W_COUNTOF(bad) && !bad[i].key;
        int n = snprintf(payload, sizeof payload, "%s", whole ? bad[i].value : "{");
        for (size_t k = 0; k < W_COUNTOF(keys) && !whole; k++) {
            const bool changed = i < W_COUNTOF(bad) && !strcmp(keys[k], bad[i].key);
            char number[24] = "true";
            if (k < W_COUNTOF(right))
                snprintf(number, sizeof number, "%llu", (unsigned long long)right[k]);
            if (!changed || bad[i].value)
                n += snprintf(payload + n, sizeof payload - (size_t)n, "%s\"%s\":%s",
                              n > 1 ? "," : "", keys[k], changed ? bad[i].value : number);
        }
        if (!whole)
            n += snprintf(payload + n, sizeof payload - (size_t)n, "}");
        payload[n] = ' ';
        payload[207] = '\n';
        put(&g, 'E', 0, payload, 208);
        struct w_err err;
        assert_int_equal(read_forged(&g, NULL, &err), i < W_COUNTOF(bad) ? W_CORRUPT : W_END);
        char place[64];
        snprintf(place, sizeof place,
                 "memory: member 1, frame 2 at byte %zu: ", 48 + sizeof TOKENS - 1 + 48 + 4);
        assert_int_equal(strstr(err.text, place) == err.text, i < W_COUNTOF(bad));
    }
    struct forge g = {0};
    put_text(&g, 'H', TOKENS);
    put_end_as(
        &g,
        "{\"records\":%llu,\"raw\":%llu,\"bytes\":%llu,\"index\":%llu,\"frames\":%u,\"ok\":true}",
        " ");
    assert_int_equal(outcome(&g), W_CORRUPT);
}

static void put_index(struct forge *g, u32 count, u64 second_offset)
{
    u8 entries[32] = {0};
    w_put64(entries, 48 + sizeof TOKENS - 1);
    w_put64(entries + 16, second_offset);
    w_put64(entries + 24, 2);
    g->index = g->size;
    put(g, 'i', count, entries, 16 * count);
}

static void an_index_comes_once_before_the_end(void **state)
{
    (void)state;
    u64 second = 48 + sizeof TOKENS - 1 + 52;
    for (int fault = 0; fault <= 4; fault++) {
        struct forge g = {0};
        put_text(&g, 'H', TOKENS);
        put(&g, 'D', 2, "abcd", 4);
        put(&g, 'D', 2, "abcd", 4);
        put_index(&g, 2, fault == 1 ? 1 : fault == 2 ? UINT64_MAX : second);
        if (fault == 3)
            put_index(&g, 1, 0);
        if (fault == 4)
            put(&g, 'D', 2, "abcd", 4);
        put_text(&g, 'm', "{\"a\":1}\n");
        put_end(&g);
        assert_int_equal(outcome(&g), fault ? W_CORRUPT : W_END);
    }
}

static void notes_and_aborts_are_one_line_of_json(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "\n", "{}", "{}\n\n", "{\n}\n", "{\"a\":1,\"a\":2}\n", "\xff\n"};
    for (size_t i = 0; i < W_COUNTOF(bad); i++)
        for (int k = 0; k < 2; k++) {
            struct forge g = {0};
            put_text(&g, 'H', TOKENS);
            put_text(&g, k ? 'm' : 'X', bad[i]);
            put_end(&g);
            assert_int_equal(outcome(&g), W_CORRUPT);
        }
    struct forge g = {0};
    struct w_err err;
    put_text(&g, 'H', "");
    assert_int_equal(outcome(&g), W_CORRUPT);
    put_text(&g, 'H', TOKENS);
    put_text(&g, 'X',
             "{\"tool\":\"evil\\u001b]0;x\\u0007\",\"msg\":\"a\\nb\\u202e\",\"exit\":3}\n");
    assert_int_equal(read_forged(&g, NULL, &err), W_ABORTED);
    for (const char *p = err.text; *p; p++)
        assert_in_range(*p, 0x20, 0x7e);
    put_text(&g, 'H', TOKENS);
    put_text(&g, 'X', "{}\n");
    assert_int_equal(outcome(&g), W_ABORTED);
    put_text(&g, 'H', TOKENS);
    put_text(&g, 'X', "[1]\n");
    assert_int_equal(outcome(&g), W_ABORTED);
}

static void tensors_fill_their_blob_and_nothing_else(void **state)
{
    (void)state;
    u8 blob[80] = {1, 2, 3};
    for (u32 size = 60; size <= 80; size++)
        for (u32 cut = 1; cut < 60; cut += 29) {
            struct forge g = {0};
            put_text(&g, 'H', TENSORS);
            put(&g, 'D', cut, blob, cut);
            put(&g, 'D', size - cut, blob + cut, size - cut);
            put_end(&g);
            assert_int_equal(outcome(&g), size == 68 ? W_END : W_CORRUPT);
        }
    for (u32 at = 0; at < 68; at++) {
        struct forge g = {0};
        u8 odd[68];
        memcpy(odd, blob, 68);
        odd[at] = 9;
        put_text(&g, 'H', TENSORS);
        put(&g, 'D', 30, odd, 30);
        put(&g, 'D', 3, odd + 30, 3);
        put(&g, 'D', 35, odd + 33, 35);
        put_end(&g);
        assert_int_equal(outcome(&g), at >= 3 && at < 64 ? W_CORRUPT : W_END);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_is_taken),
        cmocka_unit_test(unknown_frames_are_skipped_if_they_say_so),
        cmocka_unit_test(compressed_data_must_give_exactly_what_is_said),
        cmocka_unit_test(filtered_data_must_be_what_the_filter_writes),
        cmocka_unit_test(a_header_is_one_line_and_comes_first),
        cmocka_unit_test(the_totals_of_an_end_are_verified),
        cmocka_unit_test(an_index_comes_once_before_the_end),
        cmocka_unit_test(notes_and_aborts_are_one_line_of_json),
        cmocka_unit_test(tensors_fill_their_blob_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
