/* Compressed files in any shape give back what went in; what is cut or changed is never taken for
 * the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <sys/mman.h>

#include "packed.h"

#include "base/buffer.h"
#include "base/rng.h"
#include "sys/bzip2_scan.h"
#include "sys/unpack.h"

/* Append a stream of what bzip2 -LEVEL makes of the data. */
static void pack(struct w_buffer *out, const void *data, size_t size, int level)
{
    unsigned room = (unsigned)(size + size / 100 + 700);
    assert_true(w_buffer_room(out, room));
    assert_int_equal(BZ2_bzBuffToBuffCompress((char *)out->at + out->size, &room, (char *)data,
                                              (unsigned)size, level, 0, 0),
                     BZ_OK);
    out->size += room;
}

/* Append what bytes unpack to. */
static enum w_status unpack(struct w_buffer *out, const u8 *bytes, size_t size, u32 threads,
                            struct w_err *err)
{
    struct w_input in = {.fd = memfd_create("packed", 0), .owned = true, .name = "packed"};
    struct w_unpack *u = NULL;
    const u8 *piece = NULL;
    size_t piece_size = 0;

    assert_true(in.fd >= 0);
    assert_int_equal(write(in.fd, bytes, size), size);
    assert_int_equal(lseek(in.fd, 0, SEEK_SET), 0);
    enum w_status status = w_unpack_open(&u, &in, threads, err);
    while (!status && !(status = w_unpack_next(u, &piece, &piece_size, err)))
        w_buffer_put(out, piece, piece_size);
    if (status == W_END && size > 3 && memcmp(bytes, "BZh", 3)) /* of bzip2 up to the last block */
        assert_int_equal(w_unpack_consumed(u), size);
    w_unpack_close(&u);
    w_input_close(&in);
    return status;
}

static void assert_same(const struct w_buffer *packed, const void *data, size_t size)
{
    for (u32 threads = 1; threads <= 4; threads++) {
        struct w_buffer out = {0};
        struct w_err err = {0};
        assert_int_equal(unpack(&out, packed->at, packed->size, threads, &err), W_END);
        assert_int_equal(out.size, size);
        assert_memory_equal(out.at, data, size);
        w_buffer_free(&out);
    }
}

/* Data that compresses well, data that does not, and runs, which bzip2 encodes separately. */
static u8 *some_data(size_t size, u64 seed)
{
    u8 *data = malloc(size + 1);
    struct w_rng rng = {.seed = seed};
    assert_non_null(data);
    for (size_t i = 0; i < size;) {
        u8 byte = (u8)w_rng_below(&rng, seed % 2 ? 256 : 8);
        for (u64 n = w_rng_below(&rng, 20) ? 1 : 1 + w_rng_below(&rng, 600); n > 0 && i < size; n--)
            data[i++] = byte;
    }
    return data;
}

static void one_stream_comes_back(void **state)
{
    (void)state;
    for (u64 round = 0; round < 6; round++) {
        size_t size = 1 + (size_t)round * 190000;
        u8 *data = some_data(size, round);
        struct w_buffer packed = {0};
        pack(&packed, data, size, round < 5 ? 1 : 9);
        assert_same(&packed, data, size);
        w_buffer_free(&packed);
        free(data);
    }
}

static void many_streams_come_back(void **state)
{
    (void)state;
    const size_t size = 300000;
    u8 *data = some_data(size, 3);
    struct w_buffer packed = {0};
    struct w_rng rng = {.seed = 4};
    for (size_t at = 0; at < size;) {
        size_t n = (size_t)w_rng_below(&rng, 9) ? (size_t)w_rng_below(&rng, 9000) : 0;
        n = W_MIN(n, size - at);
        pack(&packed, data + at, n, 1 + (int)w_rng_below(&rng, 9)); /* some of them of nothing */
        at += n;
    }
    assert_same(&packed, data, size);
    w_buffer_free(&packed);
    free(data);
}

