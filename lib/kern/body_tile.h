/* body_tile.h - the GEMM micro-kernel, in vectors. Part of kern_body.h.
 *
 * The tile lives in registers: TILE_ROWS x 2 vectors of sums, two vectors of b, one broadcast of a.
 * With 16 registers that is 6 rows, with 32 it is 12. For each number of k it takes 2 loads of b,
 * TILE_ROWS broadcasts from a and 2 TILE_ROWS multiply-adds, so that the multiply-adds are the
 * bottleneck.
 *
 * With bf16 operands, a file that has set BF16_DOT multiplies pairs by one instruction, v_dot().
 * The others pack a in fp32 and convert pairs of b as they load them: a shift and a mask, each for
 * TILE_ROWS multiply-adds, which hide them. Panels of b are the same in both cases. */

#define TILE_COLS (2 * LANES)
#if LANES == 16
#define TILE_ROWS 12
#else
#define TILE_ROWS 6
#endif

#include "kern/body_pack.h"

/* How rows of a are packed from bf16 (see struct w_ukernel). */
#if defined BF16_DOT
#define PACK_ROWS_BF16 PACK_PAIRS
#define BF16_ROW_BYTES 2
#define BF16_READS_ROWS true
#elif defined BF16_TILE_UNIT
#define BF16_ROW_BYTES 2
#define BF16_READS_ROWS true
#define BF16_MEANWHILE true
#define BF16_WHOLE_K W_BLOCK_K_MAX /* to load and store the sums once more costs more */
#else
#define PACK_ROWS_BF16 PACK_WIDE
#define BF16_ROW_BYTES 4
#define BF16_READS_ROWS false
#endif
#if !defined BF16_MEANWHILE
#define BF16_MEANWHILE false
#define BF16_WHOLE_K 0
#endif

/* sum += a b for one number of k. */
W_INLINE void multiply_add(vec sum[TILE_ROWS][2], const float *a, vec b0, vec b1)
{
#pragma GCC unroll 16
    for (u32 i = 0; i < TILE_ROWS; i++) {
        vec x = v_set(a[i]);
        sum[i][0] = v_fma(x, b0, sum[i][0]);
        sum[i][1] = v_fma(x, b1, sum[i][1]);
    }
}

#if defined BF16_DOT
W_INLINE void multiply_add_dot(vec sum[2], const void *a, ivec b0, ivec b1)
{
    i32 pair;
    memcpy(&pair, a, sizeof pair);
    ivec x = pair - (ivec){0};
    sum[0] = v_dot(sum[0], x, b0);
    sum[1] = v_dot(sum[1], x, b1);
}

/* All of k, from unpacked rows. Three rows share a pointer: twelve pointers would not fit in the
 * registers. */
W_INLINE void multiply_add_rows(vec sum[TILE_ROWS][2], u64 k, const w_bf16 *a, u64 a_row,
                                const float *b)
{
    const w_bf16 *three[TILE_ROWS / 3];

#pragma GCC unroll 4
    for (u32 t = 0; t < TILE_ROWS / 3; t++)
        three[t] = a + 3 * t * a_row;
#pragma GCC unroll 2
    for (; k > 0; k -= 2, b += TILE_COLS) {
        ivec b0 = (ivec)v_load(b), b1 = (ivec)v_load(b + LANES);
#pragma GCC unroll 4
        for (u32 t = 0; t < TILE_ROWS / 3; t++) {
#pragma GCC unroll 3
            for (u32 r = 0; r < 3; r++)
                multiply_add_dot(sum[3 * t + r], three[t] + r * a_row, b0, b1);
            three[t] += 2;
            __asm__("" : "+r"(three[t])); /* else the compiler makes twelve pointers */
        }
    }
}
#endif

/* The same for a pair of numbers of k; returns where a goes on. */
W_INLINE const float *multiply_add_pair(vec sum[TILE_ROWS][2], const float *a, const float *b)
{
#if defined BF16_DOT
    ivec b0 = (ivec)v_load(b), b1 = (ivec)v_load(b + LANES);
#pragma GCC unroll 16
    for (u32 i = 0; i < TILE_ROWS; i++)
        multiply_add_dot(sum[i], a + i, b0, b1);
    return a + TILE_ROWS;
#else
    const i32 upper = (i32)0xffff0000;
    multiply_add(sum, a, (vec)((ivec)v_load(b) << 16), (vec)((ivec)v_load(b + LANES) << 16));
    __asm__("" : "+r"(b)); /* load again: no register is left to keep the pairs in */
    multiply_add(sum, a + TILE_ROWS, (vec)((ivec)v_load(b) & upper),
                 (vec)((ivec)v_load(b + LANES) & upper));
    return a + 2 * TILE_ROWS;
#endif
}

