/* One dynamic block of DEFLATE (RFC 1951, 3.2.7) and stored ones (3.2.4).
 *
 * Codes are those of Huffman's algorithm by two queues (J. van Leeuwen, On the construction of
 * Huffman trees, 1976). Where one gets too long, the lowest counts are raised to a least one, which
 * grows until none is; the frequent symbols keep theirs. Package-merge finds the best codes
 * (test_literals has it); these are within 0.001 % of it on text's ids, and 0.4 % is the most that
 * was found on made counts.
 *
 * Of long parts a sample is counted, and every byte gets a code: text's ids take 0.03 % more than
 * by all their counts, in 1 ms instead of 10 for 24 M ids. The loops over bytes are unrolled, which
 * -O2 does not do by itself. */
#include "sys/literals.h"

#include <stdlib.h>
#include <string.h>

#include "sys/deflate.h"

enum {
    LITERALS = 257, /* 256 bytes and the end of the block */
    END_OF_BLOCK = 256,
    LITERAL_BITS = 14, /* of the longest code: four of them fit into 64 bits beside 7 that wait */
    RUNS = 19,         /* symbols in which code lengths are written */
    RUN_BITS = 7,
    SAMPLE = 1 << 16, /* bytes of a part that are counted, at least */
    PIECE = 4096,     /* bytes that are coded before the size is looked at */
    STORED_MOST = 65535,
};

struct code {
    u16 bits; /* as they go out: the first one lowest */
    u16 length;
};

/* ---- codes ---- */

static int by_count(const void *a, const void *b)
{
    const u64 x = *(const u64 *)a, y = *(const u64 *)b;

    return x < y ? -1 : x > y;
}

/* Huffman's code lengths; returns the longest. Symbols with a count of 0 get 0; at least two have
 * another. */
static u32 huffman(const u32 *counts, u32 symbols, u16 *lengths)
{
    u64 leaves[LITERALS], weights[LITERALS]; /* of leaves and of inner nodes, rising */
    u16 parents[2 * LITERALS];               /* of leaves, then of inner nodes */
    u32 depths[LITERALS], used = 0, leaf = 0, inner = 0, longest = 0;

    for (u32 i = 0; i < symbols; i++)
        if (counts[i])
            leaves[used++] = (u64)counts[i] << 16 | i;
    qsort(leaves, used, sizeof *leaves, by_count);
    for (u32 made = 0; made + 1 < used; made++) {
        weights[made] = 0;
        for (u32 k = 0; k < 2; k++) {
            const bool is_leaf =
                leaf < used && (inner == made || leaves[leaf] >> 16 <= weights[inner]);
            weights[made] += is_leaf ? leaves[leaf] >> 16 : weights[inner];
            parents[is_leaf ? leaf++ : LITERALS + inner++] = (u16)made;
        }
    }
    depths[used - 2] = 0;
    for (u32 i = used - 2; i-- > 0;)
        depths[i] = depths[parents[LITERALS + i]] + 1;
    memset(lengths, 0, symbols * sizeof *lengths);
    for (u32 i = 0; i < used; i++) {
        const u32 length = depths[parents[i]] + 1;
        lengths[leaves[i] & 0xFFFF] = (u16)length;
        longest = W_MAX(longest, length);
    }
    return longest;
}

/* Canonical codes (RFC 1951, 3.2.2) of at most `limit` bits. Changes the counts. */
static void make_codes(u32 *counts, u32 symbols, u32 limit, struct code *codes)
{
    u16 lengths[LITERALS];
    u32 next = 0;

    for (u32 least = 1; huffman(counts, symbols, lengths) > limit; least += least / 4 + 1)
        for (u32 i = 0; i < symbols; i++) /* ends with equal counts, at the latest */
            if (counts[i])
                counts[i] = W_MAX(counts[i], least);
    for (u32 i = 0; i < symbols; i++)
        codes[i] = (struct code){0, lengths[i]};
    for (u32 length = 1; length <= limit; length++, next <<= 1)
        for (u32 i = 0; i < symbols; i++) {
            if (lengths[i] != length)
                continue;
            for (u32 bit = 0; bit < length; bit++)
                codes[i].bits |= (u16)((next >> bit & 1) << (length - 1 - bit));
            next++;
        }
}

/* Count the bytes of a part: all, or eight at evenly spaced places and each byte once more. Returns
 * the sum. */