/* Text that has just the bytes whose map, in the head of a block, are the 48 bits of a mark: 16
 * bits for each of three neighbouring groups of 16 bytes. */
static void marks_inside_of_a_block_are_none(void **state)
{
    (void)state;
    static const u64 marks[] = {W_BZIP2_BLOCK, W_BZIP2_END};
    for (size_t m = 0; m < W_COUNTOF(marks); m++) {
        u8 data[4000];
        size_t kinds = 0;
        struct w_buffer packed = {0};
        struct w_rng rng = {.seed = 5};
        for (unsigned bit = 0; bit < 48; bit++)
            if (marks[m] >> (47 - bit) & 1)
                data[kinds++] = (u8)(0x80 + bit);
        for (size_t i = kinds; i < sizeof data; i++)
            data[i] = data[w_rng_below(&rng, kinds)];
        pack(&packed, data, sizeof data, 9);
        pack(&packed, data, sizeof data, 9);
        unsigned seen = 0;
        for (u64 at = 0; at + 48 <= 8 * (u64)packed.size; at++)
            seen += w_bits_at(packed.at, at, 48) == marks[m];
        assert_int_equal(seen, 4); /* twice where it means something */
        u8 twice[2 * sizeof data];
        memcpy(twice, data, sizeof data);
        memcpy(twice + sizeof data, data, sizeof data);
        assert_same(&packed, twice, sizeof twice);
        w_buffer_free(&packed);
    }
}

static void what_is_cut_is_not_whole(void **state)
{
    (void)state;
    static const char data[] = "to be, or not to be, that is the question";
    struct w_buffer packed = {0};
    pack(&packed, data, 20, 1);
    size_t first = packed.size;
    pack(&packed, data, sizeof data, 1);
    for (size_t size = 10; size < packed.size; size++) {
        struct w_buffer out = {0};
        struct w_err err = {0};
        enum w_status status = unpack(&out, packed.at, size, 2, &err);
        if (size == first)
            assert_int_equal(status, W_END);
        else
            assert_int_equal(w_exit_code(status), 3);
        assert_true(size == first || strstr(err.text, "byte"));
        w_buffer_free(&out);
    }
    w_buffer_free(&packed);
}

static void what_is_changed_is_refused(void **state)
{
    (void)state;
    static const char data[] = "to be, or not to be";
    struct w_buffer packed = {0};
    pack(&packed, data, sizeof data, 1);
    /* After "BZh1", by which it is recognized. */
    for (u64 bit = 32; bit < 8 * (u64)packed.size; bit++) {
        struct w_buffer out = {0};
        struct w_err err = {0};
        packed.at[bit / 8] ^= (u8)(0x80 >> bit % 8);
        enum w_status status = unpack(&out, packed.at, packed.size, 1, &err);
        packed.at[bit / 8] ^= (u8)(0x80 >> bit % 8);
        bool same = out.size == sizeof data && !memcmp(out.at, data, sizeof data);
        /* The mark of the first block changed: it is not bzip2, and passes unchanged. The bits that
         * fill the last byte mean nothing. */
        assert_true(bit < 80 || same || w_exit_code(status) == 3);
        w_buffer_free(&out);
    }
    w_buffer_free(&packed);
}

static void bytes_after_the_last_stream_are_refused(void **state)
{
    (void)state;
    struct w_buffer packed = {0}, out = {0};
    struct w_err err = {0};
    pack(&packed, "data", 4, 1);
    size_t size = packed.size;
    char place[32];
    snprintf(place, sizeof place, "byte %zu: what follows", size);
    w_buffer_text(&packed, "and more");
    assert_int_equal(unpack(&out, packed.at, packed.size, 1, &err), W_CORRUPT);
    assert_non_null(strstr(err.text, place));
    packed.size = size;
    w_buffer_text(&packed, "BZh");
    assert_int_equal(unpack(&out, packed.at, packed.size, 1, &err), W_TRUNCATED);
    w_buffer_free(&packed);
    w_buffer_free(&out);
}

