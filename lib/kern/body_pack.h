/* body_pack.h - packing of matrices for the micro-kernel of body_tile.h. Part of kern_body.h.
 *
 * Both operands are packed alike: `width` lines (rows of a, columns of b) are interleaved, so that
 * the micro-kernel reads one word of each line at a time. A word has 32 bits: one float, or two
 * bf16 numbers that are neighbours in k. Lines that are contiguous along k are transposed 4 x 4
 * words at a time; where neighbouring lines are contiguous ("across"), words are copied. */

enum packing {
    PACK_FLOATS, /* floats as they are */
    PACK_WIDE,   /* bf16 converted to fp32 */
    PACK_PAIRS,  /* bf16, two to a word: the one of lower k in the lower half */
};

/* The source: element (i, p) of `count` lines of k at base[i * line + p * step]; one stride is
 * 1. */
struct lines {
    const void *base;
    u64 line, step, k, count;
};

/* k is padded with zeros to a multiple of this: k_unroll of struct w_ukernel. */
#ifndef BF16_STEP
#define BF16_STEP 2
#endif

typedef u32 quad __attribute__((vector_size(16)));
typedef u16 half_quad __attribute__((vector_size(8)));

/* Words of a packed line. */
W_INLINE u64 words_of(const enum packing how, u64 k)
{
    return how == PACK_FLOATS ? k : w_round_up(k, BF16_STEP) / (how == PACK_PAIRS ? 2 : 1);
}

W_INLINE u32 load_bf16(const struct lines *s, u64 i, u64 p)
{
    return p < s->k ? ((const w_bf16 *)s->base)[i * s->line + p * s->step] : 0;
}

W_INLINE u32 load_word(const enum packing how, const struct lines *s, u64 i, u64 q)
{
    u32 word;

    if (how == PACK_PAIRS)
        return load_bf16(s, i, 2 * q) | load_bf16(s, i, 2 * q + 1) << 16;
    if (how == PACK_WIDE)
        return load_bf16(s, i, q) << 16;
    memcpy(&word, (const float *)s->base + i * s->line + q * s->step, sizeof word);
    return word;
}

W_INLINE quad widen_quad(const w_bf16 *p)
{
    half_quad half;
    memcpy(&half, p, sizeof half);
    return __builtin_convertvector(half, quad);
}

/* Words q to q + 3 of a line that is contiguous in k. */
W_INLINE quad load_along(const enum packing how, const struct lines *s, u64 i, u64 q)
{
    const w_bf16 *half = (const w_bf16 *)s->base + i * s->line;
    quad words;

    if (how == PACK_WIDE)
        return widen_quad(half + q) << 16;
    if (how == PACK_PAIRS)
        memcpy(&words, half + 2 * q, sizeof words);
    else
        memcpy(&words, (const float *)s->base + i * s->line + q, sizeof words);
    return words;
}

/* Word q of lines i to i + 3, contiguous across. */
W_INLINE quad load_across(const enum packing how, const struct lines *s, u64 i, u64 q)
{
    const w_bf16 *half = (const w_bf16 *)s->base + i;
    quad words;

    if (how == PACK_WIDE)
        return widen_quad(half + q * s->step) << 16;
    if (how == PACK_PAIRS)
        return widen_quad(half + 2 * q * s->step) | widen_quad(half + (2 * q + 1) * s->step) << 16;
    memcpy(&words, (const float *)s->base + i + q * s->step, sizeof words);
    return words;
}

/* Number p of line i, contiguous across. */
W_INLINE const w_bf16 *half_at(const struct lines *s, u64 i, u64 p)
{
    return (const w_bf16 *)s->base + i + p * s->step;
}

/* Word q of `width` lines from i on, contiguous across, in whole vectors: reads and writes EXCESS
 * words more. */
#define EXCESS(width) (w_round_up(width, LANES) - (width))

W_INLINE void copy_across(const enum packing how, const u32 width, u32 *out, const struct lines *s,
                          u64 i, u64 q)
{
#pragma GCC unroll 8
    for (u32 j = 0; j < width; j += LANES) {
        words_vec words;
        if (how == PACK_FLOATS)
            memcpy(&words, (const float *)s->base + i + q * s->step + j, sizeof words);
        else if (how == PACK_WIDE)
            words = v_widen(half_at(s, i + j, q)) << 16;
        else
            words = v_widen(half_at(s, i + j, 2 * q)) | v_widen(half_at(s, i + j, 2 * q + 1)) << 16;
        memcpy(out + j, &words, sizeof words);
    }
}

/* The same, without the excess. */
W_INLINE void copy_across_exactly(const enum packing how, const u32 width, u32 *out,
                                  const struct lines *s, u64 i, u64 q)
{
    u32 j = 0;
    for (; j + 4 <= width; j += 4) {
        quad words = load_across(how, s, i + j, q);
        memcpy(out + j, &words, sizeof words);
    }
    for (; j < width; j++)
        out[j] = load_word(how, s, i + j, q);
}

