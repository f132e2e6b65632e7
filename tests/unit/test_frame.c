/* Frames and headers by themselves: every rule of wstream(5), broken one at a time. The checksums
 * of these frames are right: the rules hold without their help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sys/deflate.h"
#include "wire/frame.h"
#include "wire/stream.h"

static const struct w_frame good = {.type = 'D',
                                    .codec = W_ZLIB,
                                    .seq = 3,
                                    .pos = 100,
                                    .count = 50,
                                    .raw_len = 200,
                                    .stored_len = 90,
                                    .payload_crc = 0x12345678,
                                    .link = 0x9abcdef0};

static enum w_status decode(const u8 *bytes)
{
    struct w_frame f;
    struct w_err err = {0};
    enum w_status status = w_frame_decode(&f, bytes, &err);
    assert_int_equal(err.text[0] != 0, status != W_DONE);
    return status;
}

static enum w_status decode_frame(struct w_frame f)
{
    u8 bytes[W_FRAME_BYTES];
    w_frame_encode(&f, bytes);
    return decode(bytes);
}

/* Change one byte of an encoded header, with a right checksum. */
static enum w_status decode_with(size_t at, u8 value)
{
    u8 bytes[W_FRAME_BYTES];
    w_frame_encode(&good, bytes);
    bytes[at] = value;
    w_put32(bytes + 44, w_crc32(0, bytes, 44));
    return decode(bytes);
}

