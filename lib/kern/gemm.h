/* gemm.h - products of large matrices by a team: c = add + a b.
 *
 * The columns of b are packed into panels by the whole team; then the team shares out blocks of c,
 * each of which is finished by one thread, which packs its rows of a.
 *
 *     struct w_gemm g = {.m = tokens, .n = out, .k = in,
 *                        .a = x, .a_row = in, .a_col = 1,         // x (tokens, in)
 *                        .b = weight, .b_row = 1, .b_col = in,    // weight (out, in), transposed
 *                        .add = bias,                             // add_row 0: to every row
 *                        .c = y, .c_row = out};
 *     w_gemm(&engine, &g);
 */
#ifndef W_GEMM_H
#define W_GEMM_H

#include "kern/blocks.h"
#include "sys/team.h"

/* What a product needs beside its matrices: who computes, and scratch memory. */
struct w_engine {
    const struct w_kern *kern;
    struct w_blocks blocks;
    struct w_team *team;
    float *shared; /* for panels: at least k * n rounded up to W_TILE_COLS_MAX for a product in one
                      piece; less cuts k, down to one row */
    u64 shared_floats;
    float *member; /* for each member of the team, at least W_GEMM_MEMBER_FLOATS */
    u64 member_floats;
};

#define W_GEMM_MEMBER_FLOATS ((u64)W_BLOCK_ROWS_MAX * W_BLOCK_K_MAX + 16)

struct w_gemm {
    u64 m, n, k;
    const float *a; /* element (i, p) at a[i * a_row + p * a_col]; one of the strides is 1 */
    u64 a_row, a_col;
    const float *b; /* element (p, j) at b[p * b_row + j * b_col]; one of the strides is 1 */
    u64 b_row, b_col;
    const float *packed; /* b by w_gemm_pack(), or NULL: packed here */
    const float *add;    /* as in w_tile; c itself to accumulate; NULL: zeros */
    u64 add_row;
    float *c;
    u64 c_row;
    /* Called for every piece of c when it is complete, and still in the cache; or NULL. */
    void (*finish)(void *context, u64 row, u64 rows, u64 col, u64 cols);
    void *context;
};

void w_gemm(const struct w_engine *, const struct w_gemm *);

/* Pack b of a w_gemm into W_GEMM_PACKED_FLOATS(k, n) floats, for several products. */
#define W_GEMM_PACKED_FLOATS(k, n) ((k)*w_round_up(n, W_TILE_COLS_MAX))
void w_gemm_pack(const struct w_engine *, float *packed, const struct w_gemm *);

static inline float *w_engine_member(const struct w_engine *engine, u32 member)
{
    return engine->member + member * engine->member_floats;
}

#endif
