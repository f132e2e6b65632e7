/* product_checks.h - GEMM by a variant against sums in double precision, for the tests of the
 * variants that run here and of those whose instruction is replaced by a model of it.
 *
 * A product of k terms may be off by one rounding of 2^-24 for each term, relative to the sum of
 * the terms' magnitudes: that is for the accumulation alone. Products of bf16 numbers are exact in
 * fp32, so that the same holds for them. */
#ifndef W_PRODUCT_CHECKS_H
#define W_PRODUCT_CHECKS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "kern/gemm.h"

#define PRODUCT_ULP 0x1p-24    /* half a unit in the last place of a number near 1 */
#define PRODUCT_GUARD 12345.0f /* after the end of c */

struct product {
    u64 m, n, k;
    bool a_transposed, b_transposed;
    int add; /* 0: nothing, 1: a row, 2: c itself */
    enum w_type type;
    bool without_c; /* b is packed beforehand, and only epilogue() gets the result */
};

/* Operands in fp32, and in the product's type. */
struct matrices {
    float *a, *b, *row, *c;
    void *a_typed, *b_typed;
};

static inline void *typed_copy(enum w_type type, float *x, u64 n)
{
    if (type == W_TYPE_F32)
        return memcpy(malloc((n + 1) * sizeof *x), x, n * sizeof *x);
    w_bf16 *y = malloc((n + 1) * sizeof *y);
    for (u64 i = 0; i < n; i++) {
        y[i] = w_bf16_of(x[i]);
        x[i] = w_bf16_to_float(y[i]);
    }
    return y;
}

static inline float *random_floats(struct w_rng *rng, u64 n)
{
    float *x = malloc((n + 1) * sizeof *x);
    for (u64 i = 0; i < n; i++)
        x[i] = (float)w_rng_normal(rng);
    return x;
}

static inline struct matrices random_matrices(const struct product *p)
{
    struct w_rng rng = {.seed = p->m * 1000003 + p->n * 1009 + p->k};
    struct matrices x = {.a = random_floats(&rng, p->m * p->k),
                         .b = random_floats(&rng, p->k * p->n),
                         .row = random_floats(&rng, p->n),
                         .c = random_floats(&rng, p->m * p->n)};
    x.a_typed = typed_copy(p->type, x.a, p->m * p->k);
    x.b_typed = typed_copy(p->type, x.b, p->k * p->n);
    x.c[p->m * p->n] = PRODUCT_GUARD;
    return x;
}

static inline void free_matrices(struct matrices *x)
{
    free(x->a);
    free(x->b);
    free(x->row);
    free(x->c);
    free(x->a_typed);
    free(x->b_typed);
}

static inline struct w_gemm gemm_of(const struct product *p, const struct matrices *x)
{
    return (struct w_gemm){
        .type = p->type,
        .m = p->m,
        .n = p->n,
        .k = p->k,
        .a = x->a_typed,
        .a_row = p->a_transposed ? 1 : p->k,
        .a_col = p->a_transposed ? p->m : 1,
        .b = x->b_typed,
        .b_row = p->b_transposed ? 1 : p->n,
        .b_col = p->b_transposed ? p->k : 1,
        .add = p->add == 2   ? x->c
               : p->add == 1 ? x->row
                             : NULL,
        .add_row = p->add == 2 ? p->n : 0,
        .c = x->c,
        .c_row = p->n,
    };
}

static inline struct w_engine engine_of(const struct w_kern *kern, struct w_team *team,
                                        u64 panel_floats)
{
    return (struct w_engine){
        .kern = kern,
        .blocks = {w_blocks_choose(kern, W_TYPE_F32, 0, 0),
                   w_blocks_choose(kern, W_TYPE_BF16, 0, 0)},
        .team = team,
        .panels = aligned_alloc(64, panel_floats * sizeof(float)),
        .panel_floats = panel_floats,
        .scratch = aligned_alloc(64, w_team_size(team) * W_GEMM_SCRATCH_FLOATS * sizeof(float)),
        .scratch_floats = W_GEMM_SCRATCH_FLOATS,
    };
}

static inline void free_engine(struct w_engine *engine)
{
    free(engine->panels);
    free(engine->scratch);
}

/* Where epilogue() stores blocks, plus 1: shows that it gets each element once, complete. */
struct stored {
    float *c;
    u64 c_row;
    bool without_c;
};

static inline void add_one(void *context, const struct w_result_block *p)
{
    const struct stored *f = context;

    if (f->without_c)
        assert_true(p->col % W_EPILOGUE_COLS == 0 && p->cols <= W_EPILOGUE_COLS);
    else
        assert_ptr_equal(p->c, f->c + p->row * f->c_row + p->col);
    for (u64 i = 0; i < p->rows; i++)
        for (u64 j = 0; j < p->cols; j++)
            f->c[(p->row + i) * f->c_row + p->col + j] = p->c[i * p->c_row + j] + 1;
}

