/* body_attend.h - attention of queries to a KV cache. Part of kern_body.h.
 *
 * Of a prompt, queries of consecutive tokens are taken QUERIES at a time, so that a vector of keys
 * or values is loaded once for all of them: for one query alone these loads are the bottleneck.
 * Each has its own sums, added up in the same order as if it were alone, so that its result has the
 * same bits. */

#define QUERIES W_ATTEND_QUERIES
#if LANES == 16
#define SCORE_BLOCKS                                                                               \
    4 /* of keys, and vectors of values, at a time for several queries: as many as */
#define VALUE_VECTORS 4 /* leave their sums in registers */
#else
#define SCORE_BLOCKS 1
#define VALUE_VECTORS 2
#endif

W_INLINE vec load_typed(const enum w_type type, const void *x, u64 i)
{
    return type == W_TYPE_BF16 ? v_load_bf16((const w_bf16 *)x + i) : v_load((const float *)x + i);
}

W_INLINE vec set_typed(const enum w_type type, const void *x, u64 i)
{
    return v_set(type == W_TYPE_BF16 ? w_bf16_to_float(((const w_bf16 *)x)[i])
                                     : ((const float *)x)[i]);
}

/* Scores of some queries for some blocks of keys; those of query r are from scores + r * stride
 * on. */
W_INLINE void score_blocks(const enum w_type type, const u32 queries, const u32 blocks,
                           const struct w_attend *a, u64 first, u64 key, float *scores, u64 stride)
{
    enum { VECTORS = W_ATTEND_BLOCK / LANES };
    const void *q = w_at(a->q, type, first * a->q_row), *keys = w_at(a->keys, type, key * a->size);
    vec sum[QUERIES][4 * VECTORS] = {0};

    for (u64 i = 0; i < a->size; i++) {
        vec k[4 * VECTORS];
#pragma GCC unroll 16
        for (u32 v = 0; v < blocks * VECTORS; v++)
            k[v] = load_typed(type, keys,
                              (v / VECTORS * a->size + i) * W_ATTEND_BLOCK + v % VECTORS * LANES);
#pragma GCC unroll 4
        for (u32 r = 0; r < queries; r++) {
            const vec x = set_typed(type, q, r * a->q_row + i);
#pragma GCC unroll 16
            for (u32 v = 0; v < blocks * VECTORS; v++)
                sum[r][v] = v_fma(x, k[v], sum[r][v]);
        }
    }
#pragma GCC unroll 4
    for (u32 r = 0; r < queries; r++)
#pragma GCC unroll 16
        for (u32 v = 0; v < blocks * VECTORS; v++)
            v_store(scores + r * stride + key + v * LANES, sum[r][v]);
}

/* Sums of values, weighted by the probabilities of some queries, from column `first` on; query r
 * has r values more than `count`. */
W_INLINE void combine_values(const enum w_type type, const u32 queries, const u32 vectors,
                             const struct w_attend *a, u64 count, u64 column, const float *p,
                             u64 stride, float *sums, u64 width)
{
    const void *values = w_at(a->values, type, column);
    vec sum[QUERIES][4] = {0};

    for (u64 t = 0; t < count; t++) {
        vec v[4];
#pragma GCC unroll 4
        for (u32 i = 0; i < vectors; i++)
            v[i] = load_typed(type, values, t * width + i * LANES);
#pragma GCC unroll 4
        for (u32 r = 0; r < queries; r++)
#pragma GCC unroll 4
            for (u32 i = 0; i < vectors; i++)
                sum[r][i] = v_fma(v_set(p[r * stride + t]), v[i], sum[r][i]);
    }
#pragma GCC unroll 4
    for (u32 r = 0; r < queries; r++) {
#pragma GCC unroll 4
        for (u32 t = 0; t < r; t++)
#pragma GCC unroll 4
            for (u32 i = 0; i < vectors; i++)
                sum[r][i] =
                    v_fma(v_set(p[r * stride + count + t]),
                          load_typed(type, values, (count + t) * width + i * LANES), sum[r][i]);
#pragma GCC unroll 4
        for (u32 i = 0; i < vectors; i++)
            v_store(sums + r * width + column + i * LANES, sum[r][i]);
    }
}

/* Queries [first, first + queries). */
W_INLINE void attend_some(const enum w_type type, const u32 queries, const u32 blocks,
                          const u32 vectors, const struct w_attend *a, u64 first)
{
    const u64 width = W_ATTEND_WIDTH(a->size), count = a->count + first;
    const u64 last = count + queries - 1, stride = w_round_up(last, 4 * W_ATTEND_BLOCK);
    float *scores = a->scratch, *sums = scores + queries * stride;
    u64 i = 0;

    for (; i + blocks * W_ATTEND_BLOCK <= last; i += blocks * W_ATTEND_BLOCK)
        score_blocks(type, queries, blocks, a, first, i, scores, stride);
    for (; i < last; i += W_ATTEND_BLOCK)
        score_blocks(type, queries, 1, a, first, i, scores, stride);
    for (u32 r = 0; r < queries; r++)
        softmax(scores + r * stride, a->scale, count + r);
    for (i = 0; i + vectors * LANES <= width; i += vectors * LANES)
        combine_values(type, queries, vectors, a, count, i, scores, stride, sums, width);
    for (; i < width; i += LANES)
        combine_values(type, queries, 1, a, count, i, scores, stride, sums, width);
    for (u32 r = 0; r < queries; r++) {
        void *y = w_at(a->y, type, (first + r) * a->y_row);
        if (type == W_TYPE_BF16)
            to_bf16(y, sums + r * width, a->size);
        else
            memcpy(y, sums + r * width, a->size * sizeof *sums);
    }
}

W_INLINE void attend(const enum w_type type, const struct w_attend *a)
{
    u64 first = 0;

    for (; first + QUERIES <= a->queries; first += QUERIES)
        attend_some(type, QUERIES, SCORE_BLOCKS, VALUE_VECTORS, a, first);
    for (; first < a->queries; first++)
        attend_some(type, 1, 4, 4, a, first);
}

static void attend_fp32(const struct w_attend *a)
{
    attend(W_TYPE_F32, a);
}

static void attend_bf16(const struct w_attend *a)
{
    attend(W_TYPE_BF16, a);
}
