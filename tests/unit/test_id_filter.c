/* Filter 1 of wstream(5) beside a reader that was written after the page. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "sys/deflate.h"
#include "sys/literals.h"
#include "wire/id_filter.h"

enum { MOST = 60000, GUARD = 0xA5 };

static u32 below(struct w_rng *rng, u64 n)
{
    return (u32)w_rng_below(rng, n);
}

/* What the page says, step by step: ids out of filtered bytes, or false. */
static bool by_the_page(const u8 *in, size_t size, u32 width, u32 count, u32 *ids)
{
    static u32 lists[65536][4];
    const u32 s = in[0], t = in[1];
    u64 bit = 0;
    u32 before = 0;

    memset(lists, 0, sizeof lists);
    const u8 *listed = in + 2, *codes = listed + (size_t)t * width, *lower = codes + count;
    for (u32 i = 0; i < count; before = ids[i++]) {
        u32 *list = lists[before & 0xFFFF], place = 3;
        if (codes[i] < 4) {
            place = codes[i];
            ids[i] = list[place];
        } else if (codes[i] < 4 + t) {
            ids[i] = 0;
            for (u32 k = 0; k < width; k++)
                ids[i] |= (u32)listed[(codes[i] - 4u) * width + k] << 8 * k;
        } else {
            ids[i] = (codes[i] - 4 - t) << s;
            for (u32 k = 0; k < s; k++, bit++)
                ids[i] |= (u32)(lower[bit / 8] >> bit % 8 & 1) << k;
        }
        memmove(list + 1, list, place * sizeof *list);
        list[0] = ids[i];
    }
    return size == (size_t)(lower - in) + (bit + 7) / 8;
}

struct bench {
    struct w_id_filter *both, *undoing, *portable;
    struct w_inflater *inflater;
    u8 *ids, *filtered, *same, *deflated, *inflated, *again;
    u32 width, *read;
};

static void bench_open(struct bench *b, u32 width)
{
    struct w_err err;
    const size_t bound = w_id_filter_bound(width, MOST);

    b->width = width;
    assert_int_equal(w_id_filter_new(&b->both, width, MOST, &err), W_DONE);
    assert_int_equal(w_id_filter_new(&b->undoing, width, 0, &err), W_DONE);
    assert_int_equal(w_id_filter_new(&b->portable, width, MOST, &err), W_DONE);
    w_id_filter_portable(b->portable);
    assert_int_equal(w_inflater_new(&b->inflater, &err), W_DONE);
    b->ids = malloc(MOST * width);
    b->again = malloc(MOST * width);
    b->read = malloc(MOST * sizeof *b->read);
    b->filtered = malloc(bound + 1);
    b->filtered[bound] = GUARD; /* stays */
    b->same = malloc(bound);
    b->inflated = malloc(bound + W_ID_FILTER_SLACK);
    b->deflated = malloc(w_literals_bound(bound, 2));
}

static void bench_close(struct bench *b)
{
    assert_int_equal(b->filtered[w_id_filter_bound(b->width, MOST)], GUARD);
    w_id_filter_free(b->both);
    w_id_filter_free(b->undoing);
    w_id_filter_free(b->portable);
    w_inflater_free(b->inflater);
    free(b->ids);
    free(b->again);
    free(b->read);
    free(b->filtered);
    free(b->same);
    free(b->inflated);
    free(b->deflated);
}

static void set_id(struct bench *b, u32 index, u32 id)
{
    if (b->width == 2)
        w_put16(b->ids + 2 * index, (u16)id);
    else
        w_put32(b->ids + 4 * index, id);
}

/* There and back, by the library and by the page, and the same on every CPU; returns the deflated
 * size, 0 if not filtered. */
