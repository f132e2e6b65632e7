/* unit_checks.h - a variant whose bf16 instruction is replaced by a model: tests of its packing,
 * blocking and edges on any machine; and on a machine that has the instruction, the model against
 * it, bit for bit. */
#ifndef W_UNIT_CHECKS_H
#define W_UNIT_CHECKS_H

#include "model_fixture.h"
#include "product_checks.h"

extern const struct w_kern kern_model; /* defined by the file that includes this */

static void products_are_right(void **state)
{
    (void)state;
    struct w_team *team;
    assert_int_equal(w_team_new(&team, 2, NULL), W_DONE);
    check_products(&kern_model, W_TYPE_BF16, team);
    w_team_free(team);
}

static void packed_matrices_are_padded_with_zeros(void **state)
{
    (void)state;
    check_packing(&kern_model, W_TYPE_BF16);
}

/* Rows and columns beyond the end of c are neither written to nor read. */
static void edges_are_kept(void **state)
{
    (void)state;
    enum { K = 32, ROWS = 70, COLS = 32, WIDTH = COLS + 3 };
    const struct w_ukernel *ukernel = &kern_model.ukernel[W_TYPE_BF16];
    static w_bf16 a[ROWS * K], b[K * COLS];
    static _Alignas(64) w_bf16 rows[(ROWS + 32) * K + 16], panel[K * COLS];
    static float c[(ROWS + 1) * WIDTH];

    for (u32 i = 0; i < ROWS * K; i++)
        a[i] = w_bf16_of((float)(i % 7));
    for (u32 i = 0; i < K * COLS; i++)
        b[i] = w_bf16_of((float)(i % 5));
    for (u32 m = 1; m <= ROWS; m += m % 8 == 1 ? 2 : 1)
        for (u32 n = 1; n <= ukernel->tile_cols; n++) {
            for (u32 i = 0; i < W_COUNTOF(c); i++)
                c[i] = 100;
            ukernel->pack_rows(rows, a, K, 1, K, m);
            ukernel->pack_panel(panel, b, COLS, 1, K, n);
            ukernel->run(&(struct w_tile){.k = K,
                                          .a = rows,
                                          .b = panel,
                                          .add = c,
                                          .add_row = WIDTH,
                                          .c = c,
                                          .c_row = WIDTH,
                                          .rows = m,
                                          .cols = n});
            for (u32 i = 0; i < W_COUNTOF(c); i++) {
                float sum = 100;
                for (u32 p = 0; i / WIDTH < m && i % WIDTH < n && p < K; p++)
                    sum += (float)((i / WIDTH * K + p) % 7 * ((p * COLS + i % WIDTH) % 5));
                assert_true(c[i] == sum);
            }
        }
}

static void bits_do_not_depend_on_blocks(void **state)
{
    (void)state;
    struct w_team *team;

    assert_int_equal(w_team_new(&team, 1, NULL), W_DONE);
    check_bits_of_blocks(&kern_model, W_TYPE_BF16, team);
    check_bits_of_rows(&kern_model, W_TYPE_BF16, team);
    w_team_free(team);
}

/* Two steps of a whole model, by one thread and by two. And the gradients are as near to those in
 * fp32 as rounding allows. */
static void a_model_trains(void **state)
{
    (void)state;
    static const struct shape shape = {80, 2, 1, 136, 140, 2, 37}; /* head_dim 40 */
    struct w_conf conf = conf_of(&shape);
    struct run one = start(&conf, W_PLAN_TRAIN, 1, W_TYPE_BF16, &kern_model);
    struct run two = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_BF16, &kern_model);
    struct run floats = start(&conf, W_PLAN_TRAIN, 1, W_TYPE_F32, &kern_model);
    const u64 count = w_model_tensors(one.model)->floats;
    double want = w_model_gradient(floats.model, &floats.batch, 1), off = 0, squares = 0;
    double loss = w_model_gradient(one.model, &one.batch, 1);

    assert_true(fabs(loss - want) < roundings(&conf) * want);
    for (u64 i = 0; i < count; i++) {
        double a = (double)w_model_gradients(one.model)[i];
        double b = (double)w_model_gradients(floats.model)[i];
        squares += b * b;
        off += (a - b) * (a - b);
    }
    assert_true(sqrt(off) < roundings(&conf) * sqrt(squares));
    assert_true(w_model_gradient(two.model, &two.batch, 1) == loss);
    assert_true(w_model_update(one.model, 1, 1e-2) == w_model_update(two.model, 1, 1e-2));
    loss = w_model_gradient(one.model, &one.batch, 1);
    assert_true(w_model_gradient(two.model, &two.batch, 1) == loss);
    assert_memory_equal(w_model_weights(one.model), w_model_weights(two.model),
                        count * sizeof(float));
    assert_true(w_model_gradient(one.model, &one.batch, 1) == loss); /* packed again */
    finish(&one);
    finish(&two);
    finish(&floats);
}

/* The same products by the instruction, if this CPU has it. */
static void the_model_is_what_the_cpu_does(void **state)
{
    (void)state;
    const struct w_kern *kern;
    struct w_team *team;
    struct w_err err;

    if (w_kern_choose(&kern, kern_model.name, &err)) {
        print_message("NOT TESTED ON THIS CPU: %s\n", err.text);
        skip();
    }
    assert_int_equal(w_team_new(&team, 1, NULL), W_DONE);
    struct w_engine model = engine_of(&kern_model, team, 1 << 17);
    struct w_engine cpu = engine_of(kern, team, 1 << 17);
    for (u32 turn = 0; turn < 4; turn++) {
        const struct product p = {71, 83, 301, turn & 1, turn & 2, 1, W_TYPE_BF16, false};
        struct matrices x = random_matrices(&p), y = random_matrices(&p);
        struct w_gemm g = gemm_of(&p, &x);
        ((w_bf16 *)x.a_typed)[5] = ((w_bf16 *)y.a_typed)[5] = 1; /* a denormal number */
        ((w_bf16 *)x.b_typed)[7] = ((w_bf16 *)y.b_typed)[7] = 0x8040;
        w_gemm(&model, &g);
        g = gemm_of(&p, &y);
        w_gemm(&cpu, &g);
        assert_memory_equal(x.c, y.c, p.m * p.n * sizeof(float));
        free_matrices(&x);
        free_matrices(&y);
    }
    free_engine(&model);
    free_engine(&cpu);
    w_team_free(team);
}

#define UNIT_TESTS                                                                                 \
    cmocka_unit_test(packed_matrices_are_padded_with_zeros), cmocka_unit_test(products_are_right), \
        cmocka_unit_test(edges_are_kept), cmocka_unit_test(bits_do_not_depend_on_blocks),          \
        cmocka_unit_test(a_model_trains), cmocka_unit_test(the_model_is_what_the_cpu_does)

#endif
