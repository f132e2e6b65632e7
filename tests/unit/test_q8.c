/* Products of weights in 8 bits by every micro-kernel, and by that of AMX with a model of the tile
 * unit in place of its instructions: against the formula of q8.h in double precision, and for the
 * rules that all products keep. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "kern/gemm.h"
#include "tile_model.h"

#define LANES 16
#define Q8_TILE_UNIT
#define Q8_VARIANT q8_model
#define Q8_NAME "amx model"
extern const struct w_q8_kern q8_model;
#include "kern/body_q8.h"

#define GUARD 12345.0f

struct product {
    u64 m, n, k;
    float *a, *b, *add, *c; /* (m, k), numbers of bf16; (n, k), (n), (m, n) */
};

static float *random_floats(struct w_rng *rng, u64 n)
{
    float *x = malloc((n + 1) * sizeof *x);

    assert_non_null(x);
    for (u64 i = 0; i < n; i++)
        x[i] = (float)(w_rng_normal(rng) * exp(2 * w_rng_normal(rng)));
    x[n] = GUARD;
    return x;
}

static struct product random_product(u64 m, u64 n, u64 k)
{
    struct w_rng rng = {.seed = m * 1000003 + n * 1009 + k};
    const struct product p = {m,
                              n,
                              k,
                              random_floats(&rng, m * k),
                              random_floats(&rng, n * k),
                              random_floats(&rng, n),
                              random_floats(&rng, m * n)};

    for (u64 i = 0; i < m * k; i++)
        p.a[i] = w_bf16_to_float(w_bf16_of(p.a[i]));
    return p;
}

static void free_product(struct product *p)
{
    free(p->a);
    free(p->b);
    free(p->add);
    free(p->c);
}

#define SCRATCH_FLOATS w_round_up(W_GEMM_SCRATCH_FLOATS + W_GEMM_UNPACK_FLOATS, 16)

/* Where only an epilogue gets the result. */
static void keep_block(void *context, const struct w_result_block *block)
{
    const struct product *p = context;

    for (u64 i = 0; i < block->rows; i++)
        memcpy(p->c + (block->row + i) * p->n + block->col, block->c + i * block->c_row,
               block->cols * sizeof(float));
}

/* The first `rows` rows. unpack: for the tile unit of this variant, if it is not NULL. */
static void multiply_as(const struct w_q8_kern *kern, const struct w_kern *unpack,
                        struct w_team *team, const struct product *p, u64 rows, float *c)
{
    const u64 numbers = W_GEMM_PACKED(p->k, p->n);
    w_bf16 *a = malloc((p->m * p->k + 1) * sizeof *a);
    const struct w_kern *bf16 = unpack;

    if (!bf16)
        assert_int_equal(w_kern_choose(&bf16, NULL, NULL), W_DONE);
    assert_non_null(a);
    for (u64 i = 0; i < p->m * p->k; i++)
        a[i] = w_bf16_of(p->a[i]);
    struct product kept = {.n = p->n, .c = c};
    struct w_engine engine = {
        .kern = bf16,
        .blocks[W_TYPE_BF16] = w_blocks_choose(bf16, W_TYPE_BF16, 0, 0),
        .q8 = kern,
        .q8_blocks = w_blocks_of(&kern->ukernel, W_TYPE_Q8, 0, 0),
        .unpack_q8 = unpack,
        .team = team,
        .scratch = aligned_alloc(64, w_team_size(team) * SCRATCH_FLOATS * sizeof(float)),
        .scratch_floats = SCRATCH_FLOATS,
    };
    struct w_gemm g = {.type = W_TYPE_Q8,
                       .m = rows,
                       .n = p->n,
                       .k = p->k,
                       .a = a,
                       .a_row = p->k,
                       .a_col = 1,
                       .b = p->b,
                       .b_row = 1,
                       .b_col = p->k,
                       .add = p->add,
                       .c = c,
                       .c_row = p->n};
    u8 *packed = aligned_alloc(64, w_round_up(w_panel_bytes(W_TYPE_Q8, numbers) + 1, 64));

    assert_non_null(packed);
    packed[w_panel_bytes(W_TYPE_Q8, numbers)] = 0xa5;
    w_gemm_pack(&engine, packed, &g);
    assert_int_equal(packed[w_panel_bytes(W_TYPE_Q8, numbers)], 0xa5);
    g.packed = packed;
    w_gemm(&engine, &g);
    /* the same for an epilogue alone */
    kept.c = calloc(p->m * p->n + 1, sizeof *kept.c);
    g.c = NULL;
    g.epilogue = keep_block;
    g.context = &kept;
    w_gemm(&engine, &g);
    assert_memory_equal(kept.c, c, rows * p->n * sizeof *c);
    free(kept.c);
    free(packed);
    free(engine.scratch);
    free(a);
}