static inline void check_element(const struct w_kern *kern, const struct product *p,
                                 const struct matrices *x, const float *before, u64 i, u64 j)
{
    const struct w_gemm g = gemm_of(p, x);
    double sum = 1, all = 1;

    if (p->add) {
        sum += (double)(p->add == 2 ? before[i * p->n + j] : x->row[j]);
        all += fabs(sum - 1);
    }
    for (u64 l = 0; l < p->k; l++) {
        double term =
            (double)x->a[i * g.a_row + l * g.a_col] * (double)x->b[l * g.b_row + j * g.b_col];
        sum += term;
        all += fabs(term);
    }
    double off = fabs((double)x->c[i * p->n + j] - sum);
    double allowed = ((double)p->k + 2) * PRODUCT_ULP * all;
    if (!(off <= allowed))
        fail_msg("%s %s %dx%dx%d%s%s%s: element (%d, %d) is %.9g instead of %.9g, off by %.3g of "
                 "what is allowed",
                 kern->name, p->type == W_TYPE_BF16 ? "bf16" : "fp32", (int)p->m, (int)p->n,
                 (int)p->k, p->a_transposed ? " aT" : "", p->b_transposed ? " bT" : "",
                 p->without_c ? " without c" : "", (int)i, (int)j, (double)x->c[i * p->n + j], sum,
                 off / allowed);
}

static inline void check_product(const struct w_engine *engine, const struct product *p)
{
    struct matrices x = random_matrices(p), before = random_matrices(p);
    struct w_gemm g = gemm_of(p, &x);
    struct stored stored = {.c = x.c, .c_row = p->n, .without_c = p->without_c};
    void *packed = NULL;

    g.epilogue = add_one;
    g.context = &stored;
    if (p->without_c) {
        packed = aligned_alloc(64, w_round_up(W_GEMM_PACKED(p->k, p->n) * sizeof(float), 64));
        w_gemm_pack(engine, packed, &g);
        g.packed = packed;
        g.c = NULL;
    }
    w_gemm(engine, &g);
    for (u64 i = 0; i < p->m; i++)
        for (u64 j = 0; j < p->n; j++)
            check_element(engine->kern, p, &x, before.c, i, j);
    assert_true(x.c[p->m * p->n] == PRODUCT_GUARD);
    free(packed);
    free_matrices(&x);
    free_matrices(&before);
}

/* Shapes that need several chunks and blocks of k and n, and that no tile divides. */
static const struct product large_products[] = {
    {100, 70, 50, false, false, 0, 0, 0},  {13, 131, 10, false, true, 0, 0, 0},
    {131, 10, 21, true, false, 2, 0, 0},   {200, 48, 500, false, false, 1, 0, 0},
    {97, 33, 700, true, false, 2, 0, 0},   {64, 600, 40, false, true, 1, 0, 0},
    {40, 160, 1100, false, true, 1, 0, 0}, {5, 1300, 33, true, false, 0, 0, 0},
};

/* Every combination of one, odd and prime numbers, of multiples of tiles and of one more or
 * less. */
static const u64 product_edges[] = {1, 2, 15, 16, 17, 31, 33, 67};

static inline void check_products(const struct w_kern *kern, enum w_type type, struct w_team *team)
{
    const u64 edges = W_COUNTOF(product_edges);

    /* With little memory for panels k is cut into chunks, with much it is not. */
    for (u64 shared = 8192 * 8; shared <= 1 << 20; shared <<= 4) {
        struct w_engine engine = engine_of(kern, team, shared);
        for (u32 i = 0; i < 2 * W_COUNTOF(large_products); i++) {
            struct product p = large_products[i / 2];
            p.type = type;
            p.without_c = i % 2 && p.add < 2 && !(kern->product && type == W_TYPE_F32);
            check_product(&engine, &p);
        }
        free_engine(&engine);
    }
    struct w_engine engine = engine_of(kern, team, 1 << 14);
    for (u64 i = 0; i < edges * edges * edges; i++) {
        /* All combinations with each shape would take minutes: they alternate. */
        const u64 turn = i + i / edges + i / edges / edges;
        struct product p = {.m = product_edges[i / edges / edges],
                            .n = product_edges[i / edges % edges],
                            .k = product_edges[i % edges],
                            .a_transposed = turn & 1,
                            .b_transposed = turn & 2,
                            .add = (int)(i % 3),
                            .type = type};
        p.without_c = turn % 5 == 0 && p.add < 2 && !(kern->product && type == W_TYPE_F32);
        check_product(&engine, &p);
    }
    free_engine(&engine);
}

/* How a matrix of lines of k numbers is packed: as rows, or as one panel. */
struct packed_form {
    const struct w_ukernel *ukernel;
    enum w_type type;
    bool panel, across; /* line stride 1: the lines are contiguous across, not along k */
};

static inline u64 whole_tiles(u64 lines, u64 width)
{
    return (lines + width - 1) / width * width;
}

