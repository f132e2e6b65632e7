/* The gate of a mixture: its loss and gradients against double precision, the network untouched by
 * it, the same bits for any number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/rng.h"
#include "net/infer.h"
#include "net/model.h"
#include "model_fixture.h"
#include "reference_model.h"

static const enum w_type types[] = {W_TYPE_F32, W_TYPE_BF16};

static struct w_conf with_counts(const struct shape *shape, u64 counts)
{
    struct w_conf conf = conf_of(shape);
    conf.counts = counts;
    return conf;
}

static const struct w_kern *kernels_of(enum w_type type)
{
    const struct w_kern *kern;
    enum w_type chosen;
    const enum w_precision precision = type == W_TYPE_BF16 ? W_PRECISION_BF16 : W_PRECISION_FP32;

    if (w_kern_choose_precision(&kern, &chosen, NULL, precision, NULL) || chosen != type)
        fail_msg("no kernels");
    return kern;
}

static const struct w_tensor *gate_of(const struct run *run)
{
    return w_tensors_find(w_model_tensors(run->model), "gate.weight");
}

static double mean_of(const float *x, u64 n)
{
    double sum = 0;
    for (u64 i = 0; i < n; i++)
        sum += (double)x[i];
    return sum / (double)n;
}

static struct reference reference_of(struct run *run)
{
    struct reference r = {
        .conf = &run->conf, .tensors = w_model_tensors(run->model), .mixed = &run->batch};
    const float *w = w_model_weights(run->model);
    r.w = malloc(r.tensors->floats * sizeof *r.w);
    for (u64 i = 0; i < r.tensors->floats; i++)
        r.w[i] = (double)w[i];
    return r;
}

/* Loss and gradients of the gate are within `allowed` of the reference's, relative to the largest
 * element. */
static void check_gate(const struct w_conf *conf, const struct w_kern *kern, enum w_type type,
                       double allowed)
{
    struct run run = start(conf, W_PLAN_TRAIN, 2, type, kern);
    struct reference r = reference_of(&run);
    const u64 tokens = conf->batch_size * conf->max_length;
    struct w_losses losses;

    w_model_gradient(run.model, &run.batch, 1);
    w_model_losses(run.model, &losses);
    const double expected = ref_loss(&r, run.ids);
    assert_true(fabs(losses.mixed - expected) <= allowed * expected);
    assert_true(losses.mixed == mean_of(w_model_mixed(run.model), tokens));
    for (u32 i = r.tensors->count - 2; i < r.tensors->count; i++) {
        const struct w_tensor *t = &r.tensors->rows[i];
        const float *gradient = w_model_gradients(run.model) + t->offset;
        /* Each term of the sum is at most 1 / M times the largest input, about 4. */
        for (u64 j = 0; j < t->count; j++) {
            const double slope = ref_slope(&r, run.ids, t->offset + j);
            if (fabs((double)gradient[j] - slope) > 4 * allowed + 1e-9)
                fail_msg("%s %s[%d]: %.9g, but %.9g in double precision", kern->name, t->name,
                         (int)j, (double)gradient[j], slope);
        }
    }
    free(r.w);
    finish(&run);
}

static void gradients_are_the_slopes_of_the_mixture(void **state)
{
    (void)state;
    const char *why;

    for (u32 k = 0; w_kern_all()[k]; k++)
        for (u32 i = 0; i < W_COUNTOF(shapes) && w_kern_usable(w_kern_all()[k], &why); i++) {
            const struct w_conf conf = with_counts(&shapes[i], 1 + 3 * i);
            check_gate(&conf, w_kern_all()[k], W_TYPE_F32, 1e-5);
        }
}

static void in_bf16_they_are_rounded(void **state)
{
    (void)state;
    for (u32 i = 0; i < W_COUNTOF(shapes); i++) {
        const struct w_conf conf = with_counts(&shapes[i], 8);
        check_gate(&conf, kernels_of(W_TYPE_BF16), W_TYPE_BF16, roundings(&conf));
    }
}

/* Three steps whose gradients are clipped: weights and states of the network have the bits that
 * they have without a gate. */
