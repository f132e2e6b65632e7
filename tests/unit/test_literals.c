/* Zlib streams of literals: zlib inflates them to the same bytes, and their size beside the optimum
 * and beside zlib's own Huffman codes without matches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <cmocka.h>

#include "base/rng.h"
#include "sys/literals.h"

enum { MOST = 400000, LITERALS = 257, LITERAL_BITS = 14 };

static u8 in[MOST], again[MOST];

/* Deflate parts of `in`, each in memory that ends where it may, and see zlib inflate them; returns
 * the deflated size. */
static size_t round_trip(const u32 *sizes, u32 parts)
{
    size_t size = 0;

    for (u32 i = 0; i < parts; i++)
        size += sizes[i];
    const size_t bound = w_literals_bound(size, parts);
    u8 *out = malloc(bound);
    assert_non_null(out);
    const size_t deflated = w_literals_deflate(in, sizes, parts, out);
    assert_true(deflated <= bound);
    uLongf got = sizeof again;
    uLong used = deflated;
    assert_int_equal(uncompress2(again, &got, out, &used), Z_OK);
    assert_int_equal(used, deflated);
    assert_int_equal(got, size);
    assert_memory_equal(again, in, size);
    free(out);
    return deflated;
}

/* Put count[i] bytes i into `in`, in random order; returns how many they are. */
static u32 fill(const u32 *counts)
{
    struct w_rng rng = {.seed = 1};
    u32 size = 0;

    for (u32 i = 0; i < 256; i++) {
        assert_true(size + counts[i] <= MOST);
        memset(in + size, (int)i, counts[i]);
        size += counts[i];
    }
    for (u32 i = size; i > 1; i--) {
        const u32 other = (u32)w_rng_below(&rng, i);
        const u8 byte = in[i - 1];
        in[i - 1] = in[other];
        in[other] = byte;
    }
    return size;
}

static int by_value(const void *a, const void *b)
{
    const u64 x = *(const u64 *)a, y = *(const u64 *)b;

    return x < y ? -1 : x > y;
}

/* Bits that the bytes and the end of the block take by the best codes of at most LITERAL_BITS:
 * package-merge (L. Larmore and D. Hirschberg, A fast algorithm for optimal length-limited Huffman
 * codes, 1990). Each list has the counts and, in pairs, the sums of the list before; the best codes
 * take as much as the lowest 2 n - 2 of the last one. */
static u64 optimum(const u32 *counts)
{
    u64 list[2 * LITERALS] = {0}, bits = 0;
    u32 listed = 0, used = 1;

    for (u32 i = 0; i < 256; i++)
        used += counts[i] > 0;
    for (u32 length = 0; length < LITERAL_BITS; length++) {
        u64 next[2 * LITERALS];
        u32 made = 0;
        for (u32 i = 0; i < 256; i++)
            if (counts[i])
                next[made++] = counts[i];
        next[made++] = 1;
        for (u32 i = 0; i + 1 < listed; i += 2)
            next[made++] = list[i] + list[i + 1];
        qsort(next, made, sizeof *next, by_value);
        memcpy(list, next, made * sizeof *list);
        listed = made;
    }
    for (u32 i = 0; i < 2 * used - 2; i++)
        bits += list[i];
    return bits;
}

/* The size that zlib gives without matches. */
static size_t by_zlib(size_t size)
{
    static u8 out[2 * MOST];
    z_stream z = {.next_in = in, .avail_in = (uInt)size, .next_out = out, .avail_out = sizeof out};

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15, 9, Z_HUFFMAN_ONLY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    const size_t deflated = z.total_out;
    deflateEnd(&z);
    return deflated;
}

/* Of `symbols` different bytes the first one occurs `most` times, each next one `factor` times as
 * often; and all of them once more. */