/* A whole tile, of operands of either type; a_row as in w_tile. */
W_INLINE void whole_tile(const enum w_type type, u64 k, const void *rows, u64 a_row, const float *b,
                         const float *add, u64 add_row, float *c, u64 c_row)
{
    const float *a = rows;
    vec sum[TILE_ROWS][2];

    (void)a_row; /* 0, except with reads_rows */
#pragma GCC unroll 16
    for (u32 i = 0; i < TILE_ROWS; i++) {
        sum[i][0] = add ? v_load(add + i * add_row) : v_set(0);
        sum[i][1] = add ? v_load(add + i * add_row + LANES) : v_set(0);
    }
    if (type == W_TYPE_F32) {
#pragma GCC unroll 4
        for (; k > 0; k--, a += TILE_ROWS, b += TILE_COLS)
            multiply_add(sum, a, v_load(b), v_load(b + LANES));
#if defined BF16_DOT
    } else if (a_row) {
        multiply_add_rows(sum, k, rows, a_row, b);
#endif
    } else {
#pragma GCC unroll 2
        for (; k > 0; k -= 2, b += TILE_COLS)
            a = multiply_add_pair(sum, a, b);
    }
#pragma GCC unroll 16
    for (u32 i = 0; i < TILE_ROWS; i++) {
        v_store(c + i * c_row, sum[i][0]);
        v_store(c + i * c_row + LANES, sum[i][1]);
    }
}

/* The last rows or columns of a matrix: through a whole tile on the stack. The padding of a and b
 * is zero. */
W_INLINE void edge_tile(const enum w_type type, u64 k, const void *a, u64 a_row, const float *b,
                        const float *add, u64 add_row, float *c, u64 c_row, u64 rows, u64 cols)
{
    float whole[TILE_ROWS * TILE_COLS] = {0};

    for (u64 i = 0; add && i < rows; i++)
        memcpy(whole + i * TILE_COLS, add + i * add_row, cols * sizeof(float));
    whole_tile(type, k, a, a_row, b, whole, TILE_COLS, whole, TILE_COLS);
    for (u64 i = 0; i < rows; i++)
        memcpy(c + i * c_row, whole + i * TILE_COLS, cols * sizeof(float));
}

/* Rows that are read unpacked, at most, while b streams from memory; and those that run() takes so,
 * in two parts, of which the second finds b in a cache. A whole tile and a padded one would take up
 * to 1.5 times the arithmetic. */
#define FEW_ROWS (TILE_ROWS > 8 ? 8 : TILE_ROWS - 1)
#define FEW_ROWS_TWICE (2 * FEW_ROWS)
#define STREAM_AHEAD 2048 /* bytes of b to prefetch; panels follow one another */

/* sums += a b for all of k, in the order of multiply_add() and multiply_add_pair(). */
W_INLINE void stream_rows(const enum w_type type, const u32 rows, vec sum[TILE_ROWS][2], u64 k,
                          const void *a, u64 a_row, const float *b)
{
    const u64 step = type == W_TYPE_F32 ? 1 : 2; /* numbers of k in a row of b */

#pragma GCC unroll 4
    for (u64 p = 0; p < k; p += step, b += TILE_COLS) {
        const vec b0 = v_load(b), b1 = v_load(b + LANES);
        for (u64 line = 0; line < TILE_COLS * sizeof *b; line += 64)
            __builtin_prefetch((const u8 *)b + STREAM_AHEAD + line, 0, 3);
#pragma GCC unroll 8
        for (u32 i = 0; i < rows; i++) {
            const float *floats = (const float *)a + i * a_row + p;
            const w_bf16 *halves = (const w_bf16 *)a + i * a_row + p;
            if (type == W_TYPE_F32) {
                sum[i][0] = v_fma(v_set(*floats), b0, sum[i][0]);
                sum[i][1] = v_fma(v_set(*floats), b1, sum[i][1]);
            } else {
#if defined BF16_DOT
                multiply_add_dot(sum[i], halves, (ivec)b0, (ivec)b1);
#else
                const vec low = v_set(w_bf16_to_float(halves[0]));
                const vec high = v_set(w_bf16_to_float(halves[1]));
                const i32 upper = (i32)0xffff0000;
                sum[i][0] = v_fma(low, (vec)((ivec)b0 << 16), sum[i][0]);
                sum[i][1] = v_fma(low, (vec)((ivec)b1 << 16), sum[i][1]);
                sum[i][0] = v_fma(high, (vec)((ivec)b0 & upper), sum[i][0]);
                sum[i][1] = v_fma(high, (vec)((ivec)b1 & upper), sum[i][1]);
#endif
            }
        }
    }
}

/* Few rows of c, all columns of the tile or some. */
W_INLINE void few_rows(const enum w_type type, const u32 rows, const struct w_tile *t)
{
    vec sum[TILE_ROWS][2];
    float whole[TILE_COLS];
    const bool some = t->cols < TILE_COLS;

#pragma GCC unroll 8
    for (u32 i = 0; i < rows; i++) {
        const float *add = t->add ? t->add + i * t->add_row : NULL;
        if (add && some) {
            memset(whole, 0, sizeof whole);
            memcpy(whole, add, t->cols * sizeof *add);
            add = whole;
        }
        sum[i][0] = add ? v_load(add) : v_set(0);
        sum[i][1] = add ? v_load(add + LANES) : v_set(0);
    }
    stream_rows(type, rows, sum, t->k, t->a, t->a_row, t->b);
#pragma GCC unroll 8
    for (u32 i = 0; i < rows; i++) {
        float *c = some ? whole : t->c + i * t->c_row;
        v_store(c, sum[i][0]);
        v_store(c + LANES, sum[i][1]);
        if (some)
            memcpy(t->c + i * t->c_row, whole, t->cols * sizeof *c);
    }
}

