/* gemm.h - products of large matrices by a team: c = add + a b.
 *
 * The columns of b are packed into panels by the whole team; then the team shares out blocks of c,
 * each of which is finished by one thread, which packs its rows of a or reads them as they lie.
 *
 *     struct w_gemm g = {.m = tokens, .n = out, .k = in,
 *                        .a = x, .a_row = in, .a_col = 1,         // x (tokens, in)
 *                        .b = weight, .b_row = 1, .b_col = in,    // weight (out, in), transposed
 *                        .add = bias,                             // add_row 0: to every row
 *                        .c = y, .c_row = out};
 *     w_gemm(&engine, &g);
 *
 * With .type = W_TYPE_BF16, a and b are bf16 numbers; c is made of floats all the same. A caller that wants
 * something else of the result (bf16, GELU of it, its exponentials) leaves c out and takes the result
 * piece by piece in epilogue(): it never goes to memory as floats. */
#ifndef W_GEMM_H
#define W_GEMM_H

#include "kern/blocks.h"
#include "sys/team.h"

/* What a product needs beside its matrices: who computes, and scratch memory. */
struct w_engine {
    const struct w_kern *kern;
    enum w_type type; /* of the operands that the layers of net/ keep */
    struct w_blocks blocks[W_TYPES];
    struct w_team *team;
    float
        *panels; /* for panels: at least k * n elements, with n rounded up to W_TILE_COLS_MAX and k
                      to W_K_UNROLL_MAX, for a product in one piece; less cuts k, down to one step */
    u64 panel_floats;
    float *
        scratch; /* for each worker of the team, at least W_GEMM_SCRATCH_FLOATS; without products in
                      pieces, W_GEMM_ROWS_FLOATS */
    u64 scratch_floats;
};

/* Columns of c that are finished together, where c is left out: small enough to be in the cache. */
#define W_EPILOGUE_COLS 128

/* The rows of a block of a; and one piece of c. */
#define W_GEMM_ROWS_FLOATS ((u64)W_BLOCK_ROWS_MAX * W_BLOCK_K_MAX + 16)
#define W_GEMM_SCRATCH_FLOATS (W_GEMM_ROWS_FLOATS + (u64)W_BLOCK_ROWS_MAX * W_EPILOGUE_COLS)

/* Rows [row, row + rows) and columns [col, col + cols) of c, complete, and still in the cache. Where
 * w_gemm.c was left out, c is scratch memory that may be written to, cols is at most W_EPILOGUE_COLS, and
 * col is a multiple of it. */
struct w_result_block {
    float *c; /* element (row + i, col + j) at c[i * c_row + j] */
    u64 c_row;
    u64 row, rows, col, cols;
};

struct w_gemm {
    enum w_type type; /* of a and b */
    u64 m, n, k;
    const void *a; /* element (i, p) at a[i * a_row + p * a_col]; one of the strides is 1 */
    u64 a_row, a_col;
    const void *b; /* element (p, j) at b[p * b_row + j * b_col]; one of the strides is 1 */
    u64 b_row, b_col;
    const void *packed; /* b by w_gemm_pack(), or NULL: packed here */
    const float *add;   /* as in w_tile; c itself to accumulate; NULL: zeros */
    u64 add_row;
    float *c; /* NULL: only epilogue() sees the result; b has to be packed then */
    u64 c_row;
    /* Called for every piece of c; or NULL. */
    void (*epilogue)(void *context, const struct w_result_block *);
    void *context;
};

void w_gemm(const struct w_engine *, const struct w_gemm *);

/* Pack b of a w_gemm into W_GEMM_PACKED(k, n) elements of its type, for several products. */
#define W_GEMM_PACKED(k, n) (w_round_up(k, W_K_UNROLL_MAX) * w_round_up(n, W_TILE_COLS_MAX))
void w_gemm_pack(const struct w_engine *, void *packed, const struct w_gemm *);

static inline float *w_engine_scratch(const struct w_engine *engine, u32 worker)
{
    return engine->scratch + worker * engine->scratch_floats;
}

#endif
