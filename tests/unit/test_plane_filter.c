/* Filter 2 of wstream(5): records of several columns, through the filter and through a stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/rng.h"
#include "tests/unit/stream_fixture.h"
#include "wire/frame.h"
#include "wire/plane_filter.h"

/* Columns of a token, or of a batch of 2 x 3. */
static void header_of(struct w_header *h, enum w_kind kind)
{
    static const u64 five[] = {5}, ids[] = {2, 3}, many[] = {2, 3, 5}, wide[] = {2, 65};
    struct w_err err = {0};

    assert_int_equal(w_header_begin(h, kind, "test 1", &err), W_DONE);
    if (kind == W_TOKENS) {
        assert_int_equal(w_header_add(h, "tok", W_TYPE_U16, 0, NULL, &err), W_DONE);
        assert_int_equal(w_header_add(h, "lp", W_TYPE_F32, 0, NULL, &err), W_DONE);
        assert_int_equal(w_header_add(h, "ctx", W_TYPE_U8, 1, five, &err), W_DONE);
    } else {
        assert_int_equal(w_header_add(h, "lp", W_TYPE_F32, 2, ids, &err), W_DONE);
        assert_int_equal(w_header_add(h, "x", W_TYPE_U16, 2, ids, &err), W_DONE);
        assert_int_equal(w_header_add(h, "ctx", W_TYPE_U8, 3, many, &err), W_DONE);
        assert_int_equal(w_header_add(h, "other", W_TYPE_U8, 2, wide, &err), W_DONE);
    }
}

static void planes_are_those_of_the_page(void **state)
{
    /* Two tokens of 11 bytes; two batches, of which only the columns' first items are looked at. */
    static const u8 tokens[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    static const u8 planes[] = {1,  21, 2,  22, 3,  23, 4,  24, 5,  25, 6,
                                26, 7,  27, 8,  28, 9,  29, 10, 30, 11, 31};
    u8 out[sizeof tokens], again[sizeof tokens];
    u32 sizes[W_PLANES_MAX];
    struct w_header h;

    (void)state;
    header_of(&h, W_TOKENS);
    assert_true(w_planes_suit(&h));
    assert_int_equal(h.record_bytes, 11);
    assert_int_equal(w_planes_split(&h, tokens, 2, out, sizes), 11);
    assert_memory_equal(out, planes, sizeof planes);
    for (u32 i = 0; i < 11; i++)
        assert_int_equal(sizes[i], 2);
    w_planes_join(&h, planes, 2, again);
    assert_memory_equal(again, tokens, sizeof tokens);
    w_header_free(&h);

    u8 batches[2 * (24 + 12 + 30 + 130)], split[sizeof batches], joined[sizeof batches];
    for (size_t i = 0; i < sizeof batches; i++)
        batches[i] = (u8)(i * 7 + i / 256);
    header_of(&h, W_BATCH);
    assert_int_equal(h.record_bytes, sizeof batches / 2);
    /* 4 of floats, 2 of ids, 5 of lists of five, 1 of lists that are too long */
    assert_int_equal(w_planes_split(&h, batches, 2, split, sizes), 12);
    for (u32 k = 0; k < 4; k++)
        for (u32 i = 0; i < 12; i++)
            assert_int_equal(split[k * 12 + i], batches[i / 6 * h.record_bytes + i % 6 * 4 + k]);
    for (u32 k = 0; k < 5; k++)
        for (u32 i = 0; i < 12; i++)
            assert_int_equal(split[72 + k * 12 + i],
                             batches[i / 6 * h.record_bytes + 36 + i % 6 * 5 + k]);
    assert_memory_equal(split + 132, batches + 66, 130);
    assert_memory_equal(split + 262, batches + h.record_bytes + 66, 130);
    assert_int_equal(sizes[11], 260);
    w_planes_join(&h, split, 2, joined);
    assert_memory_equal(joined, batches, sizeof batches);
    w_header_free(&h);
}

static void only_several_columns_are_planes(void **state)
{
    struct w_header h;

    (void)state;
    for (enum w_kind kind = W_TOKENS; kind <= W_TENSORS; kind++) {
        make_header(&h, kind, 100);
        assert_false(w_planes_suit(&h));
        assert_int_equal(w_header_only_ids(&h), kind == W_TENSORS ? 0 : 2);
        w_header_free(&h);
    }
    header_of(&h, W_TOKENS);
    assert_int_equal(w_header_only_ids(&h), 0);
    w_header_free(&h);
}

static void see_frame(void *context, u64 offset, const struct w_frame *frame)
{
    u32 *filters = context;

    (void)offset;
    if (frame->type == W_FRAME_DATA)
        filters[frame->filter]++;
}

static void columns_come_back_smaller(void **state)
{
    enum { RECORDS = 3001 };

    (void)state;
    for (enum w_kind kind = W_TOKENS; kind <= W_BATCH; kind++)
        for (u32 threads = 1; threads <= 3; threads++) {
            const struct w_write_options options = {
                .level = 1, .threads = threads, .frame_bytes = 50000};
            struct w_rng rng = {.seed = 5};
            struct w_header h;
            struct w_writer *w;
            struct w_reader *r;
            struct fixture f;
            const struct w_header *read;
            u32 filters[W_FILTERS] = {0};
            fixture_open(&f);
            header_of(&h, kind);
            const size_t size = RECORDS * h.record_bytes;
            u8 *records = calloc(1, size), *got = malloc(size);
            for (size_t i = 0; i < size; i++) /* half of the bytes say nothing */
                records[i] = i % h.record_bytes % 2 ? 7 : (u8)w_rng_below(&rng, 256);
            assert_int_equal(w_writer_open(&w, &f.out, &h, &options, &f.err), W_DONE);
            assert_int_equal(w_writer_records(w, records, RECORDS, &f.err), W_DONE);
            assert_int_equal(w_writer_close(&w, NULL, &f.err), W_DONE);
            assert_in_range(f.out.bytes, 1, size * 7 / 10);
            reader_of(&f, &r);
            w_reader_on_frame(r, see_frame, filters);
            assert_int_equal(w_reader_member(r, &read, &f.err), W_DONE);
            assert_int_equal(w_reader_exactly(r, got, RECORDS, &f.err), W_DONE);
            assert_memory_equal(got, records, size);
            assert_int_equal(w_reader_seek(r, 1234, &f.err), W_DONE);
            assert_int_equal(w_reader_exactly(r, got, 1, &f.err), W_DONE);
            assert_memory_equal(got, records + 1234 * h.record_bytes, h.record_bytes);
            assert_true(filters[W_FILTER_PLANES] > 0 && !filters[W_FILTER_NONE]);
            w_reader_close(&r);
            w_header_free(&h);
            fixture_free(&f);
            free(records);
            free(got);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planes_are_those_of_the_page),
        cmocka_unit_test(only_several_columns_are_planes),
        cmocka_unit_test(columns_come_back_smaller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