/* Many marks and nothing between: each could be a block, and is joined with the next. */
static void a_row_of_marks_ends_soon(void **state)
{
    (void)state;
    struct w_buffer packed = {0}, out = {0};
    struct w_err err = {0};
    w_buffer_text(&packed, "BZh9");
    for (unsigned i = 0; i < 100000; i++)
        w_buffer_put(&packed, "\x31\x41\x59\x26\x53\x59", 6);
    assert_int_equal(unpack(&out, packed.at, packed.size, 2, &err), W_CORRUPT);
    w_buffer_free(&packed);
    w_buffer_free(&out);
}

/* ---- all formats ---- */

static void every_format_comes_back(void **state)
{
    (void)state;
    for (size_t k = 0; k < W_COUNTOF(packers); k++)
        for (u64 round = 0; round < 4; round++) {
            size_t size = round ? 1 + (size_t)round * 290000 : 0;
            u8 *data = some_data(size, round);
            struct w_buffer packed = {0};
            packers[k].pack(&packed, data, size);
            assert_string_equal(w_unpack_known(packed.at, packed.size), packers[k].name);
            assert_same(&packed, data, size);
            w_buffer_free(&packed);
            free(data);
        }
}

static void files_of_a_format_may_follow_each_other(void **state)
{
    (void)state;
    const size_t size = 300000;
    u8 *data = some_data(size, 3);
    for (size_t k = 0; k < W_COUNTOF(packers); k++) {
        struct w_buffer packed = {0};
        struct w_rng rng = {.seed = 4};
        for (size_t at = 0, n; at < size; at += n) {
            n = w_rng_below(&rng, 5) ? (size_t)w_rng_below(&rng, 60000) : 0; /* some of nothing */
            n = W_MIN(n, size - at);
            packers[k].pack(&packed, data + at, n);
        }
        assert_same(&packed, data, size);
        w_buffer_free(&packed);
    }
    free(data);
}

static void every_cut_is_refused_with_its_place(void **state)
{
    (void)state;
    static const char data[] = "to be, or not to be, that is the question";
    for (size_t k = 0; k < W_COUNTOF(packers); k++) {
        struct w_buffer packed = {0};
        packers[k].pack(&packed, data, 20);
        size_t first = packed.size;
        packers[k].pack(&packed, data, sizeof data);
        for (size_t size = packers[k].recognized; size < packed.size; size++) {
            struct w_buffer out = {0};
            struct w_err err = {0};
            enum w_status status = unpack(&out, packed.at, size, (u32)(1 + size % 3), &err);
            if (size == first ? status != W_END
                              : w_exit_code(status) != 3 || !strstr(err.text, "packed: ") ||
                                    !strstr(err.text, "byte "))
                fail_msg("%s cut at %zu of %zu: status %d, %s", packers[k].name, size, packed.size,
                         status, err.text);
            w_buffer_free(&out);
        }
        w_buffer_free(&packed);
    }
}

static void no_change_passes_for_the_data(void **state)
{
    (void)state;
    static const char data[] = "to be, or not to be, that is the question: to be, to be";
    for (size_t k = 0; k < W_COUNTOF(packers); k++) {
        struct w_buffer packed = {0};
        packers[k].pack(&packed, data, sizeof data);
        for (u64 bit = 8 * (u64)packers[k].recognized; bit < 8 * (u64)packed.size; bit++) {
            struct w_buffer out = {0};
            struct w_err err = {0};
            packed.at[bit / 8] ^= (u8)(0x80 >> bit % 8);
            enum w_status status = unpack(&out, packed.at, packed.size, 1 + bit % 2, &err);
            packed.at[bit / 8] ^= (u8)(0x80 >> bit % 8);
            bool same = out.size == sizeof data && !memcmp(out.at, data, sizeof data);
            if (!same && w_exit_code(status) != 3) /* bits of names and times mean nothing */
                fail_msg("%s with bit %llu changed: status %d, %zu bytes", packers[k].name,
                         (unsigned long long)bit, status, out.size);
            w_buffer_free(&out);
        }
        w_buffer_free(&packed);
    }
}

