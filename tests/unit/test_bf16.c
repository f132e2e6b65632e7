/* Models with bf16 as compute type: gradients and losses as near to those of fp32 as the rounding
 * of operands allows, the same bits for any number of threads, panels that follow the weights. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "model_fixture.h"

/* Distance of a tensor's gradients in units of what rounding allows: of norms, since single
 * elements may cancel to zero. */
static double distance(const struct w_tensor *t, const float *got, const float *want,
                       double allowed)
{
    double squares = 0, off = 0;

    for (u64 i = t->offset; i < t->offset + t->count; i++) {
        squares += (double)want[i] * (double)want[i];
        off += ((double)got[i] - (double)want[i]) * ((double)got[i] - (double)want[i]);
    }
    return sqrt(off) / (sqrt(squares) * allowed + 1e-9);
}

static void check_gradients(const struct shape *shape, const struct w_kern *kern)
{
    struct w_conf conf = conf_of(shape);
    struct run half = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_BF16, kern);
    struct run full = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);
    const struct w_tensors *tensors = w_model_tensors(full.model);
    double loss = w_model_gradient(half.model, &half.batch, 1);
    double want = w_model_gradient(full.model, &full.batch, 1);

    if (fabs(loss - want) > roundings(&conf) * want)
        fail_msg("%s: loss %.9g, but %.9g in fp32", kern->name, loss, want);
    for (u32 i = 0; i < tensors->count; i++) {
        double off = distance(&tensors->rows[i], w_model_gradients(half.model),
                              w_model_gradients(full.model), roundings(&conf));
        if (!(off <= 1))
            fail_msg("%s: the gradient of %s (width %d) is off %.3g times what rounding allows",
                     kern->name, tensors->rows[i].name, (int)conf.d_model, off);
    }
    finish(&half);
    finish(&full);
}

static const struct w_kern *next_usable(u32 *index)
{
    const struct w_kern *kern;
    const char *why;

    while ((kern = w_kern_all()[(*index)++])) {
        if (w_kern_usable(kern, &why) && !kern->product)
            return kern;
        print_message("NOT TESTED: the %s kernels, since %s\n", kern->name,
                      kern->product ? "they have no bf16 GEMM" : why);
    }
    return NULL;
}

static void gradients_are_near_those_of_fp32(void **state)
{
    (void)state;
    const struct w_kern *kern;
    for (u32 i = 0; (kern = next_usable(&i));)
        for (u32 s = 0; s < W_COUNTOF(shapes); s++)
            check_gradients(&shapes[s], kern);
}

static void loss_without_gradients_is_the_same(void **state)
{
    (void)state;
    const struct w_kern *kern;
    for (u32 i = 0; (kern = next_usable(&i));) {
        struct w_conf conf = conf_of(&shapes[i % W_COUNTOF(shapes)]);
        struct run train = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_BF16, kern);
        struct run eval = start(&conf, W_PLAN_EVAL, 1, W_TYPE_BF16, kern);
        double loss = w_model_loss(eval.model, &eval.batch, NULL);

        assert_true(w_model_loss(train.model, &train.batch, NULL) == loss);
        assert_true(w_model_gradient(train.model, &train.batch, 1) == loss);
        finish(&train);
        finish(&eval);
    }
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    static const struct shape shape = {24, 2, 2, 70, 300, 5, 33};
    const struct w_kern *kern;

    for (u32 k = 0; (kern = next_usable(&k));)
        check_bits_of_threads(&shape, kern, W_TYPE_BF16);
}

/* The panels that the update writes are those that packing the weights again would give. */
static void panels_follow_the_weights(void **state)
{
    (void)state;
    const struct w_kern *kern;
    for (u32 k = 0; (kern = next_usable(&k));)
        for (u32 s = 0; s < W_COUNTOF(shapes); s++) {
            struct w_conf conf = conf_of(&shapes[s]);
            struct run run = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_BF16, kern);
            double before = w_model_gradient(run.model, &run.batch, 1);
            w_model_update(run.model, 1, 1e-2);
            double loss = w_model_gradient(run.model, &run.batch, 1);
            assert_true(loss != before);
            w_model_weights(run.model); /* could have been written to: all are packed again */
            assert_true(w_model_gradient(run.model, &run.batch, 1) == loss);
            w_model_weights(run.model)[0] += 1; /* wte, of a token that may not be in the batch: */
            assert_true(w_model_gradient(run.model, &run.batch, 1) !=
                        loss); /* but is in the logits */
            finish(&run);
        }
}

/* 150 steps of each: bf16 learns as fp32 does. */
static void training_follows_fp32(void **state)
{
    (void)state;
    static const struct shape small = {32, 4, 2, 64, 60, 4, 12};
    const struct w_kern *kern;
    struct w_conf conf = conf_of(&small);
    double mean_off = 0;

    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    struct run half = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_BF16, kern);
    struct run full = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);
    for (u64 step = 1; step <= 150; step++) {
        double loss = w_model_gradient(half.model, &half.batch, 1);
        double want = w_model_gradient(full.model, &full.batch, 1);
        mean_off += (loss - want) / want / 150;
        w_model_update(half.model, step, 3e-3);
        w_model_update(full.model, step, 3e-3);
    }
    if (fabs(mean_off) > 0.01)
        fail_msg("losses differ by %.3g %% on average", 100 * mean_off);
    assert_true(w_model_loss(half.model, &half.batch, NULL) < 1);
    finish(&half);
    finish(&full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_near_those_of_fp32),
        cmocka_unit_test(loss_without_gradients_is_the_same),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(panels_follow_the_weights),
        cmocka_unit_test(training_follows_fp32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