/* The published check value of ISO 3309's CRC-32: other programs compute the same. */
static void checksums_are_those_of_the_standard(void **state)
{
    (void)state;
    assert_int_equal(w_crc32(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(w_crc32(w_crc32(0, "1234", 4), "56789", 5), 0xCBF43926);
    assert_int_equal(w_crc32(0, "", 0), 0);
}

static void a_header_has_the_bytes_of_the_manual(void **state)
{
    (void)state;
    u8 bytes[W_FRAME_BYTES];
    static const u8 expected[44] = {0x89, 'W', 'T', '1',  '\r', '\n', 0x1a, '\n', 'D',  1,    0,
                                    0,    3,   0,   0,    0,    100,  0,    0,    0,    0,    0,
                                    0,    0,   50,  0,    0,    0,    200,  0,    0,    0,    90,
                                    0,    0,   0,   0x78, 0x56, 0x34, 0x12, 0xf0, 0xde, 0xbc, 0x9a};
    w_frame_encode(&good, bytes);
    assert_memory_equal(bytes, expected, sizeof expected);
    assert_int_equal(w_get32(bytes + 44), w_crc32(0, expected, 44));
    struct w_frame f;
    assert_int_equal(w_frame_decode(&f, bytes, NULL), W_DONE);
    assert_memory_equal(&f, &good, sizeof f);
}

static void unknown_things_are_newer_and_not_corrupt(void **state)
{
    (void)state;
    assert_int_equal(decode_with(3, '2'), W_NEWER);
    assert_int_equal(decode_with(3, '0'), W_CORRUPT);
    assert_int_equal(decode_with(4, 'x'), W_CORRUPT);
    assert_int_equal(decode_with(8, 'Q'), W_NEWER);
    assert_int_equal(decode_with(8, 'q'), W_DONE);
    assert_int_equal(decode_with(8, '3'), W_CORRUPT);
    assert_int_equal(decode_with(8, 0), W_CORRUPT);
    assert_int_equal(decode_with(8, 0xc4), W_CORRUPT);
    assert_int_equal(decode_with(9, 2), W_NEWER);
    assert_int_equal(decode_with(10, 3), W_NEWER);
    assert_int_equal(decode_with(11, 0x80), W_NEWER);
}

static void only_compressed_data_have_a_filter(void **state)
{
    (void)state;
    struct w_frame f = good;
    f.filter = W_FILTER_IDS;
    assert_int_equal(decode_frame(f), W_DONE);
    f.type = 'q';
    assert_int_equal(decode_frame(f), W_CORRUPT);
    f = good, f.filter = W_FILTER_IDS, f.codec = W_STORED, f.stored_len = f.raw_len;
    assert_int_equal(decode_frame(f), W_CORRUPT);
}

static void sizes_are_bounded_before_anything_is_allocated(void **state)
{
    (void)state;
    struct w_frame f = good;
    f.raw_len = W_FRAME_RAW_MAX, f.stored_len = W_FRAME_RAW_MAX / 2;
    assert_int_equal(decode_frame(f), W_DONE);
    f.raw_len++;
    assert_int_equal(decode_frame(f), W_LIMIT);
    f.raw_len = UINT32_MAX;
    assert_int_equal(decode_frame(f), W_LIMIT);
    /* No deflate stream reaches 1 : 1032. */
    f.raw_len = 1032 * 1000 + 64, f.stored_len = 1000;
    assert_int_equal(decode_frame(f), W_DONE);
    f.raw_len++;
    assert_int_equal(decode_frame(f), W_CORRUPT);
    f.raw_len = 1000, f.stored_len = 1000 + 1 + 64;
    assert_int_equal(decode_frame(f), W_DONE);
    f.stored_len++;
    assert_int_equal(decode_frame(f), W_CORRUPT);
    f.stored_len = UINT32_MAX;
    assert_int_equal(decode_frame(f), W_CORRUPT);
    f.codec = W_STORED, f.stored_len = 999;
    assert_int_equal(decode_frame(f), W_CORRUPT);
    f.stored_len = 1000;
    assert_int_equal(decode_frame(f), W_DONE);
    f.pos = (u64)1 << 53;
    assert_int_equal(decode_frame(f), W_LIMIT);
    static const struct {
        u8 type;
        u32 most;
    } limits[] = {
        {'H', 8 << 20}, {'m', 64 << 10}, {'X', 64 << 10}, {'i', 1 << 20}, {'z', 16 << 20}};
    for (size_t i = 0; i < W_COUNTOF(limits); i++) {
        struct w_frame one = {.type = limits[i].type};
        one.raw_len = one.stored_len = limits[i].most;
        assert_int_equal(decode_frame(one), W_DONE);
        one.raw_len = ++one.stored_len;
        assert_int_equal(decode_frame(one), W_LIMIT);
        if (limits[i].type != 'z') {
            one.codec = W_ZLIB, one.raw_len = 100, one.stored_len = 50;
            assert_int_equal(decode_frame(one), W_CORRUPT);
        }
    }
    struct w_frame end = {.type = 'E', .raw_len = 208, .stored_len = 208};
    assert_int_equal(decode_frame(end), W_DONE);
    end.raw_len = end.stored_len = 207;
    assert_int_equal(decode_frame(end), W_CORRUPT);
}

static enum w_status check(struct w_frame f)
{
    struct w_chain chain = {.seq = 3, .link = 0x9abcdef0, .pos = 100, .record_bytes = 4};
    return w_chain_check(&chain, &f, NULL);
}

static void a_frame_must_be_the_next_one(void **state)
{
    (void)state;
    struct w_frame f = good;
    assert_int_equal(check(f), W_DONE);
    f.seq = 4;
    assert_int_equal(check(f), W_CORRUPT);
    f = good, f.link ^= 1;
    assert_int_equal(check(f), W_CORRUPT);
    f = good, f.pos = 99;
    assert_int_equal(check(f), W_CORRUPT);
    f = good, f.count = 51;
    assert_int_equal(check(f), W_CORRUPT);
    f = good, f.count = f.raw_len = f.stored_len = 0;
    assert_int_equal(check(f), W_CORRUPT);
    f = good, f.count = 0x40000032; /* times 4 wraps to 200 in 32 bits */
    assert_int_equal(check(f), W_CORRUPT);
    f = good, f.type = 'm';
    assert_int_equal(check(f), W_CORRUPT);
    f.count = 0;
    assert_int_equal(check(f), W_DONE);
    f = good, f.type = 'i', f.count = 12;
    assert_int_equal(check(f), W_CORRUPT);
    f.raw_len = 12 * 16;
    assert_int_equal(check(f), W_DONE);
    f = good, f.type = 'z', f.count = 777; /* unknown: its count may mean anything */
    assert_int_equal(check(f), W_DONE);
    f = good, f.type = 'H', f.count = 0;
    assert_int_equal(check(f), W_CORRUPT);
    struct w_chain start = {0};
    f = (struct w_frame){.type = 'D', .count = 1};
    assert_int_equal(w_chain_check(&start, &f, NULL), W_CORRUPT);
    f = (struct w_frame){.type = 'H', .raw_len = 10};
    assert_int_equal(w_chain_check(&start, &f, NULL), W_DONE);
}

/* The CRC of data that end with their own CRC is a constant: the link must not be such a CRC. */
static void the_link_tells_headers_apart(void **state)
{
    (void)state;
    u32 links[200];
    for (u32 i = 0; i < W_COUNTOF(links); i++) {
        u8 bytes[W_FRAME_BYTES];
        struct w_chain chain = {.seq = 3, .link = 5, .pos = 100};
        struct w_frame f = good;
        f.payload_crc = i;
        w_frame_encode(&f, bytes);
        w_chain_step(&chain, &f, bytes);
        links[i] = chain.link;
        assert_int_equal(chain.link, w_crc32(5, bytes + 8, 32));
        assert_int_equal(chain.seq, 4);
        assert_int_equal(chain.pos, 150);
        for (u32 k = 0; k < i; k++)
            assert_int_not_equal(links[k], links[i]);
    }
}

/* ---- header lines ---- */

static enum w_status header_of(const char *text, struct w_header *h)
{
    struct w_json *json = NULL;
    struct w_err err = {0};
    enum w_status status = w_json_parse(&json, text, strlen(text), &err);
    if (!status)
        status = w_header_from_json(h, json, &err);
    assert_int_equal(err.text[0] != 0, status != W_DONE);
    return status;
}

static enum w_status header(const char *text)
{
    struct w_header h = {0};
    enum w_status status = header_of(text, &h);
    if (status) {
        assert_null(h.json);
        assert_null(h.arrays);
    }
    w_header_free(&h);
    return status;
}

#define TOKENS "{\"wts\":1,\"kind\":\"tokens\",\"rec\":["
#define BATCH "{\"wts\":1,\"kind\":\"batch\",\"rec\":["
#define TENSORS "{\"wts\":1,\"kind\":\"tensors\",\"tensors\":["
#define ARRAY(name, dtype, shape)                                                                  \
    "{\"name\":\"" name "\",\"dtype\":\"" dtype "\",\"shape\":[" shape "]}"
#define TENSOR(shape) TENSORS ARRAY("a", "f32", shape) "]}"
#define COLUMN(n) ARRAY(n, "u8", "1")

static const struct {
    enum w_status status;
    const char *text;
} header_lines[] = {
    {W_DONE, TOKENS ARRAY("tok", "u16", "") "]}"},
    {W_DONE, TOKENS ARRAY("tok", "u32", "") "],\"unknown\":[1,{\"a\":2}]}"},
    {W_DONE, BATCH ARRAY("x", "u16", "8,1025") "]}"},
    {W_DONE, TENSOR("")},
    {W_DONE, TENSOR("1,2,3,4,5,6,7,8")},
    /* versions and keys */
    {W_CORRUPT, "[]"},
    {W_CORRUPT, "{}"},
    {W_CORRUPT, "{\"wts\":0,\"kind\":\"tokens\"}"},
    {W_CORRUPT, "{\"wts\":\"1\",\"kind\":\"tokens\"}"},
    {W_NEWER, "{\"wts\":2,\"kind\":\"tokens\"}"},
    {W_NEWER, "{\"wts\":1,\"kind\":\"sounds\"}"},
    {W_NEWER, "{\"wts\":1,\"kind\":7}"},
    {W_CORRUPT, "{\"wts\":1,\"kind\":\"tokens\"}"},
    {W_CORRUPT, "{\"wts\":1,\"kind\":\"tokens\",\"rec\":[]}"},
    {W_CORRUPT, "{\"wts\":1,\"kind\":\"tokens\",\"rec\":{}}"},
    {W_CORRUPT, "{\"wts\":1,\"wts\":1,\"kind\":\"tokens\",\"rec\":[]}"},
    {W_DONE, TOKENS ARRAY("tok", "u16", "") "],\"must\":[\"rec\",\"eot\"],\"eot\":1}"},
    {W_NEWER, TOKENS ARRAY("tok", "u16", "") "],\"must\":[\"rec\",\"spin\"],\"spin\":1}"},
    {W_NEWER, TOKENS ARRAY("tok", "u16", "") "],\"must\":[1]}"},
    {W_CORRUPT, TOKENS ARRAY("tok", "u16", "") "],\"must\":\"rec\"}"},
    {W_LIMIT, "{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"},
    /* kinds */
    {W_CORRUPT, TOKENS ARRAY("tok", "f32", "") "]}"},
    {W_CORRUPT, TOKENS ARRAY("tok", "u16", "2") "]}"},
    {W_DONE, TOKENS ARRAY("tok", "u16", "") "," ARRAY("b", "f64", "3") "]}"},
    {W_CORRUPT, TOKENS ARRAY("b", "f64", "3") "," ARRAY("tok", "u16", "") "]}"},
    {W_CORRUPT, TOKENS ARRAY("tok", "u16", "") "," ARRAY("tok", "u16", "") "]}"},
    {W_LIMIT, TOKENS ARRAY("tok", "u16", "") "," ARRAY("b", "u8", "16777215") "]}"},
    {W_DONE, BATCH ARRAY("x", "u16", "4") "," ARRAY("w", "u8", "4") "]}"},
    {W_CORRUPT, BATCH ARRAY("w", "u8", "4") "," ARRAY("x", "u16", "4") "]}"},
    {W_LIMIT,
     BATCH COLUMN("a") "," COLUMN("b") "," COLUMN("c") "," COLUMN("d") "," COLUMN("e") "," COLUMN("f") "," COLUMN("g") "," COLUMN("h") "," COLUMN(
         "i") "," COLUMN("j") "," COLUMN("k") "," COLUMN("l") "," COLUMN("m") "," COLUMN("n") "," COLUMN("o") "," COLUMN("p") "," COLUMN("q") "]}"},
    {W_DONE, BATCH ARRAY("x", "u16", "8388608") "]}"},
    {W_LIMIT, BATCH ARRAY("x", "u16", "8388609") "]}"},
    /* arrays */
    {W_CORRUPT, TENSORS "1]}"},
    {W_CORRUPT, TENSORS "{\"name\":\"a\",\"dtype\":\"f32\"}]}"},
    {W_CORRUPT, TENSORS "{\"name\":\"a\",\"shape\":[1]}]}"},
    {W_CORRUPT, TENSORS "{\"name\":1,\"dtype\":\"f32\",\"shape\":[1]}]}"},
    {W_NEWER, TENSORS ARRAY("a", "f8", "1") "]}"},
    {W_CORRUPT,
     TENSORS ARRAY("a", "f32", "1") "," ARRAY("b", "f32", "1") "," ARRAY("a", "f32", "1") "]}"},
    {W_CORRUPT, TENSORS ARRAY("", "f32", "1") "]}"},
    {W_CORRUPT, TENSORS ARRAY("a b", "f32", "1") "]}"},
    {W_CORRUPT, TENSORS ARRAY("a\\u001b[2J", "f32", "1") "]}"},
    {W_DONE, TENSORS ARRAY("h.0/attn_c-w.Z", "f32", "1") "]}"},
    /* dimensions */
    {W_LIMIT, TENSOR("1,2,3,4,5,6,7,8,9")},
    {W_CORRUPT, TENSOR("0")},
    {W_CORRUPT, TENSOR("3,0,5")},
    {W_CORRUPT, TENSOR("-1")},
    {W_CORRUPT, TENSOR("1.5")},
    {W_CORRUPT, TENSOR("\"2\"")},
    {W_CORRUPT, TENSOR("1e400")},
    {W_DONE, TENSOR("2147483648")},
    {W_DONE, TENSOR("4294967296")},
    {W_DONE, TENSOR("4398046511105")},
    {W_LIMIT, TENSOR("2251799813685248")},
    {W_LIMIT, TENSOR("9007199254740991")},
    {W_CORRUPT, TENSOR("9007199254740992")},
    {W_CORRUPT, TENSOR("9223372036854775807,2")},
    {W_CORRUPT, TENSOR("9223372036854775808")},
    {W_CORRUPT, TENSOR("18446744073709551616")},
    {W_LIMIT, TENSOR("4294967296,4294967296")},   /* wraps to 0 */
    {W_LIMIT, TENSOR("2147483648,2147483648,2")}, /* wraps with the size of the type */
    {W_LIMIT, TENSOR("4503599627370496,4503599627370496,4503599627370496")},
    {W_LIMIT, TENSORS ARRAY("a", "u8", "9007199254740990") "," ARRAY("b", "u8", "1") "]}"},
};

static void hostile_headers_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < W_COUNTOF(header_lines); i++)
        if (header(header_lines[i].text) != header_lines[i].status)
            fail_msg("%s: expected %s, got %s", header_lines[i].text,
                     w_status_name(header_lines[i].status),
                     w_status_name(header(header_lines[i].text)));
    char name[300] = {0};
    char text[600];
    for (size_t length = 254; length <= 257; length++) {
        memset(name, 'n', length);
        snprintf(text, sizeof text, TENSORS "{\"name\":\"%s\",\"dtype\":\"u8\",\"shape\":[1]}]}",
                 name);
        assert_int_equal(header(text), length <= 255 ? W_DONE : W_CORRUPT);
    }
}