static u64 count_bytes(const u8 *in, size_t size, u32 counts[LITERALS])
{
    const size_t share = W_MAX(size / SAMPLE, (size_t)1);
    /* odd: no period of the data hides from it */
    const size_t distance = share > 1 ? 8 * share + 1 : 8;
    u32 part[4][256] = {0}; /* four tables: equal neighbours do not wait for each other */
    size_t i = 0;
    u64 sum = 0;

    for (; i + 8 <= size; i += distance)
#pragma GCC unroll 8
        for (u32 k = 0; k < 8; k++)
            part[k % 4][in[i + k]]++;
    for (; i < size; i++)
        part[0][in[i]]++;
    for (u32 b = 0; b < 256; b++) {
        counts[b] = part[0][b] + part[1][b] + part[2][b] + part[3][b] + (share > 1);
        sum += counts[b];
    }
    counts[END_OF_BLOCK] = 1;
    return sum;
}

/* ---- bits ---- */

struct bits {
    u8 *out;
    u64 waiting; /* bits that have not gone out, from the lowest */
    u32 count;   /* below 8 after flush() */
};

static inline void put(struct bits *b, u64 value, u32 count)
{
    b->waiting |= value << b->count;
    b->count += count;
}

/* Writes 8 bytes, of which the whole ones count. */
static inline void flush(struct bits *b)
{
    w_put64(b->out, b->waiting);
    b->out += b->count / 8;
    b->waiting >>= b->count & ~7u;
    b->count %= 8;
}

/* ---- blocks ---- */

/* The code lengths of literals and of the one distance, which is not used, as runs: symbols with
 * their extra bits above bit 8. Returns how many. */
static u32 make_runs(const struct code *codes, u16 *runs)
{
    u32 made = 0, length;

    for (u32 i = 0, run; i <= LITERALS; i += run) {
        length = i < LITERALS ? codes[i].length : 0;
        for (run = 1; i + run <= LITERALS && run < 138; run++)
            if ((i + run < LITERALS ? codes[i + run].length : 0) != length)
                break;
        if (length == 0 && run >= 11) {
            runs[made++] = (u16)(18 | (run - 11) << 8);
        } else if (length == 0 && run >= 3) {
            runs[made++] = (u16)(17 | (run - 3) << 8);
        } else if (run >= 4) { /* the length, then "as before" 3 to 6 times */
            run = W_MIN(run, 7u);
            runs[made++] = (u16)length;
            runs[made++] = (u16)(16 | (run - 4) << 8);
        } else {
            run = 1;
            runs[made++] = (u16)length;
        }
    }
    return made;
}

static void put_code_lengths(struct bits *b, const struct code *codes)
{
    static const u8 order[RUNS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                   11, 4,  12, 3, 13, 2, 14, 1, 15};
    static const u8 extra[RUNS] = {[16] = 2, [17] = 3, [18] = 7};
    u16 runs[LITERALS + 1];
    const u32 count = make_runs(codes, runs);
    u32 counts[RUNS] = {0}, listed = RUNS;
    struct code run_codes[RUNS];

    for (u32 i = 0; i < count; i++)
        counts[runs[i] & 0xFF]++;
    make_codes(counts, RUNS, RUN_BITS, run_codes);
    while (listed > 4 && run_codes[order[listed - 1]].length == 0)
        listed--;
    put(b, LITERALS - 257, 5);
    put(b, 0, 5); /* one distance code, of no bits: there are no matches */
    put(b, listed - 4, 4);
    flush(b);
    for (u32 i = 0; i < listed; i++) {
        put(b, run_codes[order[i]].length, 3);
        flush(b);
    }
    for (u32 i = 0; i < count; i++) {
        const u32 symbol = runs[i] & 0xFF;
        put(b, run_codes[symbol].bits, run_codes[symbol].length);
        put(b, runs[i] >> 8, extra[symbol]);
        flush(b);
    }
}

/* The codes of bytes, four at a time, which are put together before they wait for those before. The
 * copy of the bits can stay in registers: for all the compiler knows, what is written to to->out
 * changes *to. */
