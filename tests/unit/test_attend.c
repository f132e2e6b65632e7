/* Attention by every variant: of one query against the formula in double precision, and of several
 * against each alone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "kern/kern.h"

#define COUNT_MAX 130
#define WIDTH_MAX 80
#define GUARD 12345.0f

/* A query, and keys and values by token; rounded to the type. */
struct text {
    float q[WIDTH_MAX], k[COUNT_MAX][WIDTH_MAX], v[COUNT_MAX][WIDTH_MAX];
};

static float random_number(struct w_rng *rng, enum w_type type)
{
    const float x = (float)w_rng_normal(rng);
    return type == W_TYPE_BF16 ? w_bf16_to_float(w_bf16_of(x)) : x;
}

static void put(void *x, enum w_type type, u64 i, float value)
{
    if (type == W_TYPE_BF16)
        ((w_bf16 *)x)[i] = w_bf16_of(value);
    else
        ((float *)x)[i] = value;
}

static float get(const void *x, enum w_type type, u64 i)
{
    return type == W_TYPE_BF16 ? w_bf16_to_float(((const w_bf16 *)x)[i]) : ((const float *)x)[i];
}

static double formula(const struct text *t, u64 count, u64 size, double scale, u64 column)
{
    double sum = 0, y = 0;

    for (u64 i = 0; i < count; i++) {
        double score = 0;
        for (u64 j = 0; j < size; j++)
            score += (double)t->q[j] * (double)t->k[i][j];
        sum += exp(scale * score);
        y += exp(scale * score) * (double)t->v[i][column];
    }
    return y / sum;
}

static void check(const struct w_kern *kern, enum w_type type, struct text *t, u64 count, u64 size)
{
    const u64 width = W_ATTEND_WIDTH(size), room = w_round_up(count, W_ATTEND_BLOCK);
    const float scale = (float)(1 / sqrt((double)size));
    struct w_rng rng = {.seed = count * 1009 + size};
    float *q = calloc(size + 1, 4), *y = calloc(size + 1, 4);
    float *keys = calloc(room * size, 4), *values = calloc(count * width, 4);
    float *scratch = calloc(W_ATTEND_FLOATS(count, size) + 1, 4);

    for (u64 j = 0; j < size; j++)
        put(q, type, j, t->q[j] = random_number(&rng, type));
    put(y, type, size, GUARD);
    scratch[W_ATTEND_FLOATS(count, size)] = GUARD;
    for (u64 i = 0; i < room; i++)
        for (u64 j = 0; j < size; j++) {
            const u64 block = i / W_ATTEND_BLOCK * size * W_ATTEND_BLOCK;
            const u64 place = block + j * W_ATTEND_BLOCK + i % W_ATTEND_BLOCK;
            put(keys, type, place, NAN);
            if (i >= count)
                continue;
            put(keys, type, place, t->k[i][j] = random_number(&rng, type));
            put(values, type, i * width + j, t->v[i][j] = random_number(&rng, type));
        }
    kern->attend[type](&(struct w_attend){.q = q,
                                          .keys = keys,
                                          .values = values,
                                          .y = y,
                                          .queries = 1,
                                          .count = count,
                                          .size = size,
                                          .scale = scale,
                                          .scratch = scratch});
    for (u64 j = 0; j < size; j++) {
        const double want = formula(t, count, size, (double)scale, j);
        const double off = fabs((double)get(y, type, j) - want);
        if (!(off < 1e-5 + (type == W_TYPE_BF16 ? 0x1p-8 * fabs(want) : 0)))
            fail_msg("%s, %s, %d keys of %d: number %d is %g, not %g", kern->name,
                     w_type_name(type), (int)count, (int)size, (int)j, (double)get(y, type, j),
                     want);
    }
    assert_true(get(y, type, size) == w_bf16_to_float(w_bf16_of(GUARD)) ||
                get(y, type, size) == GUARD);
    assert_true(scratch[W_ATTEND_FLOATS(count, size)] == GUARD);
    free(q);
    free(y);
    free(keys);
    free(values);
    free(scratch);
}