static size_t round_trip(struct bench *b, u32 count)
{
    struct w_err err = {0};
    u32 sizes[2] = {0}, sizes_same[2] = {0};
    size_t got = 0, room = w_id_filter_bound(b->width, MOST);
    const size_t size = w_id_filter_apply(b->both, b->ids, count, b->filtered, sizes);

    assert_int_equal(w_id_filter_apply(b->portable, b->ids, count, b->same, sizes_same), size);
    if (!size)
        return 0;
    assert_memory_equal(b->same, b->filtered, size);
    assert_memory_equal(sizes_same, sizes, sizeof sizes);
    assert_true(size <= (size_t)count * b->width && sizes[0] + sizes[1] == size);
    const size_t deflated = w_literals_deflate(b->filtered, sizes, 2, b->deflated);
    assert_true(deflated <= w_literals_bound(size, 2));
    assert_int_equal(
        w_inflate_upto(b->inflater, b->deflated, deflated, b->inflated, room, &got, &err), W_DONE);
    assert_int_equal(got, size);
    assert_memory_equal(b->inflated, b->filtered, size);
    assert_int_equal(w_id_filter_undo(b->undoing, b->inflated, size, b->again, count, &err),
                     W_DONE);
    assert_memory_equal(b->again, b->ids, (size_t)count * b->width);
    assert_true(by_the_page(b->filtered, size, b->width, count, b->read));
    for (u32 i = 0; i < count; i++)
        assert_int_equal(b->read[i],
                         b->width == 2 ? w_get16(b->ids + 2 * i) : w_get32(b->ids + 4 * i));
    return deflated;
}

/* Ids as text has them: few often, many seldom, pairs again and again. */
static u32 text_id(struct w_rng *rng, u32 vocab, u32 before)
{
    const u32 x = below(rng, 1000), range = 1 + below(rng, 1 + below(rng, 1 + below(rng, vocab)));

    return x < 300 ? (before * 7 + x % 3) % vocab : below(rng, range);
}

static void ids_come_back(void **state)
{
    struct w_rng rng = {.seed = 1};

    (void)state;
    for (u32 width = 2; width <= 4; width += 2) {
        static const u32 vocabs[] = {1,    2,     5,     63,    64,     65,     257,
                                     4096, 16000, 50257, 65536, 151936, 1 << 20};
        struct bench b;
        u32 filtered = 0;
        bench_open(&b, width);
        for (u32 round = 0; round < 60; round++) {
            const u32 vocab = vocabs[round % W_COUNTOF(vocabs)];
            const u32 count = 1 + below(&rng, round % 3 ? 300 : MOST);
            u32 id = 0;
            if (width == 2 && vocab > 65536)
                continue;
            for (u32 i = 0; i < count; i++)
                set_id(&b, i, id = text_id(&rng, vocab, id));
            filtered += round_trip(&b, count) > 0;
        }
        assert_true(filtered > 25);
        bench_close(&b);
    }
}

/* They share lists of few ids, which are told apart by the highest and the lowest bits. */
static void ids_that_differ_in_a_bit(void **state)
{
    struct w_rng rng = {.seed = 5};
    struct bench b;

    (void)state;
    for (u32 width = 2; width <= 4; width += 2) {
        bench_open(&b, width);
        for (u32 i = 0; i < MOST; i++)
            set_id(&b, i, below(&rng, 2) << 15 | below(&rng, 2) << 7 | below(&rng, 3));
        assert_in_range(round_trip(&b, MOST), 1, MOST * width / 2);
        bench_close(&b);
    }
}

/* Ids by Zipf's law, three of ten led by the one before; multiples of `spread`. */
static void set_text(struct bench *b, u64 seed, u32 spread)
{
    struct w_rng rng = {.seed = seed};
    u32 id = 0;

    for (u32 i = 0; i < MOST; i++) {
        id = below(&rng, 10) < 3 ? (id * 7 + 1) % 16000 : (u32)pow(16000, w_rng_unit(&rng)) - 1;
        set_id(b, i, id * spread);
    }
}

static void text_gets_smaller(void **state)
{
    struct bench b;

    (void)state;
    for (u32 width = 2; width <= 4; width += 2) {
        bench_open(&b, width);
        set_text(&b, 2, 1);
        assert_in_range(round_trip(&b, MOST), 1, MOST * 2 * 65 / 100);
        set_text(&b, 2, 4); /* in all of 16 bits */
        assert_in_range(round_trip(&b, MOST), 1, MOST * 2 * 75 / 100);
        bench_close(&b);
    }
}

/* The bytes of a frame do not depend on those before it, which other threads may have had. */
static void frames_are_independent(void **state)
{
    struct bench b;
    u32 sizes[2], sizes_again[2];

    (void)state;
    bench_open(&b, 2);
    set_text(&b, 2, 1);
    const size_t size = w_id_filter_apply(b.both, b.ids, MOST, b.filtered, sizes);
    assert_true(size > 0);
    u8 *first = malloc(size);
    assert_non_null(first);
    memcpy(first, b.filtered, size);
    set_text(&b, 3, 4);
    assert_true(round_trip(&b, MOST / 2) > 0);
    set_text(&b, 2, 1);
    assert_int_equal(w_id_filter_apply(b.both, b.ids, MOST, b.filtered, sizes_again), size);
    assert_memory_equal(sizes_again, sizes, sizeof sizes);
    assert_memory_equal(b.filtered, first, size);
    free(first);
    bench_close(&b);
}