W_INLINE void few_rows_at_once(const enum w_type type, const struct w_tile *t)
{
    switch (t->rows) {
    case 1: few_rows(type, 1, t); break;
    case 2: few_rows(type, 2, t); break;
    case 3: few_rows(type, 3, t); break;
    case 4: few_rows(type, 4, t); break;
    case 5: few_rows(type, 5, t); break;
#if TILE_ROWS > 8
    case 6: few_rows(type, 6, t); break;
    case 7: few_rows(type, 7, t); break;
    case 8: few_rows(type, 8, t); break;
#endif
    }
}

W_INLINE void few(const enum w_type type, const struct w_tile *t)
{
    const u64 half = t->rows <= FEW_ROWS ? t->rows : (t->rows + 1) / 2;
    struct w_tile part = *t;

    for (u64 i = 0; i < t->rows; i += half) {
        part.rows = W_MIN(half, t->rows - i);
        part.a = (const u8 *)t->a + i * t->a_row * w_type_bytes(type);
        part.add = t->add ? t->add + i * t->add_row : NULL;
        part.c = t->c + i * t->c_row;
        few_rows_at_once(type, &part);
    }
}

/* Prefetch what is needed after a tile: the next tile of c, and a share of the next panel of b, all
 * of which is prefetched by the last tile. The hardware predicts neither; with this, the GEMMs of a
 * step take 5 % less time. */
W_INLINE void prefetch(const u32 rows, const float *c, u64 c_row, const u8 *panel, u64 bytes)
{
    for (u32 r = 0; r < rows; r++)
        for (u32 j = 0; j < TILE_COLS; j += 16)
            __builtin_prefetch(c + r * c_row + j, 1, 3);
    for (u64 i = 0; panel && i < bytes; i += 64)
        __builtin_prefetch(panel + i, 0, 2);
}

W_INLINE void tiles(const enum w_type type, const struct w_tile *t)
{
    const u64 row_bytes = t->a_row ? t->a_row * w_type_bytes(type)
                                   : t->k * (type == W_TYPE_BF16 ? BF16_ROW_BYTES : sizeof(float));
    const u64 share = t->k * TILE_COLS * w_type_bytes(type) / w_ceil_div(t->rows, TILE_ROWS);
    const u8 *a = t->a, *next = t->next;

    if (t->a_row && !(type == W_TYPE_BF16 && BF16_READS_ROWS && t->rows % TILE_ROWS == 0)) {
        few(type, t);
        return;
    }
    for (u64 i = 0; i < t->rows; i += TILE_ROWS, a += TILE_ROWS * row_bytes) {
        const float *add = t->add ? t->add + i * t->add_row : NULL;
        float *c = t->c + i * t->c_row;
        u64 rows = W_MIN(t->rows - i, TILE_ROWS);
        prefetch(TILE_ROWS, c + TILE_ROWS * t->c_row, t->c_row, next, share);
        if (rows == TILE_ROWS && t->cols == TILE_COLS)
            whole_tile(type, t->k, a, t->a_row, t->b, add, t->add_row, c, t->c_row);
        else
            edge_tile(type, t->k, a, t->a_row, t->b, add, t->add_row, c, t->c_row, rows, t->cols);
        next = next ? next + share : NULL;
    }
}

static void tile(const struct w_tile *t)
{
    tiles(W_TYPE_F32, t);
}

static void pack_rows(void *packed, const void *a, u64 a_row, u64 a_col, u64 k, u64 rows)
{
    pack_lines(PACK_FLOATS, TILE_ROWS, packed, &(struct lines){a, a_row, a_col, k, rows});
}

static void pack_panel(void *panel, const void *b, u64 b_row, u64 b_col, u64 k, u32 cols)
{
    pack_lines(PACK_FLOATS, TILE_COLS, panel, &(struct lines){b, b_col, b_row, k, cols});
}

static void pack_panel_bf16(void *panel, const void *b, u64 b_row, u64 b_col, u64 k, u32 cols)
{
    pack_lines(PACK_PAIRS, TILE_COLS, panel, &(struct lines){b, b_col, b_row, k, cols});
}

#if !defined BF16_TILE_UNIT
#define BF16_ROWS TILE_ROWS
#define BF16_FEW_ROWS FEW_ROWS_TWICE

static void tile_bf16(const struct w_tile *t)
{
    tiles(W_TYPE_BF16, t);
}

static void pack_rows_bf16(void *packed, const void *a, u64 a_row, u64 a_col, u64 k, u64 rows)
{
    pack_lines(PACK_ROWS_BF16, TILE_ROWS, packed, &(struct lines){a, a_row, a_col, k, rows});
}
#endif