static void places_are_computed(void **state)
{
    (void)state;
    struct w_header h;
    assert_int_equal(header_of(TENSORS ARRAY("a", "f32", "5") "," ARRAY("b", "u8", "3,1") "," ARRAY(
                                   "c", "bf16", "") "," ARRAY("d", "u64", "16") "]}",
                               &h),
                     W_DONE);
    static const u64 offsets[] = {0, 64, 128, 192}, bytes[] = {20, 3, 2, 128};
    assert_int_equal(h.array_count, 4);
    for (u32 i = 0; i < 4; i++) {
        assert_true(h.arrays[i].offset == offsets[i]);
        assert_true(h.arrays[i].bytes == bytes[i]);
    }
    assert_true(h.blob_bytes == 192 + 128);
    assert_int_equal(h.record_bytes, 1);
    assert_ptr_equal(w_header_find(&h, "c"), &h.arrays[2]);
    assert_null(w_header_find(&h, "C"));
    w_header_free(&h);
    assert_int_equal(header_of(BATCH ARRAY("y", "u32", "2,3") "," ARRAY("x", "u16", "5") "]}", &h),
                     W_DONE);
    assert_int_equal(h.record_bytes, 34);
    assert_int_equal(h.arrays[1].offset, 24);
    w_header_free(&h);
}