/* The example of the page. */
static void page_is_right(void **state)
{
    static const u8 bytes[] = {8, 1, 5, 0, 4, 7, 4, 0, 0, 0xbc, 0, 0, 0, 0, 0, 0, 0, 0};
    static const u32 ids[] = {5, 700, 5, 700, 5};
    struct bench b;
    struct w_err err;

    (void)state;
    bench_open(&b, 2);
    assert_int_equal(w_id_filter_undo(b.undoing, bytes, 10, b.again, 5, &err), W_DONE);
    assert_true(by_the_page(bytes, 10, 2, 5, b.read));
    for (u32 i = 0; i < 5; i++) {
        assert_int_equal(w_get16(b.again + 2 * i), ids[i]);
        assert_int_equal(b.read[i], ids[i]);
    }
    bench_close(&b);
}

static void what_does_not_suit_is_left(void **state)
{
    struct w_rng rng = {.seed = 3};
    struct bench b;
    u32 sizes[2];

    (void)state;
    bench_open(&b, 4);
    for (u32 i = 0; i < 1000; i++)
        set_id(&b, i, 1 << 20); /* an id too large */
    assert_int_equal(w_id_filter_apply(b.both, b.ids, 1000, b.filtered, sizes), 0);
    for (u32 i = 0; i < 1000; i++)
        set_id(&b, i, i % 3); /* and nothing of it is left */
    assert_true(round_trip(&b, 1000) > 0);
    bench_close(&b);
    bench_open(&b, 2);
    for (u32 i = 0; i < MOST; i++)
        set_id(&b, i, below(&rng, 65536)); /* larger than it was, and than the room for it */
    assert_int_equal(w_id_filter_apply(b.both, b.ids, MOST, b.filtered, sizes), 0);
    for (u32 i = 0; i < MOST; i++)
        set_id(&b, i, 65535 - i % 7); /* and nothing of it is left */
    assert_true(round_trip(&b, MOST) > 0);
    bench_close(&b);
}

static void damage_is_refused(void **state)
{
    /* 8 lower bits, one listed id; codes; lower bits of one id. */
    static const u8 right[] = {8, 1, 5, 0, 4, 7, 4, 0, 0, 0xbc};
    static const struct {
        size_t size;
        u32 at, value, count;
    } damages[] = {
        {1, 0, 8, 5},   {0, 0, 8, 5},  {9, 0, 8, 5},     /* too short */
        {10, 1, 0, 5},  {10, 1, 4, 5}, {10, 1, 253, 5},  /* other lists */
        {10, 0, 25, 5}, {10, 0, 0, 5}, {10, 0, 15, 5},   /* other lower bits; 3 << 15 is no u16 */
        {10, 4, 5, 5},  {10, 5, 4, 5}, {11, 10, 0, 5},   /* one more, one less */
        {10, 0, 8, 6},  {10, 0, 8, 4}, {10, 9, 0xff, 5}, /* the last one: with 7 bits */
    };
    struct w_err err;
    struct bench b;

    (void)state;
    bench_open(&b, 2);
    for (size_t i = 0; i < W_COUNTOF(damages); i++) {
        u8 bytes[32] = {0};
        memcpy(bytes, right, sizeof right);
        bytes[damages[i].at] = (u8)damages[i].value;
        if (i + 1 == W_COUNTOF(damages))
            bytes[0] = 7;
        err.text[0] = 0;
        assert_int_equal(
            w_id_filter_undo(b.undoing, bytes, damages[i].size, b.again, damages[i].count, &err),
            W_CORRUPT);
        assert_true(err.text[0]);
    }
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_come_back),     cmocka_unit_test(ids_that_differ_in_a_bit),
        cmocka_unit_test(text_gets_smaller), cmocka_unit_test(frames_are_independent),
        cmocka_unit_test(page_is_right),     cmocka_unit_test(what_does_not_suit_is_left),
        cmocka_unit_test(damage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