static void any_distribution_inflates(void **state)
{
    static const struct {
        u32 symbols;
        double most, factor;
    } distributions[] = {
        {1, 30000, 1},      {2, 30000, 0},  {256, 100, 1},
        {25, 75000, 0.618}, /* the rarest would have a code of 24 bits */
        {16, 990, 0.618},   {60, 900, 0.9}, {256, 3000, 0.98},
        {256, 64000, 0.81}, /* most occur once: Huffman's codes of them take up to 19 bits */
    };

    (void)state;
    for (u32 d = 0; d < W_COUNTOF(distributions); d++) {
        u32 counts[256] = {0};
        double count = distributions[d].most;
        for (u32 i = 0; i < distributions[d].symbols; i++, count *= distributions[d].factor)
            counts[i * 37 % 256] = (u32)count + 1;
        const u32 size = fill(counts);
        const size_t deflated = round_trip(&size, 1);
        /* The heads, at most 320 code lengths of at most 7 bits, and the checksum. */
        const u64 best = W_MIN(optimum(counts), 8ull * size);
        assert_true(deflated <= best / 8 + best / 8000 + 320);
        /* Which zlib makes one block of; more blocks would have codes of their own. */
        if (size < 32767)
            assert_true(deflated <= by_zlib(size) * 1001 / 1000);
    }
}

/* What codes would save: less than 0.9 hundredths, and it is stored; more than 1.1, and it is
 * coded. */
static void what_saves_little_is_stored(void **state)
{
    u32 counts[256], stored = 0, coded = 0;

    (void)state;
    for (u32 zeros = 2000; zeros < 40000; zeros += 2000) {
        for (u32 i = 0; i < 256; i++)
            counts[i] = 1000;
        counts[0] = zeros;
        const u32 size = fill(counts);
        const double share = (double)optimum(counts) / 8 / size;
        const size_t deflated = round_trip(&size, 1);
        stored += share > 0.991 && share < 0.999 && deflated > size;
        coded += share < 0.989 && deflated < size * 0.99;
        assert_true(share > 0.991 ? deflated > size : share > 0.989 || deflated < size);
    }
    assert_true(stored > 0 && coded > 0);
}

/* Of a long part some groups of eight bytes are counted. Bytes that repeat with a period are seen
 * as they are, but for the one that is the distance of the groups; a part whose groups are unlike
 * the rest is stored. */
static void sample_does_not_deceive(void **state)
{
    const u32 size = MOST, stored = size + 5 * (size / 65535 + 1) + 6;
    u32 deceived = 0;

    (void)state;
    for (u32 period = 10; period <= 64; period++) {
        struct w_rng rng = {.seed = period};
        u32 counts[256] = {0};
        for (u32 i = 0; i < size; i++)
            counts[in[i] = (u8)w_rng_below(&rng, i % period < 8 ? 256 : 16)]++;
        deceived += round_trip(&size, 1) > optimum(counts) / 8 * 101 / 100;
        for (u32 i = 0; i < size; i++)
            in[i] = (u8)(w_rng_u64(&rng) & (i % period < 8 ? 15 : 255));
        assert_true(round_trip(&size, 1) <= stored);
    }
    assert_int_equal(deceived, 1);
}

/* Sizes from 0 on; one part, several, empty ones; bytes that are coded, and that are stored. */
static void any_parts_inflate(void **state)
{
    struct w_rng rng = {.seed = 4};

    (void)state;
    for (u32 round = 0; round < 200; round++) {
        const u32 size = round < 40 ? round / 2 : (u32)w_rng_below(&rng, 200000);
        const u32 first = round % 3 ? size : (u32)w_rng_below(&rng, size + 1);
        const u32 sizes[] = {first, 0, size - first};
        const u32 range = 1 + (u32)w_rng_below(&rng, 256);
        for (u32 i = 0; i < size; i++) {
            const u32 skewed = (u32)__builtin_ctzll(w_rng_u64(&rng) | 1ull << 63);
            in[i] = (u8)(round % 2 ? w_rng_below(&rng, range) : skewed * (range | 1));
        }
        const size_t deflated = round_trip(sizes, 3);
        if (round % 3) /* the empty parts after it take nothing */
            assert_int_equal(round_trip(&size, 1), deflated);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_distribution_inflates),
        cmocka_unit_test(what_saves_little_is_stored),
        cmocka_unit_test(sample_does_not_deceive),
        cmocka_unit_test(any_parts_inflate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
