/* The model's loss, gradients and updates against a double-precision reference; the same bits for
 * any number of threads; memory exactly as planned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/rng.h"
#include "net/model.h"
#include "gradient_checks.h"

static void check_gradients(const struct shape *shape, const struct w_kern *kern, u64 samples)
{
    struct w_conf conf = conf_of(shape);
    struct run run = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);
    struct reference r = reference_of(&run);
    struct w_rng rng = {.seed = 3};
    double loss = w_model_gradient(run.model, &run.batch, 1), expected = ref_loss(&r, run.ids);

    if (fabs(loss - expected) > rounding(&conf) * expected)
        fail_msg("%s: loss %.9g, but %.9g in double precision", kern->name, loss, expected);
    for (u32 i = 0; i < r.tensors->count; i++) {
        double worst = worst_gradient(&run, &r, i, samples, &rng);
        if (!(worst <= 1))
            fail_msg("%s: the gradient of %s (width %d) is off %.3g times what rounding allows",
                     kern->name, r.tensors->rows[i].name, (int)conf.d_model, worst);
    }
    free(r.w);
    finish(&run);
}

static void gradients_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    const struct w_kern *kern;
    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    for (u32 i = 0; i < W_COUNTOF(shapes); i++)
        check_gradients(&shapes[i], kern, 24);
}

static void every_kernel_has_these_gradients(void **state)
{
    (void)state;
    const char *why;
    for (u32 i = 0; w_kern_all()[i]; i++)
        if (w_kern_usable(w_kern_all()[i], &why))
            check_gradients(&shapes[0], w_kern_all()[i], 3);
        else
            print_message("NOT TESTED: the %s kernels, since %s\n", w_kern_all()[i]->name, why);
}

/* The check has to see an error as small as a forgotten term: a thousandth of one tensor. */
static void the_check_of_gradients_sees_a_thousandth(void **state)
{
    (void)state;
    const struct w_kern *kern;
    struct w_conf conf = conf_of(&shapes[0]);
    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    struct run run = start(&conf, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    struct reference r = reference_of(&run);

    w_model_gradient(run.model, &run.batch, 1);
    for (u32 i = 0; i < r.tensors->count; i++) {
        const struct w_tensor *t = &r.tensors->rows[i];
        float *gradient = w_model_gradients(run.model) + t->offset;
        struct w_rng rng = {.seed = 9};
        u64 largest = 0;
        for (u64 j = 0; j < t->count; j++)
            largest = fabsf(gradient[j]) > fabsf(gradient[largest]) ? j : largest;
        gradient[largest] *= 1.001f;
        double off = fabs((double)gradient[largest] - ref_slope(&r, run.ids, t->offset + largest));
        if (off <= fabs((double)gradient[largest]) * rounding(&conf) + 1e-9)
            fail_msg("a wrong gradient of %s is not seen", t->name);
        gradient[largest] /= 1.001f;
        assert_true(worst_gradient(&run, &r, i, 2, &rng) <= 1);
    }
    free(r.w);
    finish(&run);
}

static void gradients_add_up_with_their_scales(void **state)
{
    (void)state;
    const struct w_kern *kern;
    struct w_conf conf = conf_of(&shapes[0]);
    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    struct run once = start(&conf, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    struct run twice = start(&conf, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    u64 floats = w_model_tensors(once.model)->floats;

    double loss = w_model_gradient(once.model, &once.batch, 1);
    assert_true(w_model_gradient(twice.model, &twice.batch, 0.5) == loss);
    assert_true(w_model_gradient(twice.model, &twice.batch, 0.5) == loss);
    for (u64 i = 0; i < floats; i++) {
        float a = w_model_gradients(once.model)[i], b = w_model_gradients(twice.model)[i];
        assert_true(fabsf(a - b) <= 1e-5f * fabsf(a) + 1e-6f);
    }
    finish(&once);
    finish(&twice);
}

static void loss_without_gradients_is_the_same(void **state)
{
    (void)state;
    const struct w_kern *kern;
    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    for (u32 i = 0; i < W_COUNTOF(shapes); i++) {
        struct w_conf conf = conf_of(&shapes[i]);
        struct run train = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);
        struct run eval = start(&conf, W_PLAN_EVAL, 1, W_TYPE_F32, kern);
        u64 tokens = conf.batch_size * conf.max_length;
        float *nll = malloc(tokens * sizeof *nll);
        double sum = 0, loss = w_model_loss(eval.model, &eval.batch, nll);

        for (u64 j = 0; j < tokens; j++)
            sum += (double)nll[j];
        assert_true(sum / (double)tokens == loss);
        assert_true(w_model_loss(train.model, &train.batch, NULL) == loss);
        assert_true(w_model_gradient(train.model, &train.batch, 1) == loss);
        assert_null(w_model_gradients(eval.model));
        free(nll);
        finish(&train);
        finish(&eval);
    }
}

/* Two steps of AdamW with clipping, by the formula of the paper. */
static void updates_are_those_of_adamw(void **state)
{
    (void)state;
    const struct w_kern *kern;
    const char *why;

    for (u32 k = 0; (kern = w_kern_all()[k]); k++) {
        if (!w_kern_usable(kern, &why))
            continue;
        struct w_conf conf = conf_of(&shapes[0]);
        struct run run = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);
        struct reference r = reference_of(&run);
        const struct w_tensors *tensors = r.tensors;
        double *m = calloc(tensors->floats, sizeof *m), *v = calloc(tensors->floats, sizeof *v);

        for (u64 step = 1; step <= 2; step++) {
            double squares = 0, lr = conf.learning_rate;
            w_model_gradient(run.model, &run.batch, 100); /* large enough to be clipped */
            const float *g = w_model_gradients(run.model);
            for (u64 i = 0; i < tensors->floats; i++)
                squares += (double)g[i] * (double)g[i];
            double clip = fmin(1, conf.clip_norm / (sqrt(squares) + 1e-6));
            for (u32 i = 0; i < tensors->count; i++)
                for (u64 j = tensors->rows[i].offset;
                     j < tensors->rows[i].offset + tensors->rows[i].count; j++) {
                    double grad = (double)g[j] * clip;
                    r.w[j] *= 1 - lr * (tensors->rows[i].ndim == 2 ? conf.weight_decay : 0);
                    m[j] = conf.beta1 * m[j] + (1 - conf.beta1) * grad;
                    v[j] = conf.beta2 * v[j] + (1 - conf.beta2) * grad * grad;
                    r.w[j] -= lr * (m[j] / (1 - pow(conf.beta1, (double)step))) /
                              (sqrt(v[j] / (1 - pow(conf.beta2, (double)step))) + conf.epsilon);
                }
            double norm = w_model_update(run.model, step, lr);
            assert_true(fabs(norm - sqrt(squares)) <= 1e-12 * norm);
            for (u64 i = 0; i < tensors->floats; i++) {
                double w = (double)w_model_weights(run.model)[i];
                if (fabs(w - r.w[i]) > 4 * 0x1p-24 * (fabs(w) + lr))
                    fail_msg("%s: weight %d is %.9g, not %.9g", kern->name, (int)i, w, r.w[i]);
                assert_true(w_model_gradients(run.model)[i] == 0);
                r.w[i] = w;
            }
        }
        free(m);
        free(v);
        free(r.w);
        finish(&run);
    }
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    static const struct shape larger = {40, 4, 2, 96, 300, 5, 50};
    const struct w_kern *kern;
    const char *why;

    for (u32 k = 0; (kern = w_kern_all()[k]); k++)
        if (w_kern_usable(kern, &why))
            check_bits_of_threads(&larger, kern, W_TYPE_F32);
}

static void training_learns_a_batch_by_heart(void **state)
{
    (void)state;
    static const struct shape small = {32, 4, 2, 64, 60, 4, 12};
    const struct w_kern *kern;
    struct w_conf conf = conf_of(&small);
    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    struct run run = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);
    double loss = 0;

    for (u64 step = 1; step <= 150; step++) {
        loss = w_model_gradient(run.model, &run.batch, 1);
        w_model_update(run.model, step, 1e-2);
    }
    assert_true(loss < 0.2); /* it starts at log(60) = 4.1 */
    finish(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_the_slopes_of_the_loss),
        cmocka_unit_test(every_kernel_has_these_gradients),
        cmocka_unit_test(the_check_of_gradients_sees_a_thousandth),
        cmocka_unit_test(gradients_add_up_with_their_scales),
        cmocka_unit_test(loss_without_gradients_is_the_same),
        cmocka_unit_test(updates_are_those_of_adamw),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(training_learns_a_batch_by_heart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