/* out[p][i] = in[i][p] */
W_INLINE void transpose_quads(quad out[4], const quad in[4])
{
    quad ab_low = __builtin_shufflevector(in[0], in[1], 0, 4, 1, 5);
    quad ab_high = __builtin_shufflevector(in[0], in[1], 2, 6, 3, 7);
    quad cd_low = __builtin_shufflevector(in[2], in[3], 0, 4, 1, 5);
    quad cd_high = __builtin_shufflevector(in[2], in[3], 2, 6, 3, 7);
    out[0] = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    out[1] = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    out[2] = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    out[3] = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

/* packed[p * width + j] = word q + p of line i + j, for p in [0, 4), j in [0, width). Where width
 * is no multiple of 4, the last store of each p runs over into the words of the next p, which are
 * written later: the packed block needs room for 4 words more. */
W_INLINE void transpose_four(const enum packing how, const u32 width, u32 *packed,
                             const struct lines *s, u64 i, u64 q)
{
    quad out[(TILE_COLS + 3) / 4][4];

#pragma GCC unroll 8
    for (u32 j = 0; j < width; j += 4) {
        quad in[4];
#pragma GCC unroll 4
        for (u32 r = 0; r < 4; r++) /* lines after the last are overwritten: any will do */
            in[r] = load_along(how, s, i + (j + r < width ? j + r : j), q);
        transpose_quads(out[j / 4], in);
    }
#pragma GCC unroll 4
    for (u32 p = 0; p < 4; p++)
#pragma GCC unroll 8
        for (u32 j = 0; j < width; j += 4)
            memcpy(packed + p * width + j, &out[j / 4][p], sizeof(quad));
}

/* Words from q on of the lines from i on, of which there may be fewer than `width`; the others are
 * zero. Four lines and four words at a time while there are as many. */
W_INLINE void pack_rest(const enum packing how, const u32 width, u32 *packed, const struct lines *s,
                        u64 i, u64 q)
{
    const u64 lines = W_MIN(s->count - i, width), words = words_of(how, s->k);
    const u64 full = how == PACK_PAIRS ? s->k / 2 : s->k; /* words without padding */

    for (u64 steps; q < words; q += steps) {
        const bool along = s->line != 1 && q + 4 <= full, across = s->line == 1 && q < full;
        const u64 quads = along || across ? lines / 4 * 4 : 0;
        steps = along ? 4 : 1;
        for (u64 j = 0; j < quads; j += 4) {
            quad in[4], out[4];
            for (u64 r = 0; r < steps; r++)
                in[r] = along ? load_along(how, s, i + j + r, q) : load_across(how, s, i + j, q);
            if (along)
                transpose_quads(out, in);
            for (u64 p = 0; p < steps; p++)
                memcpy(packed + (q + p) * width + j, along ? &out[p] : &in[p], sizeof(quad));
        }
        for (u64 p = q; p < q + steps; p++)
            for (u64 j = quads; j < width; j++)
                packed[p * width + j] = j < lines ? load_word(how, s, i + j, p) : 0;
    }
}

/* Words of a tile that are packed before those of the next tile, from lines that are contiguous
 * across. Rows of the source may be too far apart for the hardware prefetcher, so they are
 * prefetched here; and packed tiles so far apart that writing more at a time would evict lines from
 * the cache. */
#define ACROSS_WORDS 4

/* Words [q, q + ACROSS_WORDS) of the lines from i on, as far as there are `full` ones. */
W_INLINE void pack_across(const enum packing how, const u32 width, u32 *packed,
                          const struct lines *s, u64 i, u64 q, u64 full)
{
    const u64 per_word = how == PACK_PAIRS ? 2 : 1, end = W_MIN(q + ACROSS_WORDS, full);
    const u64 bytes = how == PACK_FLOATS ? sizeof(float) : sizeof(w_bf16);
    const bool room = i + width + EXCESS(width) <= s->count;

    for (; q < end; q++) {
        const u8 *ahead =
            (const u8 *)s->base + (i + (q + ACROSS_WORDS) * per_word * s->step) * bytes;
        for (u64 p = 0; p < per_word; p++)
            __builtin_prefetch(ahead + p * s->step * bytes, 0, 3);
        /* The excess is overwritten by the next word; the last word has none. */
        if (room && (EXCESS(width) == 0 || q + 1 < full))
            copy_across(how, width, packed + q * width, s, i, q);
        else
            copy_across_exactly(how, width, packed + q * width, s, i, q);
    }
}

W_INLINE void pack_lines(const enum packing how, const u32 width, u32 *packed,
                         const struct lines *s)
{
    const u64 words = words_of(how, s->k), full = how == PACK_PAIRS ? s->k / 2 : s->k;
    const u64 whole = s->count / width * width, per_word = how == PACK_PAIRS ? 2 : 1;
    const u64 bytes = how == PACK_FLOATS ? sizeof(float) : sizeof(w_bf16);
    const u64 done = s->line == 1 ? full : full / 4 * 4;

    if (s->line == 1) {
        for (u64 q = 0; q < full; q += ACROSS_WORDS)
            for (u64 i = 0; i < whole; i += width)
                pack_across(how, width, packed + i * words, s, i, q, full);
    } else {
        for (u64 i = 0; i < whole; i += width)
            for (u64 q = 0; q < done; q += 4) {
                for (u64 r = 0; q % 16 == 0 && r < width; r++) /* the next tile's lines */
                    __builtin_prefetch((const u8 *)s->base +
                                           ((i + width + r) * s->line + q * per_word) * bytes,
                                       0, 3);
                transpose_four(how, width, packed + i * words + q * width, s, i, q);
            }
    }
    for (u64 i = 0; i < whole; i += width)
        pack_rest(how, width, packed + i * words, s, i, done);
    if (whole < s->count)
        pack_rest(how, width, packed + whole * words, s, whole, 0);
}