static void multiply(const struct w_q8_kern *kern, struct w_team *team, const struct product *p,
                     u64 rows, float *c)
{
    multiply_as(kern, NULL, team, p, rows, c);
}

/* The scale of a block, in fp32 or rounded up to bf16, and its rounded numbers. */
static double round_block(double q[BLOCK], const float *x, u64 count, bool bf16)
{
    float largest = 0;

    for (u64 i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(x[i]));
    float scale = largest / 127;
    if (bf16 && w_bf16_to_float(w_bf16_of(scale)) < scale)
        scale = w_bf16_to_float((w_bf16)(w_bf16_of(scale) + 1));
    else if (bf16)
        scale = w_bf16_to_float(w_bf16_of(scale));
    for (u64 i = 0; i < BLOCK; i++)
        q[i] = i < count && scale > 0 ? (double)rintf(x[i] * (1 / scale)) : 0;
    return (double)scale;
}

static void check(const struct w_q8_kern *kern, struct w_team *team, u64 m, u64 n, u64 k)
{
    struct product p = random_product(m, n, k);

    if (k > 40) /* a block of zeros */
        memset(p.b, 0, BLOCK * sizeof *p.b);
    multiply(kern, team, &p, m, p.c);
    for (u64 i = 0; i < m; i++)
        for (u64 j = 0; j < n; j++) {
            double sum = (double)p.add[j], size = fabs(sum);
            for (u64 first = 0; first < k; first += BLOCK) {
                const u64 count = W_MIN(k - first, BLOCK);
                double x[BLOCK], w[BLOCK], dot = 0;
                double scale = round_block(x, p.a + i * k + first, count, false);
                scale *= round_block(w, p.b + j * k + first, count, true);
                for (u32 t = 0; t < BLOCK; t++) {
                    assert_true(fabs(x[t]) <= 127 && fabs(w[t]) <= 127);
                    dot += x[t] * w[t];
                }
                sum += scale * dot;
                size += fabs(scale * dot);
            }
            if (!(fabs((double)p.c[i * n + j] - sum) <= 1e-5 * size))
                fail_msg("%s, %d x %d x %d: (%d, %d) is %g, not %g", kern->name, (int)m, (int)n,
                         (int)k, (int)i, (int)j, (double)p.c[i * n + j], sum);
        }
    assert_true(p.c[m * n] == GUARD);
    free_product(&p);
}

/* Those of the table that run here, then the model; NULL at the end. */
static const struct w_q8_kern *next_usable(u32 *index)
{
    const struct w_q8_kern *const *all = w_q8_all();
    u32 count = 0;
    const char *why;

    while (all[count])
        count++;
    for (u32 i; (i = (*index)++) < count;) {
        if (w_q8_usable(all[i], &why))
            return all[i];
        print_message("NOT TESTED ON THIS CPU: the %s kernel: %s\n", all[i]->name, why);
    }
    return *index == count + 1 ? &q8_model : NULL;
}

static void products_are_those_of_the_formula(void **state)
{
    static const u64 sizes[][3] = {{1, 1, 1},      {1, 32, 32},  {2, 33, 31},
                                   {3, 16, 33},    {5, 90, 64},  {6, 64, 320},
                                   {7, 100, 2100}, {13, 40, 96}, {40, 70, 160}};
    const struct w_q8_kern *kern;
    struct w_team *team;

    (void)state;
    assert_int_equal(w_team_new(&team, 2, NULL), W_DONE);
    for (u32 i = 0; (kern = next_usable(&i));)
        for (u32 s = 0; s < W_COUNTOF(sizes); s++)
            check(kern, team, sizes[s][0], sizes[s][1], sizes[s][2]);
    w_team_free(team);
}

static void bits_of_a_row_do_not_depend_on_the_others(void **state)
{
    const struct w_q8_kern *kern;

    (void)state;
    for (u32 i = 0; (kern = next_usable(&i));) {
        struct product p = random_product(31, 150, 1000);
        float *first = NULL;
        for (u32 threads = 1; threads <= 3; threads++) {
            struct w_team *team;
            assert_int_equal(w_team_new(&team, threads, NULL), W_DONE);
            for (u64 rows = p.m; rows > 0; rows--) {
                float *c = calloc(p.m * p.n, sizeof *c);
                multiply(kern, team, &p, rows, c);
                if (!first)
                    first = c;
                assert_memory_equal(c, first, rows * p.n * sizeof *c);
                if (c != first)
                    free(c);
            }
            w_team_free(team);
        }
        free(first);
        free_product(&p);
    }
}

static void what_is_not_finite_shows(void **state)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    const struct w_q8_kern *kern;

    (void)state;
    for (u32 i = 0; (kern = next_usable(&i));)
        for (u32 o = 0; o < W_COUNTOF(odd); o++) {
            struct product p = random_product(3, 40, 70);
            p.a[1 * p.k + 69] = odd[o];
            p.b[17 * p.k + 5] = odd[o];
            multiply(kern, NULL, &p, p.m, p.c);
            for (u64 row = 0; row < p.m; row++)
                for (u64 j = 0; j < p.n; j++)
                    assert_int_equal(isnan(p.c[row * p.n + j]), row == 1 || j == 17);
            free_product(&p);
        }
}

