/* GEMM by every variant that runs here, with operands of both types, cut in every way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "product_checks.h"

/* The code of the AVX-512 kernels without the five functions of vector.h that are instructions, for
 * CPUs that do not have them. */
#define LANES 16
#define W_VARIANT kern_wide
#define W_VARIANT_NAME "wide"
#include "kern/kern_body.h"

/* All variants, and the one above; NULL after the last. Variants that this CPU cannot run are
 * printed, so that nobody believes that they were tested. */
static const struct w_kern *next_usable(u32 *index)
{
    const char *why;

    for (;; (*index)++) {
        u32 count = 0;
        while (w_kern_all()[count])
            count++;
        if (*index >= count)
            return (*index)++ == count ? &kern_wide : NULL;
        const struct w_kern *kern = w_kern_all()[*index];
        if (w_kern_usable(kern, &why)) {
            (*index)++;
            return kern;
        }
        print_message("NOT TESTED: the %s kernels, since %s\n", kern->name, why);
    }
}

static void check_all(enum w_type type)
{
    const struct w_kern *kern;
    struct w_team *team;

    assert_int_equal(w_team_new(&team, 2, NULL), W_DONE);
    for (u32 i = 0; (kern = next_usable(&i));)
        check_products(kern, type, team);
    w_team_free(team);
}

static void products_in_fp32_are_right(void **state)
{
    (void)state;
    check_all(W_TYPE_F32);
}

static void packed_matrices_are_padded_with_zeros(void **state)
{
    const struct w_kern *kern;

    (void)state;
    for (u32 i = 0; (kern = next_usable(&i));)
        for (enum w_type type = 0; type < W_COMPUTE_TYPES; type++)
            check_packing(kern, type);
}

static void products_in_bf16_are_right(void **state)
{
    (void)state;
    check_all(W_TYPE_BF16);
}

static void bits_do_not_depend_on_blocks(void **state)
{
    (void)state;
    const struct w_kern *kern;
    struct w_team *team;

    assert_int_equal(w_team_new(&team, 1, NULL), W_DONE);
    for (u32 type = 0; type < W_COMPUTE_TYPES; type++)
        for (u32 i = 0; (kern = next_usable(&i));)
            if (!kern->product || type != W_TYPE_F32) /* a library cuts as it likes */
                check_bits_of_blocks(kern, type, team);
    w_team_free(team);
}

static void bits_of_a_row_do_not_depend_on_the_others(void **state)
{
    (void)state;
    const struct w_kern *kern;
    struct w_team *team;

    assert_int_equal(w_team_new(&team, 2, NULL), W_DONE);
    for (u32 type = 0; type < W_COMPUTE_TYPES; type++)
        for (u32 i = 0; (kern = next_usable(&i));)
            if (!kern->product || type != W_TYPE_F32)
                check_bits_of_rows(kern, type, team);
    w_team_free(team);
}

/* More threads get more items of a product, but its sums stay as they are. */
static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    static const u32 threads[] = {1, 2, 3, 7};
    const struct w_kern *kern;

    for (u32 turn = 0; turn < 2 * W_COMPUTE_TYPES; turn++)
        for (u32 i = 0; (kern = next_usable(&i));) {
            const struct product p = {150, 300, 600, turn / 2, true, 2, turn % 2, false};
            struct matrices first = {0};
            for (u32 t = 0; t < W_COUNTOF(threads); t++) {
                struct w_team *team;
                assert_int_equal(w_team_new(&team, threads[t], NULL), W_DONE);
                struct w_engine engine = engine_of(kern, team, 1 << 18);
                struct matrices x = random_matrices(&p);
                const struct w_gemm g = gemm_of(&p, &x);
                w_gemm(&engine, &g);
                if (t == 0) {
                    first = x;
                } else {
                    assert_memory_equal(x.c, first.c, p.m * p.n * sizeof(float));
                    free_matrices(&x);
                }
                free_engine(&engine);
                w_team_free(team);
            }
            free_matrices(&first);
        }
}

/* Variants that convert bf16 operands to fp32 give the bits that they give for operands in fp32. */
static void converted_operands_give_the_bits_of_fp32(void **state)
{
    (void)state;
    const struct w_kern *kern;
    struct w_team *team;

    assert_int_equal(w_team_new(&team, 1, NULL), W_DONE);
    for (u32 i = 0; (kern = next_usable(&i));) {
        if (kern->ukernel[W_TYPE_BF16].row_bytes != sizeof(float) || kern->product)
            continue;
        for (u32 turn = 0; turn < 4; turn++) {
            const struct product p = {61, 83, 301, turn & 1, turn & 2, 1, W_TYPE_BF16, false};
            struct w_engine engine = engine_of(kern, team, 1 << 16);
            struct matrices x = random_matrices(&p), y = random_matrices(&p);
            struct w_gemm g = gemm_of(&p, &x);
            w_gemm(&engine, &g);
            g.type = W_TYPE_F32;
            g.a = y.a, g.b = y.b, g.c = y.c;
            w_gemm(&engine, &g);
            assert_memory_equal(x.c, y.c, p.m * p.n * sizeof(float));
            free_matrices(&x);
            free_matrices(&y);
            free_engine(&engine);
        }
    }
    w_team_free(team);
}

static void packed_once_is_the_same(void **state)
{
    (void)state;
    const struct w_kern *kern;
    struct w_team *team;

    assert_int_equal(w_team_new(&team, 2, NULL), W_DONE);
    for (u32 turn = 0; turn < W_COMPUTE_TYPES; turn++)
        for (u32 i = 0; (kern = next_usable(&i));) {
            const struct product p = {50, 70, 90, false, true, 1, turn, false};
            struct w_engine engine = engine_of(kern, team, 1 << 16);
            struct matrices x = random_matrices(&p), y = random_matrices(&p);
            struct w_gemm g = gemm_of(&p, &x);
            void *packed = aligned_alloc(64, W_GEMM_PACKED(p.k, p.n) * sizeof(float));
            w_gemm(&engine, &g);
            g = gemm_of(&p, &y);
            w_gemm_pack(&engine, packed, &g);
            g.packed = packed;
            w_gemm(&engine, &g);
            assert_memory_equal(x.c, y.c, p.m * p.n * sizeof(float));
            free(packed);
            free_matrices(&x);
            free_matrices(&y);
            free_engine(&engine);
        }
    w_team_free(team);
}

/* A variant that this CPU has no instructions for is counted as skipped, not passed over in
 * silence. */
static void runs_on_this_cpu(void **state)
{
    const char *why;
    u32 i = 0;

    while (strcmp(w_kern_all()[i]->name, *state) != 0)
        i++;
    if (!w_kern_usable(w_kern_all()[i], &why)) {
        print_message("NOT TESTED ON THIS CPU: the %s kernels: %s\n", w_kern_all()[i]->name, why);
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_matrices_are_padded_with_zeros),
        cmocka_unit_test(products_in_fp32_are_right),
        cmocka_unit_test(products_in_bf16_are_right),
        cmocka_unit_test(bits_do_not_depend_on_blocks),
        cmocka_unit_test(bits_of_a_row_do_not_depend_on_the_others),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(converted_operands_give_the_bits_of_fp32),
        cmocka_unit_test(packed_once_is_the_same),
        cmocka_unit_test_prestate(runs_on_this_cpu, "amx"),
        cmocka_unit_test_prestate(runs_on_this_cpu, "avx512bf16"),
        cmocka_unit_test_prestate(runs_on_this_cpu, "avx512"),
        cmocka_unit_test_prestate(runs_on_this_cpu, "avx2"),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
