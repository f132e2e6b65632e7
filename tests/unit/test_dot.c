/* The code of the AVX512-BF16 kernels with a model of VDPBF16PS in place of the instruction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "unit_checks.h"

#define LANES 16
#include "kern/vector.h"

static float flush(float x)
{
    return fpclassify(x) == FP_SUBNORMAL ? copysignf(0, x) : x;
}

/* After the pseudo code of Intel's manual: the upper halves first, each by a multiply-add with one
 * rounding to the nearest; denormal numbers count as zero, in operands and results. */
static vec v_dot(vec sum, ivec a, ivec b)
{
    for (u32 i = 0; i < LANES; i++)
        for (u32 half = 2; half-- > 0;) {
            float x = flush(w_bf16_to_float((w_bf16)((u32)a[i] >> 16 * half)));
            float y = flush(w_bf16_to_float((w_bf16)((u32)b[i] >> 16 * half)));
            sum[i] = flush(fmaf(x, y, flush(sum[i])));
        }
    return sum;
}

#define BF16_DOT
#define W_FOR_BF16
#define W_VARIANT kern_model
#define W_VARIANT_NAME "avx512bf16"
#include "kern/kern_body.h"

static i32 pair_of(float low, float high)
{
    return (i32)((u32)w_bf16_of(high) << 16 | w_bf16_of(low));
}

static void the_model_adds_up_as_the_manual_says(void **state)
{
    (void)state;
    const ivec one = pair_of(1, 1) - (ivec){0};
    /* The upper half goes first: 2^24 + 1 is lost, -2^24 then leaves nothing. */
    vec sum = v_dot(v_set(1), pair_of(-0x1p24f, 0x1p24f) - (ivec){0}, one);
    assert_true(sum[0] == 0);
    sum = v_dot(v_set(1), pair_of(0x1p24f, -0x1p24f) - (ivec){0}, one);
    assert_true(sum[15] == 1);
    sum = v_dot(v_set(0x1p-130f), pair_of(0x1p-127f, 0x1p-130f) - (ivec){0}, one);
    assert_true(sum[3] == 0);
}

/* Unpacked and packed rows: the same sums in the same order. The last of k
 * is packed if it is odd, and so is a block that ends within a tile. */
static void unpacked_rows_give_the_same_bits(void **state)
{
    (void)state;
    static const u64 m[] = {12, 84, 400}, k[] = {2, 600, 601};
    struct w_kern packing = kern_model;
    struct w_team *team;

    assert_true(kern_model.ukernel[W_TYPE_BF16].reads_rows);
    packing.ukernel[W_TYPE_BF16].reads_rows = false;
    assert_int_equal(w_team_new(&team, 2, NULL), W_DONE);
    struct w_engine lying = engine_of(&kern_model, team, 1 << 17);
    struct w_engine packed = engine_of(&packing, team, 1 << 17);
    for (u32 i = 0; i < W_COUNTOF(m) * W_COUNTOF(k); i++) {
        const struct product p = {m[i / 3], 70, k[i % 3], false, true, 2, W_TYPE_BF16, false};
        struct matrices x = random_matrices(&p), y = random_matrices(&p);
        struct w_gemm g = gemm_of(&p, &x);
        w_gemm(&lying, &g);
        g = gemm_of(&p, &y);
        w_gemm(&packed, &g);
        assert_memory_equal(x.c, y.c, p.m * p.n * sizeof(float));
        free_matrices(&x);
        free_matrices(&y);
    }
    free_engine(&lying);
    free_engine(&packed);
    w_team_free(team);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpacked_rows_give_the_same_bits),
        cmocka_unit_test(the_model_adds_up_as_the_manual_says),
        UNIT_TESTS,
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
