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
    float *a, *b, *add, *c; /* (m, k), (n, k), (n), (m, n) */
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

    return (struct product){m,
                            n,
                            k,
                            random_floats(&rng, m * k),
                            random_floats(&rng, n * k),
                            random_floats(&rng, n),
                            random_floats(&rng, m * n)};
}

static void free_product(struct product *p)
{
    free(p->a);
    free(p->b);
    free(p->add);
    free(p->c);
}

/* The first `rows` rows. */
static void multiply(const struct w_q8_kern *kern, struct w_team *team, const struct product *p,
                     u64 rows, float *c)
{
    const u64 numbers = W_GEMM_PACKED(p->k, p->n);
    const struct w_kern *fp32;

    assert_int_equal(w_kern_choose(&fp32, NULL, NULL), W_DONE);
    struct w_engine engine = {
        .kern = fp32,
        .q8 = &kern->ukernel,
        .q8_blocks = w_blocks_of(&kern->ukernel, W_TYPE_Q8, 0, 0),
        .team = team,
        .scratch = aligned_alloc(64, w_team_size(team) * W_GEMM_SCRATCH_FLOATS * sizeof(float)),
        .scratch_floats = W_GEMM_SCRATCH_FLOATS,
    };
    struct w_gemm g = {.type = W_TYPE_Q8,
                       .m = rows,
                       .n = p->n,
                       .k = p->k,
                       .a = p->a,
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
    free(packed);
    free(engine.scratch);
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
        cmocka_unit_test(the_best_kernel_is_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
