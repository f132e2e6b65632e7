/* Orthogonalisation against a singular value decomposition in double precision: singular vectors
 * are kept, singular values go where the polynomials take them, with every kernel in both types. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "tests/unit/svd.h"

static void polynomials_keep_what_they_promise(void **state)
{
    (void)state;
    for (double s = 1; s > 1e-9; s *= 0.999) {
        const double y = pulled(s);
        assert_true(y > 0 && y < W_ORTHOGONAL_HIGH && y < W_ORTHOGONAL_SLOPE * s);
        if (s >= W_ORTHOGONAL_LEAST)
            assert_true(y > W_ORTHOGONAL_LOW);
    }
}

/* ---- matrices ---- */

enum form { NORMAL, STEEP, RANK_ONE, FORMS };

/* (n, m): independent numbers; such with singular values that fall by a factor of 1000; or one
 * column times one row. Of a scale far from 1. */
static void fill(float *x, u64 n, u64 m, enum form form)
{
    struct w_rng rng = {.seed = n * 1000 + m};

    for (u64 i = 0; i < n; i++)
        for (u64 j = 0; j < m; j++) {
            const double fall = form == STEEP ? pow(1e-3, (double)i / (double)n) : 1;
            const double value =
                form == RANK_ONE ? cos(1.0 + (double)i) * sin(2.0 + (double)j) : w_rng_normal(&rng);
            x[i * m + j] = (float)(1e-5 * fall * value);
        }
}

static void transpose(float *y, const float *x, u64 rows, u64 cols)
{
    for (u64 i = 0; i < rows; i++)
        for (u64 j = 0; j < cols; j++)
            y[j * rows + i] = x[i * cols + j];
}

/* An engine of its own, and memory for one matrix. */
struct bench {
    struct w_engine engine;
    void *scratch;
};

static struct bench bench_of(const struct w_kern *kern, enum w_type type, u32 threads, u64 rows,
                             u64 cols)
{
    struct bench b = {.engine = {.kern = kern, .type = type}};
    const u64 bytes = w_orthogonal_bytes(rows, cols, type);

    b.engine.blocks[W_TYPE_F32] = w_blocks_choose(kern, W_TYPE_F32, 0, 0);
    b.engine.blocks[W_TYPE_BF16] = w_blocks_choose(kern, W_TYPE_BF16, 0, 0);
    if (threads > 0)
        assert_int_equal(w_team_new(&b.engine.team, threads, NULL), W_DONE);
    b.engine.scratch_floats = w_round_up(W_GEMM_SCRATCH_FLOATS, 16);
    b.engine.scratch =
        aligned_alloc(64, W_MAX(threads, 1) * b.engine.scratch_floats * sizeof(float));
    b.scratch = aligned_alloc(64, w_round_up(bytes, 64));
    assert_true(b.engine.scratch && b.scratch);
    memset(b.scratch, 0xff, bytes); /* NaN: nothing may be read before it is written */
    return b;
}

static void bench_free(struct bench *b)
{
    w_team_free(b->engine.team);
    free(b->engine.scratch);
    free(b->scratch);
}

/* Largest distance of got (n, m) from u pulled(s) v^T. */
static double distance(const struct svd *d, const float *got)
{
    const double bound = bound_of(d);
    double *value = malloc(d->n * sizeof *value), largest = 0;

    for (u64 k = 0; k < d->n; k++)
        value[k] = pulled(d->s[k] / bound);
    for (u64 i = 0; i < d->n; i++)
        for (u64 j = 0; j < d->m; j++) {
            double want = 0;
            for (u64 k = 0; k < d->n; k++)
                want += d->u[i * d->n + k] * value[k] * d->v[k * d->m + j];
            const double off = fabs((double)got[i * d->m + j] - want);
            largest = isnan(off) ? INFINITY : fmax(largest, off); /* which would pass over it */
        }
    free(value);
    return largest;
}

/* What is left of got (n, m) in the singular vectors of x: *least and *most of the values that are
 * wanted to be near 1, *mixed the largest of what should be 0. */
static void project(const struct svd *d, const float *got, double *least, double *most,
                    double *mixed)
{
    const double bound = bound_of(d);
    double *right = calloc(d->n * d->n, sizeof *right); /* (n, n) got v^T */

    for (u64 r = 0; r < d->n; r++)
        for (u64 k = 0; k < d->n; k++)
            for (u64 j = 0; j < d->m; j++)
                right[r * d->n + k] += (double)got[r * d->m + j] * d->v[k * d->m + j];
    *least = 2;
    *most = *mixed = 0;
    for (u64 i = 0; i < d->n; i++)
        for (u64 k = 0; k < d->n; k++) {
            double sum = 0;
            for (u64 r = 0; r < d->n; r++)
                sum += d->u[r * d->n + i] * right[r * d->n + k];
            if (isnan(sum))
                sum = INFINITY;
            if (i != k)
                *mixed = fmax(*mixed, fabs(sum));
            else
                *most = fmax(*most, sum);
            if (i == k && d->s[k] / bound >= W_ORTHOGONAL_LEAST)
                *least = fmin(*least, sum);
        }
    free(right);
}