static inline __attribute__((always_inline)) void put_bytes_by(struct bits *to, const u8 *in,
                                                               size_t size,
                                                               const struct code *codes)
{
    struct bits b = *to;
    size_t i = 0;

    for (; i + 4 <= size; i += 4) {
        const struct code *c0 = &codes[in[i]], *c1 = &codes[in[i + 1]];
        const struct code *c2 = &codes[in[i + 2]], *c3 = &codes[in[i + 3]];
        const u32 low_length = c0->length + c1->length, high_length = c2->length + c3->length;
        const u64 low = c0->bits | (u64)c1->bits << c0->length;
        const u64 high = c2->bits | (u64)c3->bits << c2->length;
        put(&b, low | high << low_length, low_length + high_length);
        flush(&b);
    }
    for (; i < size; i++, flush(&b))
        put(&b, codes[in[i]].bits, codes[in[i]].length);
    *to = b;
}

#if defined __x86_64__
/* BMI2 shifts by any register in one step instead of three. */
__attribute__((target("bmi2"))) static void put_bytes_bmi2(struct bits *to, const u8 *in,
                                                           size_t size, const struct code *codes)
{
    put_bytes_by(to, in, size, codes);
}
#endif

static void put_bytes(struct bits *to, const u8 *in, size_t size, const struct code *codes)
{
#if defined __x86_64__
    if (__builtin_cpu_supports("bmi2")) {
        put_bytes_bmi2(to, in, size, codes);
        return;
    }
#endif
    put_bytes_by(to, in, size, codes);
}

/* Put a part as codes, unless these take more bytes than the part has; returns whether they do
 * not. */
static bool put_coded(struct bits *b, const u8 *in, size_t size, const struct code *codes,
                      bool last)
{
    const u8 *const limit = b->out + size;

    put(b, last | 2u << 1, 3);
    put_code_lengths(b, codes);
    for (size_t i = 0; i < size && b->out < limit; i += PIECE)
        put_bytes(b, in + i, W_MIN(size - i, (size_t)PIECE), codes);
    put(b, codes[END_OF_BLOCK].bits, codes[END_OF_BLOCK].length);
    flush(b);
    return b->out < limit;
}

static void put_stored(struct bits *b, const u8 *in, size_t size, bool last)
{
    do {
        const u32 part = (u32)W_MIN(size, (size_t)STORED_MOST);
        put(b, last && part == size, 3);
        put(b, 0, -b->count & 7); /* to the end of the byte */
        put(b, part | (u64)(part ^ 0xFFFF) << 16, 32);
        flush(b);
        memcpy(b->out, in, part);
        b->out += part;
        in += part, size -= part;
    } while (size > 0);
}

/* Put a part as codes: false, and nothing is put, if that saves less than a hundredth: what is
 * stored is read faster. */
static bool try_codes(struct bits *b, const u8 *in, size_t size, bool last)
{
    const struct bits before = *b;
    u32 counts[LITERALS], changed[LITERALS];
    struct code codes[LITERALS];
    u64 bits = 0;

    if (size == 0)
        return false;
    const u64 counted = count_bytes(in, size, counts);
    memcpy(changed, counts, sizeof changed);
    make_codes(changed, LITERALS, LITERAL_BITS, codes);
    for (u32 i = 0; i < LITERALS; i++)
        bits += (u64)counts[i] * codes[i].length;
    if (bits + bits / 100 >= 8 * counted)
        return false;
    if (put_coded(b, in, size, codes, last))
        return true;
    *b = before; /* the code lengths took too much, or the sample was of other bytes */
    return false;
}

size_t w_literals_bound(size_t size, u32 parts)
{
    /* and a trial that was too long, by a PIECE */
    return size + 5 * (size / STORED_MOST + parts + 1) + 1024 + PIECE * LITERAL_BITS / 8;
}

size_t w_literals_deflate(const u8 *in, const u32 *sizes, u32 parts, u8 *out)
{
    struct bits b = {.out = out};
    const u8 *at = in;

    while (parts > 1 && sizes[parts - 1] == 0)
        parts--;
    put(&b, 0x0178, 16); /* deflate, a window of 32 KiB, the fastest level */
    flush(&b);
    for (u32 i = 0; i < parts; at += sizes[i++]) {
        const bool last = i + 1 == parts;
        if ((sizes[i] || last) && !try_codes(&b, at, sizes[i], last))
            put_stored(&b, at, sizes[i], last);
    }
    put(&b, 0, -b.count & 7);
    flush(&b);
    const u32 adler = w_adler32(in, (size_t)(at - in));
    for (u32 i = 0; i < 4; i++)
        b.out[i] = (u8)(adler >> (24 - 8 * i));
    return (size_t)(b.out + 4 - out);
}