static inline u64 pack_matrix(u8 **packed, const struct packed_form *how, const void *x, u64 lines,
                              u64 k, u64 line, u64 step)
{
    const struct w_ukernel *ukernel = how->ukernel;
    const u64 width = how->panel ? ukernel->tile_cols : ukernel->tile_rows;
    const u64 element = how->panel ? w_type_bytes(how->type) : ukernel->row_bytes;
    const u64 bytes = w_round_up(k, ukernel->k_unroll) * whole_tiles(lines, width) * element;

    *packed = aligned_alloc(64, w_round_up(bytes + 16, 64));
    memset(*packed, 0xa5, bytes + 16); /* bytes that are not written are not zero */
    if (how->panel)
        ukernel->pack_panel(*packed, x, step, line, k, (u32)lines);
    else
        ukernel->pack_rows(*packed, x, line, step, k, lines);
    for (u64 i = bytes; how->panel && i < bytes + 16; i++) /* rows may write that far */
        assert_int_equal((*packed)[i], 0xa5);
    return bytes;
}

/* Padding to whole tiles and to k_unroll is zeros: the packed bytes equal those of a larger matrix
 * that contains the zeros, whatever surrounds the smaller one in memory. */
static inline void check_padding(const struct packed_form *how, u64 lines, u64 k)
{
    const u64 width = how->panel ? how->ukernel->tile_cols : how->ukernel->tile_rows;
    const u64 all_lines = whole_tiles(lines, width), all_k = w_round_up(k, how->ukernel->k_unroll);
    const u64 line = how->across ? 1 : all_k, step = how->across ? all_lines : 1;
    struct w_rng rng = {.seed = lines * 1009 + k};
    float *floats = random_floats(&rng, all_lines * all_k);
    void *x = typed_copy(how->type, floats, all_lines * all_k);
    u8 *padded, *whole;

    u64 bytes = pack_matrix(&padded, how, x, lines, k, line, step);
    free(x);
    for (u64 i = 0; i < all_lines; i++)
        for (u64 p = 0; p < all_k; p++)
            if (i >= lines || p >= k)
                floats[i * line + p * step] = 0;
    x = typed_copy(how->type, floats, all_lines * all_k);
    assert_int_equal(pack_matrix(&whole, how, x, all_lines, all_k, line, step), bytes);
    if (memcmp(padded, whole, bytes))
        fail_msg("%s%s of %s, %d lines of %d numbers: not padded with zeros",
                 how->panel ? "a panel" : "rows", how->across ? " across" : "",
                 how->type == W_TYPE_BF16 ? "bf16" : "fp32", (int)lines, (int)k);
    free(padded);
    free(whole);
    free(x);
    free(floats);
}

static inline void check_packing(const struct w_kern *kern, enum w_type type)
{
    static const u64 ks[] = {1, 2, 3, 5, 15, 16, 31, 32, 33, 65};

    for (u32 i = 0; i < 4 * W_COUNTOF(ks); i++) {
        const struct packed_form how = {&kern->ukernel[type], type, i & 1, i & 2};
        const u64 most = how.panel ? how.ukernel->tile_cols : 2 * how.ukernel->tile_rows + 1;
        for (u64 lines = 1; lines <= most; lines++)
            check_padding(&how, lines, ks[i / 4]);
    }
}

/* The same product, cut into other depths, heights and chunks: the same bits. */
static inline void check_bits_of_blocks(const struct w_kern *kern, enum w_type type,
                                        struct w_team *team)
{
    const struct product p = {150, 100, 600, true, false, 2, type, false};
    struct w_engine engine = engine_of(kern, team, 1 << 17);
    struct matrices first = random_matrices(&p);
    struct w_gemm g = gemm_of(&p, &first);

    w_gemm(&engine, &g);
    for (u32 depth = 32; depth <= 512; depth *= 4) {
        struct matrices x = random_matrices(&p);
        engine.blocks[type].k = depth;
        engine.blocks[type].rows = kern->ukernel[type].tile_rows * (depth > 32 ? 4 : 1);
        engine.panel_floats = depth * 128;
        g = gemm_of(&p, &x);
        w_gemm(&engine, &g);
        assert_memory_equal(x.c, first.c, p.m * p.n * sizeof(float));
        free_matrices(&x);
    }
    free_matrices(&first);
    free_engine(&engine);
}

/* The first rows of a product alone: the same bits. k with and without a rest. */
static inline void check_bits_of_rows(const struct w_kern *kern, enum w_type type,
                                      struct w_team *team)
{
    for (u64 k = 599; k <= 608; k += 9) {
        const struct product p = {45, 90, k, false, true, 1, type, false};
        struct w_engine engine = engine_of(kern, team, 1 << 17);
        struct matrices all = random_matrices(&p), x = random_matrices(&p);
        struct w_gemm g = gemm_of(&p, &all);

        w_gemm(&engine, &g);
        g.c = x.c;
        for (g.m = 1; g.m < p.m; g.m++) {
            memset(x.c, 0, p.m * p.n * sizeof(float));
            w_gemm(&engine, &g);
            if (memcmp(x.c, all.c, g.m * p.n * sizeof(float)))
                fail_msg("%s, k %d: %d rows have other bits than %d", kern->name, (int)k, (int)g.m,
                         (int)p.m);
            for (u64 i = g.m * p.n; i < p.m * p.n; i++)
                assert_true(x.c[i] == 0);
        }
        free_matrices(&all);
        free_matrices(&x);
        free_engine(&engine);
    }
}

#endif