static void what_is_built_is_checked_like_what_is_read(void **state)
{
    (void)state;
    struct w_header h, again;
    u64 shape[9] = {2, 3, 1, 1, 1, 1, 1, 1, 1}, zero = 0;
    assert_int_equal(w_header_begin(&h, W_TENSORS, "test 1", NULL), W_DONE);
    assert_int_equal(w_header_add(&h, "a", W_TYPE_F32, 2, shape, NULL), W_DONE);
    assert_int_equal(w_header_add(&h, "a", W_TYPE_F32, 2, shape, NULL), W_CORRUPT);
    assert_int_equal(w_header_add(&h, "b", W_TYPE_F32, 1, &zero, NULL), W_CORRUPT);
    assert_int_equal(w_header_add(&h, "b", W_TYPE_F32, 9, shape, NULL), W_LIMIT);
    assert_int_equal(w_header_add(&h, "a b", W_TYPE_F32, 1, shape, NULL), W_CORRUPT);
    assert_int_equal(w_header_add(&h, "b", W_TYPE_U64, 0, NULL, NULL), W_DONE);
    char *text = w_json_text(h.json, NULL);
    assert_int_equal(header_of(text, &again), W_DONE);
    assert_int_equal(again.array_count, 2);
    assert_true(again.blob_bytes == h.blob_bytes && h.blob_bytes == 72);
    for (u32 i = 0; i < 2; i++) {
        assert_string_equal(again.arrays[i].name, h.arrays[i].name);
        assert_int_equal(again.arrays[i].dtype, h.arrays[i].dtype);
        assert_true(again.arrays[i].offset == h.arrays[i].offset);
    }
    free(text);
    w_header_free(&again);
    w_header_free(&h);
    w_header_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_those_of_the_standard),
        cmocka_unit_test(a_header_has_the_bytes_of_the_manual),
        cmocka_unit_test(unknown_things_are_newer_and_not_corrupt),
        cmocka_unit_test(only_compressed_data_have_a_filter),
        cmocka_unit_test(sizes_are_bounded_before_anything_is_allocated),
        cmocka_unit_test(a_frame_must_be_the_next_one),
        cmocka_unit_test(the_link_tells_headers_apart),
        cmocka_unit_test(hostile_headers_are_refused),
        cmocka_unit_test(places_are_computed),
        cmocka_unit_test(what_is_built_is_checked_like_what_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