/* Panels in bf16 are those of weights that were rounded to 8 bits, and that product to bf16. */
static void panels_unpack_to_the_numbers_they_have(void **state)
{
    enum { K = 75, PADDED = 96 };
    const struct w_q8_kern *kern;

    (void)state;
    for (u32 i = 0; (kern = next_usable(&i));) {
        const u32 cols = kern->ukernel.tile_cols;
        w_bf16 out[PADDED * W_TILE_COLS_MAX + 1];
        u8 panel[PADDED * W_TILE_COLS_MAX * 2];
        if (!kern->unpack_panel)
            continue;
        struct product p = random_product(1, cols, K);
        p.b[3 * K + 40] = NAN;
        out[PADDED * cols] = 0xa5a5;
        kern->ukernel.pack_panel(panel, p.b, 1, K, K, cols);
        kern->unpack_panel(out, panel, K);
        for (u32 j = 0; j < cols; j++)
            for (u32 t = 0; t < PADDED; t++) {
                double q[BLOCK];
                const u32 first = t / BLOCK * BLOCK;
                const float *x = p.b + j * K + first;
                const double scale = round_block(q, x, W_MIN(K - first, BLOCK), true);
                const float got = w_bf16_to_float(out[(t / 2 * cols + j) * 2 + t % 2]);
                const float want = (float)(scale * q[t % BLOCK]); /* exact */
                if (j == 3 && first == 32)
                    assert_true(isnan(got));
                else
                    assert_true(fabsf(got - want) <= fabsf(want) / 256);
            }
        assert_int_equal(out[PADDED * cols], 0xa5a5);
        free_product(&p);
    }
}

static const struct w_kern *unpacking_kern(const struct w_q8_kern *q8)
{
    const struct w_kern *const *all = w_kern_all();
    const char *why;

    for (u32 i = 0; all[i]; i++)
        if (w_q8_unpacks(q8, all[i]) && w_kern_usable(all[i], &why))
            return all[i];
    return NULL;
}

/* Unpacked for the tile unit: near the sums of the rounded weights, and the same bits for any
 * number of rows and threads. */
static void products_of_unpacked_panels(void **state)
{
    static const u64 sizes[][3] = {{1, 1, 1},      {5, 90, 64},     {33, 100, 700},
                                   {40, 70, 2100}, {256, 300, 768}, {200, 129, 96}};
    const struct w_q8_kern *q8 = w_q8_choose();
    const struct w_kern *kern = unpacking_kern(q8);

    (void)state;
    if (!kern) {
        print_message("NOT TESTED ON THIS CPU: panels of 8 bits for the tile unit\n");
        skip();
    }
    for (u32 s = 0; s < W_COUNTOF(sizes); s++) {
        struct product p = random_product(sizes[s][0], sizes[s][1], sizes[s][2]);
        float *other = calloc(p.m * p.n, sizeof *other);
        multiply_as(q8, kern, NULL, &p, p.m, p.c);
        for (u64 i = 0; i < p.m; i++)
            for (u64 j = 0; j < p.n; j++) {
                double sum = (double)p.add[j], size = fabs(sum);
                for (u64 first = 0; first < p.k; first += BLOCK) {
                    double q[BLOCK];
                    const u64 count = W_MIN(p.k - first, BLOCK);
                    const double scale = round_block(q, p.b + j * p.k + first, count, true);
                    for (u64 t = 0; t < count; t++) {
                        const double term = scale * q[t] * (double)p.a[i * p.k + first + t];
                        sum += term;
                        size += fabs(term);
                    }
                }
                assert_true(fabs((double)p.c[i * p.n + j] - sum) <= size / 256);
            }
        for (u32 threads = 1; threads <= 3; threads++) {
            const u64 rows = p.m - (p.m - 1) * (threads - 1) / 2;
            struct w_team *team;
            assert_int_equal(w_team_new(&team, threads, NULL), W_DONE);
            multiply_as(q8, kern, team, &p, rows, other);
            assert_memory_equal(other, p.c, rows * p.n * sizeof *other);
            w_team_free(team);
        }
        free(other);
        free_product(&p);
    }
}

static void the_best_kernel_is_chosen(void **state)
{
    u32 i = 0;

    (void)state;
    assert_ptr_equal(w_q8_choose(), next_usable(&i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_those_of_the_formula),
        cmocka_unit_test(bits_of_a_row_do_not_depend_on_the_others),
        cmocka_unit_test(what_is_not_finite_shows),
        cmocka_unit_test(panels_unpack_to_the_numbers_they_have),
        cmocka_unit_test(products_of_unpacked_panels),
        cmocka_unit_test(the_best_kernel_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