static void bytes_after_the_end_are_refused(void **state)
{
    (void)state;
    for (size_t k = 0; k < W_COUNTOF(packers); k++) {
        struct w_buffer packed = {0}, out = {0};
        struct w_err err = {0};
        packers[k].pack(&packed, "data", 4);
        w_buffer_text(&packed, "and more of it, of another kind");
        assert_int_equal(unpack(&out, packed.at, packed.size, 2, &err), W_CORRUPT);
        if (!strstr(err.text, packers[k].name) || !strstr(err.text, "packed: byte "))
            fail_msg("%s: %s", packers[k].name, err.text);
        w_buffer_free(&packed);
        w_buffer_free(&out);
    }
}

/* As tapes and xz's own padding have them. */
static void zeros_after_gzip_and_xz_are_nothing(void **state)
{
    (void)state;
    for (size_t k = 0; k < W_COUNTOF(packers); k++) {
        struct w_buffer packed = {0};
        packers[k].pack(&packed, "data", 4);
        for (unsigned i = 0; i < 1024; i++)
            w_buffer_byte(&packed, 0);
        if (packers[k].recognized % 3 == 0) /* gzip and xz */
            assert_same(&packed, "data", 4);
        w_buffer_free(&packed);
    }
}

/* What is decoded of 256 MB of zeros, without keeping it, must not cost memory. */
static void a_bomb_takes_no_memory(void **state)
{
    (void)state;
    const size_t size = (size_t)256 << 20;
    u8 *zeros = calloc(1, size);
    for (size_t k = 0; k < W_COUNTOF(packers); k++) {
        struct w_buffer packed = {0};
        struct w_input in = {.fd = memfd_create("bomb", 0), .owned = true, .name = "bomb"};
        struct w_unpack *u = NULL;
        struct w_err err = {0};
        const u8 *piece = NULL;
        size_t piece_size = 0, total = 0, most = 0;
        if (packers[k].pack == pack_xz_blocks) /* needs as much room as data */
            continue;
        packers[k].pack(&packed, zeros, size);
        assert_true(packed.size < size / 500);
        assert_int_equal(write(in.fd, packed.at, packed.size), packed.size);
        assert_int_equal(lseek(in.fd, 0, SEEK_SET), 0);
        enum w_status status = w_unpack_open(&u, &in, 2, &err);
        while (!status && !(status = w_unpack_next(u, &piece, &piece_size, &err))) {
            total += piece_size;
            most = W_MAX(most, piece_size);
        }
        assert_int_equal(status, W_END);
        assert_int_equal(total, size);
        assert_true(most <= (size_t)46 << 20);
        w_unpack_close(&u);
        w_input_close(&in);
        w_buffer_free(&packed);
    }
    free(zeros);
}

/* A window of 256 MiB, which a frame's first bytes ask for. */
static void a_window_that_is_too_large_is_refused(void **state)
{
    (void)state;
    static const u8 frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0, (28 - 10) << 3, 1, 0, 0};
    struct w_buffer out = {0};
    struct w_err err = {0};
    assert_int_equal(unpack(&out, frame, sizeof frame, 1, &err), W_LIMIT);
    assert_non_null(strstr(err.text, "128 MiB"));
    w_buffer_free(&out);
}