/* In fp32 the result is what the polynomials say, but for a few roundings. In bf16 it has the
 * singular vectors of x, and their values are within the bounds; what is mixed in comes from
 * roundings of 2^-9, which are pulled up like any small singular value where there are no
 * others. */
static void check_result(const struct w_kern *kern, enum w_type type, const struct svd *d,
                         enum form form, const float *got)
{
    double least, most, mixed;

    project(d, got, &least, &most, &mixed);
    const bool right = type == W_TYPE_BF16
                           ? least > W_ORTHOGONAL_LOW - 0.01 && most < W_ORTHOGONAL_HIGH + 0.02 &&
                                 mixed < (form == RANK_ONE ? 0.3 : 0.06)
                           : distance(d, got) < 2e-5;
    if (!right)
        fail_msg("%s, %s: (%d, %d) of form %d: values from %g to %g, %g of others, %g off",
                 kern->name, w_compute_type_name(type), (int)d->n, (int)d->m, (int)form, least,
                 most, mixed, distance(d, got));
}

/* x (n, m) is of that form, and d made of it. */
static void check_matrix(const struct w_kern *kern, enum w_type type, const float *x,
                         const struct svd *d, enum form form)
{
    const u64 n = d->n, m = d->m;
    float *y = malloc(n * m * sizeof *y), *turned = malloc(n * m * sizeof *turned);
    struct bench b = bench_of(kern, type, 2, n, m);

    memcpy(y, x, n * m * sizeof *y);
    w_orthogonalise(&b.engine, b.scratch, y, n, m);
    check_result(kern, type, d, form, y);
    /* the transpose gives the transpose */
    transpose(turned, x, n, m);
    w_orthogonalise(&b.engine, b.scratch, turned, m, n);
    transpose(y, turned, m, n);
    check_result(kern, type, d, form, y);
    bench_free(&b);
    free(y);
    free(turned);
}

static const struct w_kern *next_usable(u32 *index)
{
    const struct w_kern *kern;
    const char *why;

    while ((kern = w_kern_all()[*index])) {
        (*index)++;
        if (w_kern_usable(kern, &why))
            return kern;
    }
    return NULL;
}

static void singular_vectors_are_kept_and_values_pulled_to_1(void **state)
{
    (void)state;
    static const u64 shapes[][2] = {{1, 1},   {1, 9},   {3, 3},    {16, 64},
                                    {33, 70}, {40, 40}, {150, 152}};
    static float x[150 * 152]; /* of the largest */
    const struct w_kern *kern;

    for (u32 i = 0; i < W_COUNTOF(shapes); i++)
        for (u32 form = 0; form < FORMS; form++) {
            fill(x, shapes[i][0], shapes[i][1], form);
            struct svd d = svd_of(x, shapes[i][0], shapes[i][1]);
            for (u32 k = 0; (kern = next_usable(&k));) {
                check_matrix(kern, W_TYPE_F32, x, &d, form);
                if (kern->ukernel[W_TYPE_BF16].run && !kern->product)
                    check_matrix(kern, W_TYPE_BF16, x, &d, form);
            }
            svd_free(&d);
        }
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    enum { N = 150, M = 270 };
    static float first[N * M], x[N * M];
    const struct w_kern *kern;

    for (u32 k = 0; (kern = next_usable(&k));)
        for (u32 type = 0; type < W_COMPUTE_TYPES; type++)
            for (u32 threads = 0; threads <= 3; threads++) {
                if (type == W_TYPE_BF16 && kern->product)
                    continue;
                struct bench b = bench_of(kern, type, threads, N, M);
                fill(x, N, M, NORMAL);
                w_orthogonalise(&b.engine, b.scratch, x, N, M);
                if (threads == 0)
                    memcpy(first, x, sizeof x);
                assert_memory_equal(x, first, sizeof x);
                bench_free(&b);
            }
}

static void zeros_stay_zeros(void **state)
{
    (void)state;
    const struct w_kern *kern;
    float x[5 * 8] = {0};

    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    struct bench b = bench_of(kern, W_TYPE_F32, 1, 5, 8);
    w_orthogonalise(&b.engine, b.scratch, x, 5, 8);
    for (u32 i = 0; i < W_COUNTOF(x); i++)
        assert_true(x[i] == 0);
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polynomials_keep_what_they_promise),
        cmocka_unit_test(singular_vectors_are_kept_and_values_pulled_to_1),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(zeros_stay_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