static void the_network_learns_as_if_alone(void **state)
{
    (void)state;
    for (u32 c = 0; c < 4; c++) { /* both types, full and sampled softmax */
        const enum w_type type = types[c % 2];
        struct w_conf with = with_counts(&shapes[0], 8), without = conf_of(&shapes[0]);
        with.softmax_sample = without.softmax_sample = c / 2 * 30;
        struct run mixed = start(&with, W_PLAN_TRAIN, 2, type, kernels_of(type));
        struct run alone = start(&without, W_PLAN_TRAIN, 1, type, kernels_of(type));
        const u64 bytes = gate_of(&mixed)->offset * sizeof(float);
        float gate[18];

        assert_int_equal(bytes, w_model_tensors(alone.model)->floats * sizeof(float));
        memcpy(gate, w_model_weights(mixed.model) + gate_of(&mixed)->offset, sizeof gate);
        mixed.batch.ids = alone.ids;
        for (u64 step = 1; step <= 3; step++) {
            assert_true(w_model_gradient(mixed.model, &mixed.batch, 100) ==
                        w_model_gradient(alone.model, &alone.batch, 100));
            assert_true(w_model_update(mixed.model, step, 1e-2) ==
                        w_model_update(alone.model, step, 1e-2));
        }
        assert_memory_equal(w_model_weights(mixed.model), w_model_weights(alone.model), bytes);
        for (u32 s = 0; w_model_state_name(alone.model, s); s++)
            assert_memory_equal(w_model_state(mixed.model, s), w_model_state(alone.model, s),
                                bytes);
        assert_memory_not_equal(w_model_weights(mixed.model) + gate_of(&mixed)->offset, gate,
                                sizeof gate);
        finish(&mixed);
        finish(&alone);
    }
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    static const struct shape larger = {40, 4, 2, 96, 300, 5, 90}; /* 450 tokens, 4 sums */
    for (u32 c = 0; c < 4; c++) {                                  /* as above */
        const enum w_type type = types[c % 2];
        struct w_conf conf = with_counts(&larger, 8);
        conf.softmax_sample = c / 2 * 250;
        struct run first = start(&conf, W_PLAN_TRAIN, 1, type, kernels_of(type));
        const struct w_tensors *tensors = w_model_tensors(first.model);
        struct w_losses expected, losses;

        w_model_gradient(first.model, &first.batch, 1);
        w_model_losses(first.model, &expected);
        for (u32 threads = 2; threads <= 4; threads++) {
            struct run run = start(&conf, W_PLAN_TRAIN, threads, type, kernels_of(type));
            w_model_gradient(run.model, &run.batch, 1);
            w_model_losses(run.model, &losses);
            assert_memory_equal(&losses, &expected, sizeof losses);
            assert_memory_equal(w_model_gradients(run.model), w_model_gradients(first.model),
                                tensors->floats * sizeof(float));
            finish(&run);
        }
        finish(&first);
    }
}

static void losses_without_gradients_are_the_same(void **state)
{
    (void)state;
    for (u32 t = 0; t < W_COUNTOF(types); t++) {
        const struct w_conf conf = with_counts(&shapes[0], 8);
        struct run train = start(&conf, W_PLAN_TRAIN, 2, types[t], kernels_of(types[t]));
        struct run eval = start(&conf, W_PLAN_EVAL, 1, types[t], kernels_of(types[t]));
        struct w_losses a, b, c;

        w_model_gradient(train.model, &train.batch, 1);
        w_model_losses(train.model, &a);
        assert_true(w_model_loss(train.model, &train.batch, NULL) == a.network);
        w_model_losses(train.model, &b);
        w_model_loss(eval.model, &eval.batch, NULL);
        w_model_losses(eval.model, &c);
        assert_memory_equal(&a, &b, sizeof a);
        assert_memory_equal(&a, &c, sizeof a);
        finish(&train);
        finish(&eval);
    }
}

static void without_counts_the_gate_rests(void **state)
{
    (void)state;
    const struct w_conf conf = with_counts(&shapes[0], 8);
    struct run run = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kernels_of(W_TYPE_F32));
    const struct w_tensor *t = gate_of(&run);
    struct w_losses losses;
    float gate[18];

    memcpy(gate, w_model_weights(run.model) + t->offset, sizeof gate);
    run.batch.lp = NULL, run.batch.ctx = NULL;
    w_model_gradient(run.model, &run.batch, 1);
    w_model_losses(run.model, &losses);
    assert_true(losses.network > 0 && losses.counts == 0 && losses.mixed == 0);
    assert_null(w_model_mixed(run.model));
    w_model_update(run.model, 1, 1e-2);
    assert_memory_equal(w_model_weights(run.model) + t->offset, gate, sizeof gate);
    finish(&run);
}

/* Counts that are right where the first feature is large, and wrong elsewhere, with a network that
 * knows nothing: the gate learns to look at the feature. A new one gives both the same weight. */