static void a_dictionary_that_is_too_large_is_refused(void **state)
{
    (void)state;
    lzma_options_lzma options;
    struct w_buffer out = {0};
    struct w_err err = {0};
    u8 packed[4096];
    size_t size = 0;
    assert_false(lzma_lzma_preset(&options, 1));
    options.dict_size = 256u << 20;
    options.mf = LZMA_MF_HC3;
    options.mode = LZMA_MODE_FAST;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    assert_int_equal(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, (const u8 *)"data",
                                               4, packed, &size, sizeof packed),
                     LZMA_OK);
    for (u32 threads = 1; threads < 4; threads++) {
        assert_int_equal(unpack(&out, packed, size, threads, &err), W_LIMIT);
        if (!strstr(err.text, "more than 128 MiB"))
            fail_msg("%s", err.text);
    }
    w_buffer_free(&out);
}

/* A first look does not use up what it saw. */
static void a_peek_comes_again(void **state)
{
    (void)state;
    static const char data[] = "what is seen is read";
    for (size_t k = 0; k <= W_COUNTOF(packers); k++) {
        struct w_buffer packed = {0};
        struct w_input in = {.fd = memfd_create("packed", 0), .owned = true, .name = "packed"};
        struct w_unpack *u = NULL;
        struct w_err err = {0};
        const u8 *seen = NULL;
        char back[64];
        size_t size = 0, got = 0;
        bool is_all;
        if (k < W_COUNTOF(packers))
            packers[k].pack(&packed, data, sizeof data);
        else
            w_buffer_put(&packed, data, sizeof data);
        assert_int_equal(write(in.fd, packed.at, packed.size), packed.size);
        assert_int_equal(lseek(in.fd, 0, SEEK_SET), 0);
        assert_int_equal(w_unpack_open(&u, &in, 1 + k % 2, &err), W_DONE);
        assert_int_equal(w_unpack_peek(u, &seen, &size, &is_all, &err), W_DONE);
        assert_int_equal(size, sizeof data);
        assert_memory_equal(seen, data, size);
        assert_int_equal(w_unpack_read(u, back, 5, &got, &err), W_DONE);
        assert_int_equal(got, 5);
        assert_int_equal(w_unpack_read(u, back + 5, sizeof back - 5, &got, &err), W_DONE);
        assert_int_equal(got, sizeof data - 5);
        assert_memory_equal(back, data, sizeof data);
        w_unpack_close(&u);
        w_input_close(&in);
        w_buffer_free(&packed);
    }
}

static void other_files_come_as_they_are(void **state)
{
    (void)state;
    static const char *const texts[] = {"<mediawiki>", "B", "BZh", "BZh9 is how bzip2 begins", ""};
    for (size_t i = 0; i < W_COUNTOF(texts); i++) {
        struct w_buffer packed = {0};
        w_buffer_text(&packed, texts[i]);
        assert_same(&packed, texts[i], strlen(texts[i]));
        w_buffer_free(&packed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_stream_comes_back),
        cmocka_unit_test(many_streams_come_back),
        cmocka_unit_test(marks_inside_of_a_block_are_none),
        cmocka_unit_test(what_is_cut_is_not_whole),
        cmocka_unit_test(what_is_changed_is_refused),
        cmocka_unit_test(bytes_after_the_last_stream_are_refused),
        cmocka_unit_test(a_row_of_marks_ends_soon),
        cmocka_unit_test(every_format_comes_back),
        cmocka_unit_test(files_of_a_format_may_follow_each_other),
        cmocka_unit_test(every_cut_is_refused_with_its_place),
        cmocka_unit_test(no_change_passes_for_the_data),
        cmocka_unit_test(bytes_after_the_end_are_refused),
        cmocka_unit_test(zeros_after_gzip_and_xz_are_nothing),
        cmocka_unit_test(a_bomb_takes_no_memory),
        cmocka_unit_test(a_window_that_is_too_large_is_refused),
        cmocka_unit_test(a_dictionary_that_is_too_large_is_refused),
        cmocka_unit_test(a_peek_comes_again),
        cmocka_unit_test(other_files_come_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
