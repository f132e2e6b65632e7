/* gemm.h - GEMM, the product of large matrices, by a team of threads: c = add + a b.
 *
 * The whole team packs the columns of b into panels; then it shares out blocks of c. Each block is
 * computed by one thread, which packs its rows of a or reads them unpacked.
 *
 *     struct w_gemm g = {.m = tokens, .n = out, .k = in,
 *                        .a = x, .a_row = in, .a_col = 1,         // x (tokens, in)
 *                        .b = weight, .b_row = 1, .b_col = in,    // weight (out, in), transposed
 *                        .add = bias,                             // add_row 0: to every row
 *                        .c = y, .c_row = out};
 *     w_gemm(&engine, &g);
 *
 * With .type = W_TYPE_BF16, a and b are in bf16; the result is in fp32 all the same. A caller that
 * wants another form of it (bf16, its GELU, its exponentials) leaves c NULL and takes the result
 * block by block in epilogue(): in fp32 it never goes to memory. */
#ifndef W_GEMM_H
#define W_GEMM_H

#include "kern/blocks.h"
#include "kern/q8.h"
#include "sys/team.h"

/* What a GEMM needs besides its matrices: kernels, threads, scratch memory. */
struct w_engine {
    const struct w_kern *kern;
    enum w_type type; /* the compute type of the layers of net/; a GEMM has its own */
    struct w_blocks blocks[W_COMPUTE_TYPES];
    const struct w_q8_kern *q8; /* for products of W_TYPE_Q8; NULL: there are none */
    struct w_blocks q8_blocks;
    bool unpack_q8; /* unpack their panels to bf16, for the micro-kernel of that type: only where
                       w_q8_unpacks(), with W_GEMM_UNPACK_FLOATS more of scratch */
    struct w_team *team; /* NULL: the caller alone, with the scratch of worker 0 */
    /* For the panels of b: k * n elements, with n rounded up to W_TILE_COLS_MAX and k to
     * W_K_UNROLL_MAX, hold them all; with less, k is cut into chunks, each of k_unroll at least. */
    float *panels;
    u64 panel_floats;
    /* For each worker of the team: at least W_GEMM_SCRATCH_FLOATS; W_GEMM_ROWS_FLOATS if no GEMM
     * has a NULL c. */
    float *scratch;
    u64 scratch_floats;
};

/* Columns that epilogue() gets at a time where c is NULL: few enough to be in the cache. */
#define W_EPILOGUE_COLS 128

/* One packed block of a; and with it one block of results. */
#define W_GEMM_ROWS_FLOATS ((u64)W_BLOCK_ROWS_MAX * W_BLOCK_K_MAX + 16)
#define W_GEMM_SCRATCH_FLOATS (W_GEMM_ROWS_FLOATS + (u64)W_BLOCK_ROWS_MAX * W_EPILOGUE_COLS)
/* Panels that are unpacked at a time. */
#define W_GEMM_UNPACK_FLOATS ((u64)W_BLOCK_K_MAX * W_EPILOGUE_COLS / 2)

/* Rows [row, row + rows) and columns [col, col + cols) of c, complete, and still in the cache.
 * Where w_gemm.c is NULL, c is scratch memory that may be written to, cols is at most
 * W_EPILOGUE_COLS, and col is a multiple of it. */
struct w_result_block {
    float *c; /* element (row + i, col + j) at c[i * c_row + j] */
    u64 c_row;
    u64 row, rows, col, cols;
};

struct w_gemm {
    enum w_type type; /* of a and b; or W_TYPE_Q8, with a in bf16: see q8.h */
    u64 m, n, k;
    const void *a; /* element (i, p) at a[i * a_row + p * a_col]; one of the strides is 1 */
    u64 a_row, a_col;
    const void *b; /* element (p, j) at b[p * b_row + j * b_col]; one of the strides is 1 */
    u64 b_row, b_col;
    const void *packed; /* b by w_gemm_pack(); NULL: packed in each call */
    const float *add;   /* as in w_tile; c itself to accumulate; NULL: zeros */
    u64 add_row;
    float *c; /* NULL: only epilogue() gets the result; for packed b, and not by a library */
    u64 c_row;
    /* Called once for every complete block of c, by the thread that computed it; or NULL. Blocks
     * begin at multiples of epilogue_rows rows (0: 1) and end there, or with c. */
    void (*epilogue)(void *context, const struct w_result_block *);
    void *context;
    u32 epilogue_rows;
};

/* c and the scratch memory overlap neither a nor b. */
void w_gemm(const struct w_engine *, const struct w_gemm *);

/* Pack b of a w_gemm into W_GEMM_PACKED(k, n) elements of its type (w_panel_bytes()), for several
 * calls. */
#define W_GEMM_PACKED(k, n) (w_round_up(k, W_K_UNROLL_MAX) * w_round_up(n, W_TILE_COLS_MAX))
void w_gemm_pack(const struct w_engine *, void *packed, const struct w_gemm *);

static inline float *w_engine_scratch(const struct w_engine *engine, u32 worker)
{
    return engine->scratch + worker * engine->scratch_floats;
}

#endif