static void the_gate_learns_when_to_trust_the_counts(void **state)
{
    (void)state;
    static const struct shape small = {32, 4, 1, 64, 60, 4, 12};
    struct w_conf conf = with_counts(&small, 2);
    struct run run = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kernels_of(W_TYPE_F32));
    const u64 tokens = conf.batch_size * conf.max_length, ids = tokens + conf.batch_size;
    struct w_losses losses;

    w_model_init(run.model);
    for (u64 i = 0; i < ids; i++) {
        run.lp[i] = i % 2 ? -0.1f : -9;
        run.ctx[2 * i] = i % 2 ? 255 : 0;
        run.ctx[2 * i + 1] = (u8)i;
    }
    float nll[48];
    double half = 0; /* the loss where both have the same weight */
    w_model_loss(run.model, &run.batch, nll);
    w_model_losses(run.model, &losses);
    for (u64 row = 0; row < tokens; row++) {
        const u64 target = row / 12 * 13 + row % 12 + 1;
        half -= log((exp(-(double)nll[row]) + exp((double)run.lp[target])) / 2);
    }
    assert_true(fabs(losses.mixed - half / (double)tokens) < 1e-6);
    for (u64 step = 1; step <= 300; step++) {
        w_model_gradient(run.model, &run.batch, 1);
        w_model_losses(run.model, &losses);
        w_model_update(run.model, step, 3e-4); /* too little for the network */
    }
    assert_true(losses.mixed < losses.network && losses.mixed < losses.counts);
    assert_true(losses.mixed < half / (double)tokens - 0.05);
    const float *w = w_model_weights(run.model) + gate_of(&run)->offset;
    assert_true(w[conf.d_model] > 0.05f);
    assert_true(w[conf.d_model] > w[conf.d_model + 1]);
    finish(&run);
}

/* Token by token, generation has the g of the training's loss. */
static void generation_has_the_same_gate(void **state)
{
    (void)state;
    struct w_conf conf = with_counts(&shapes[0], 8);
    conf.batch_size = 1;
    const struct w_kern *kern = kernels_of(W_TYPE_F32);
    struct run run = start(&conf, W_PLAN_EVAL, 2, W_TYPE_F32, kern);
    float nll[16];
    const struct w_plan_decode one = {W_TYPE_F32, 1, 1, 1};
    struct w_infer *infer = NULL;
    struct w_err err;

    w_model_loss(run.model, &run.batch, nll);
    if (w_infer_new(&infer, &conf, w_model_weights(run.model), &one, kern, run.team, &err))
        fail_msg("%s", err.text);
    w_infer_start(infer, 0);
    for (u64 i = 0; i < conf.max_length; i++) {
        w_infer_next(infer, run.ids[i]);
        const double g = w_infer_gate(infer, 0, run.ctx + (i + 1) * conf.counts);
        const double p = (1 - g) * exp(-(double)nll[i]) + g * exp((double)run.lp[i + 1]);
        assert_true(fabs(-log(p) - (double)w_model_mixed(run.model)[i]) < 1e-5);
    }
    w_infer_free(infer);
    finish(&run);

    conf.counts = 0;
    run = start(&conf, W_PLAN_EVAL, 1, W_TYPE_F32, kern);
    assert_int_equal(
        w_infer_new(&infer, &conf, w_model_weights(run.model), &one, kern, run.team, &err), W_DONE);
    w_infer_next(infer, 1);
    assert_true(w_infer_gate(infer, 0, NULL) == 0);
    w_infer_free(infer);
    finish(&run);
}

/* One buffer and two tensors more, at the end; without counts there is none of them. */
static void a_model_without_counts_has_no_gate(void **state)
{
    (void)state;
    const struct w_conf with = with_counts(&shapes[1], 8), without = conf_of(&shapes[1]);
    struct w_plan a, b;
    struct w_tensors s, t;
    struct w_err err;

    assert_int_equal(w_plan_make(&a, &with, W_PLAN_TRAIN, W_TYPE_F32, 2, &err), W_DONE);
    assert_int_equal(w_plan_make(&b, &without, W_PLAN_TRAIN, W_TYPE_F32, 2, &err), W_DONE);
    assert_int_equal(a.count, b.count + 1);
    assert_non_null(w_plan_find(&a, "gate.losses"));
    assert_null(w_plan_find(&b, "gate.losses"));
    assert_int_equal(w_tensors_make(&s, &with, &err), W_DONE);
    assert_int_equal(w_tensors_make(&t, &without, &err), W_DONE);
    assert_int_equal(s.count, t.count + 2);
    assert_int_equal(s.parameters, t.parameters + with.d_model + 8 + 1);
    assert_string_equal(s.rows[t.count].name, "gate.weight");
    assert_string_equal(s.rows[t.count + 1].name, "gate.bias");
    w_tensors_free(&s);
    w_tensors_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_the_slopes_of_the_mixture),
        cmocka_unit_test(in_bf16_they_are_rounded),
        cmocka_unit_test(the_network_learns_as_if_alone),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(losses_without_gradients_are_the_same),
        cmocka_unit_test(without_counts_the_gate_rests),
        cmocka_unit_test(the_gate_learns_when_to_trust_the_counts),
        cmocka_unit_test(generation_has_the_same_gate),
        cmocka_unit_test(a_model_without_counts_has_no_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