/* Calls test() with every variant that runs here, and type. */
static void with_every_variant(void (*test)(const struct w_kern *, enum w_type))
{
    const char *why;

    for (u32 i = 0; w_kern_all()[i]; i++) {
        if (!w_kern_usable(w_kern_all()[i], &why)) {
            print_message("NOT TESTED: the %s kernels, since %s\n", w_kern_all()[i]->name, why);
            continue;
        }
        for (enum w_type type = 0; type < W_COMPUTE_TYPES; type++)
            test(w_kern_all()[i], type);
    }
}

static const u64 counts[] = {1, 2, 15, 16, 17, 63, 64, 65, 80, COUNT_MAX};
static const u64 widths[] = {1, 5, 8, 16, 40, 48, 64, 72, WIDTH_MAX};

static void check_counts(const struct w_kern *kern, enum w_type type)
{
    struct text *t = calloc(1, sizeof *t);

    assert_non_null(t);
    for (u32 c = 0; c < W_COUNTOF(counts); c++)
        for (u32 s = 0; s < W_COUNTOF(widths); s++)
            check(kern, type, t, counts[c], widths[s]);
    free(t);
}

static void attention_is_that_of_the_formula(void **state)
{
    (void)state;
    with_every_variant(check_counts);
}

/* ---- several queries ---- */

#define QUERIES 11
#define GAP 3 /* between the results of two queries */

static void fill(void *x, enum w_type type, u64 n, struct w_rng *rng)
{
    for (u64 i = 0; i < n; i++)
        put(x, type, i, random_number(rng, type));
}

/* `most` queries in one call, then each in a call of its own. */
static void check_together(const struct w_kern *kern, enum w_type type, u64 most, u64 count,
                           u64 size)
{
    const u64 width = W_ATTEND_WIDTH(size), last = count + most - 1, q_row = 3 * size;
    const u64 room = w_round_up(last, W_ATTEND_BLOCK), y_row = size + GAP;
    struct w_rng rng = {.seed = count * 1009 + size};
    float *q = calloc(most * q_row, 4), *y = calloc(2 * most * y_row, 4);
    float *keys = calloc(room * size, 4), *values = calloc(last * width, 4);
    float *scratch = calloc(W_ATTEND_FLOATS(last, size), 4);
    struct w_attend a = {.q = q,
                         .keys = keys,
                         .values = values,
                         .y = y,
                         .queries = most,
                         .q_row = q_row,
                         .y_row = y_row,
                         .count = count,
                         .size = size,
                         .scale = 0.3f,
                         .scratch = scratch};

    fill(q, type, most * q_row, &rng);
    fill(keys, type, room * size, &rng);
    fill(values, type, last * width, &rng);
    kern->attend[type](&a);
    for (u64 i = 0; i < most; i++) {
        struct w_attend one = a;
        one.q = w_at(q, type, i * q_row);
        one.y = w_at(y, type, (most + i) * y_row);
        one.queries = 1;
        one.count = count + i;
        kern->attend[type](&one);
    }
    if (memcmp(y, w_at(y, type, most * y_row), most * y_row * w_type_bytes(type)) != 0)
        fail_msg("%s, %s: %d queries, the first of %d keys of %d, get other bits than alone",
                 kern->name, w_type_name(type), (int)most, (int)count, (int)size);
    free(q);
    free(y);
    free(keys);
    free(values);
    free(scratch);
}

static void check_queries(const struct w_kern *kern, enum w_type type)
{
    for (u64 most = 1; most <= QUERIES; most += most < 5 ? 1 : 3)
        for (u32 c = 0; c < W_COUNTOF(counts); c++)
            for (u32 s = 0; s < W_COUNTOF(widths); s++)
                check_together(kern, type, most, counts[c], widths[s]);
}

static void queries_together_get_the_bits_of_each_alone(void **state)
{
    (void)state;
    with_every_variant(check_queries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_is_that_of_the_formula),
        cmocka_unit_test(queries_together_get_the_bits_of_each_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
