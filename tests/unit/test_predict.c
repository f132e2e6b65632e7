/* Predictions: between shapes and numbers of threads, corrections by verified runs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/rng.h"
#include "fit/evaluate.h"
#include "fit/predict.h"
#include "bench/target.h"
#include "tests/unit/calibration_fixture.h"

static struct w_err err;
static struct w_calibration calibration;

static int make_fixture(void **state)
{
    (void)state;
    make_calibration(&calibration);
    return 0;
}

static struct w_conf conf_of(u64 d, u64 layers, u64 batch)
{
    struct w_shape shape = {(u32)d, 4, (u32)(4 * d), 4096, 128, 8, 0};
    struct w_conf conf = w_shape_conf(&shape, batch);
    conf.num_layers = layers;
    snprintf(conf.name, sizeof conf.name, "test");
    return conf;
}

static struct w_costs costs_of(const struct w_conf *conf, u32 threads)
{
    struct w_plan plan;
    struct w_costs costs;
    assert_int_equal(w_plan_make(&plan, conf, W_PLAN_TRAIN, W_TYPE_F32, threads, &err), W_DONE);
    w_costs_make(&costs, &calibration, conf, &plan,
                 (struct w_costs_of){.type = W_TYPE_F32, .threads = threads});
    return costs;
}

static bool near(double a, double b, double part)
{
    return a == b || fabs(a / b - 1) < part;
}

static void a_measured_shape_costs_what_was_measured(void **state)
{
    (void)state;
    struct w_conf narrow = conf_of(128, 3, 32), wide = conf_of(256, 3, 32);
    struct w_costs one = costs_of(&narrow, 1), two = costs_of(&narrow, 2);
    assert_true(near(one.phases[W_PHASE_LINEAR].token_s, 1e-9, 1e-4));
    assert_true(near(two.phases[W_PHASE_LINEAR].token_s, 0.5e-9, 1e-4));
    assert_true(near(costs_of(&wide, 1).phases[W_PHASE_HEAD].call_s, 150e-9, 1e-4));
}

static void shapes_between_cost_something_between(void **state)
{
    (void)state;
    struct w_conf middle = conf_of(192, 3, 32), huge = conf_of(4096, 1, 1);
    double cost = costs_of(&middle, 1).phases[W_PHASE_LINEAR].token_s;
    assert_true(cost > 1.1e-9 && cost < 1.4e-9);
    cost = costs_of(&huge, 1).phases[W_PHASE_LINEAR].token_s;
    assert_true(cost > 1.2e-9 && cost <= 1.5e-9); /* that of the nearest: no extrapolation */
}

static void other_numbers_of_threads_follow_amdahl(void **state)
{
    (void)state;
    struct w_conf conf = conf_of(128, 3, 32);
    /* the fixture is perfectly parallel */
    assert_true(near(costs_of(&conf, 4).phases[W_PHASE_NORM].token_s, 0.25e-9, 1e-3));
    struct w_calibration had = calibration;
    for (u32 i = 2; i < 4; i++)
        calibration.probes[i].phases[W_PHASE_NORM].token_s *=
            1.5; /* two threads: 0.75, half serial */
    assert_true(near(costs_of(&conf, 4).phases[W_PHASE_NORM].token_s, 0.625e-9, 1e-3));
    calibration.probe_count = 2;
    calibration.threads = 1; /* measured with one thread only */
    assert_true(near(costs_of(&conf, 2).phases[W_PHASE_NORM].token_s, 0.5e-9, 1e-3));
    calibration = had;
}

static void levels_follow_the_working_set(void **state)
{
    (void)state;
    struct w_conf conf = conf_of(128, 3, 32);
    struct w_costs costs = costs_of(&conf, 2);
    assert_string_equal(costs.level[W_PHASE_ATTENTION], "L2"); /* a head of 128 x 32 */
    assert_string_equal(costs.level[W_PHASE_NORM], "memory");  /* the whole step */
    assert_true(costs.bytes_s[W_PHASE_NORM] == 16e9 && costs.bytes_s[W_PHASE_ATTENTION] == 200e9);
}

static double tokens_asked = 1e6;

static void make(struct w_fit *fit, const struct w_conf *conf, const struct w_residuals *residuals)
{
    struct w_machine m;
    struct w_fit_ask ask = {.threads = 2,
                            .tokens = tokens_asked,
                            .eval_tokens = 10000,
                            .eval_every = 50,
                            .ckpt_every_s = 60,
                            .calibration = &calibration,
                            .residuals = residuals};
    assert_int_equal(w_target_find(&m, "seed-host", &err), W_DONE);
    assert_int_equal(w_fit_make(fit, conf, &m, &ask, &err), W_DONE);
}

static void the_step_is_the_sum_of_its_phases(void **state)
{
    (void)state;
    static struct w_fit fit;
    struct w_conf conf = conf_of(128, 3, 32);
    double sum = 0;
    conf.optimizer = W_OPTIMIZER_MUON; /* which has a phase more, */
    conf.counts = 8;                   /* as has a mixture */
    make(&fit, &conf, NULL);
    for (u32 phase = 0; phase < W_PHASES; phase++) {
        assert_true(w_fit_phase_value(&fit, "step", phase) > 0);
        sum += w_fit_phase_value(&fit, "step", phase);
        assert_non_null(w_fit_bound(&fit, phase));
    }
    assert_true(near(w_fit_value(&fit, "step.seconds"), sum, 1e-9));
    /* 3 layers x 196608 units x (50 ns + 4096 x 0.5 ns) */
    assert_true(near(w_fit_value(&fit, "step.linear"), 3 * 196608 * (50e-9 + 4096 * 0.5e-9), 1e-3));
    assert_true(near(w_fit_value(&fit, "tok_s"), 4096 / sum, 1e-9));
    /* norms do little arithmetic for a byte and are bound by memory, GEMMs are not */
    assert_string_equal(w_fit_bound(&fit, W_PHASE_LINEAR), "compute");
}

static void time_counts_evaluations_and_checkpoints(void **state)
{
    (void)state;
    static struct w_fit fit;
    struct w_conf conf = conf_of(128, 3, 32);
    make(&fit, &conf, NULL);
    double steps = floor(1e6 / 4096), eval = w_fit_value(&fit, "eval.time");
    assert_true(eval > 0 && near(w_fit_value(&fit, "time.eval"), ceil(steps / 50) * eval, 1e-9));
    /* the last step is evaluated once, whether --val-every divides the steps or not */
    tokens_asked = 4096 * 100;
    make(&fit, &conf, NULL);
    assert_true(near(w_fit_value(&fit, "time.eval"), 2 * w_fit_value(&fit, "eval.time"), 1e-9));
    tokens_asked = 1e6;
    make(&fit, &conf, NULL);
    double ckpt = 12 * w_fit_value(&fit, "params") / 100e6, time = w_fit_value(&fit, "time");
    assert_true(near(w_fit_value(&fit, "time.ckpt"), (1 + floor(time / 60)) * ckpt, 1e-9));
    double total = w_fit_value(&fit, "time.total");
    assert_true(total > time && w_fit_value(&fit, "hours") == total / 3600);
    assert_true(w_fit_value(&fit, "time.least") < total && w_fit_value(&fit, "time.most") > total);
}

static void generation_is_between_the_measured_sizes(void **state)
{
    (void)state;
    static struct w_fit fit;
    struct w_conf small = conf_of(16, 1, 1), large = conf_of(1024, 12, 1);
    make(&fit, &small, NULL);
    assert_true(w_fit_value(&fit, "predict.decode") > 10000); /* 0.1 ns a byte, less than 1 MB */
    make(&fit, &large, NULL);                                 /* 0.2 ns a byte of 0.6 GB */
    /* of the positions a token reads one */
    double bytes = 4 * (w_arch_matrices(&large) - 128 * 1024);
    assert_true(near(w_fit_value(&fit, "predict.decode"), 1 / (bytes * 0.2e-9), 1e-3));
    assert_true(w_fit_value(&fit, "generate.f32.tok_s") == w_fit_value(&fit, "predict.decode"));
    /* 1 ms for 80 MB of layers; of prompts the table of 4096 ids takes no time */
    assert_true(near(w_fit_value(&fit, "prompt.f32.tok_s"),
                     80e6 / ((bytes - 4 * 4096.0 * 1024) * 1e-3), 1e-3));
    /* what was not measured is not predicted */
    calibration.decodes[1].seconds[2] = 0;
    make(&fit, &large, NULL);
    assert_true(isnan(w_fit_value(&fit, "generate.q8.tok_s")));
    calibration.decodes[1].seconds[2] = 0.005;
    calibration.decodes[0].seconds[2] = 0.00005;
    make(&fit, &large, NULL);
    assert_true(near(w_fit_value(&fit, "generate.q8.tok_s"), 1 / (bytes * 0.05e-9), 1e-3));
    /* a byte and 1/16 of each weight, the table of ids as it is, and keys and values */
    assert_true(w_fit_value(&fit, "generate.q8.memory") <
                0.5 * w_fit_value(&fit, "generate.f32.memory"));
    assert_true(w_fit_value(&fit, "generate.bf16.memory") > bytes / 2);
    calibration.draw_s = 1e-6; /* of each of 4096 ids */
    make(&fit, &large, NULL);
    assert_true(near(w_fit_value(&fit, "predict.decode"), 1 / (bytes * 0.2e-9 + 4096e-6), 1e-3));
    calibration.draw_s = 0;
}

/* ---- the formulas, which people see, against the work that the layers count ---- */

static void check_formulas(const struct w_conf *conf, enum w_type type)
{
    static struct w_fit fit;
    const struct w_machine m = {.l1d.bytes = 32 << 10, .l2.bytes = 512 << 10};
    struct w_fit_ask ask = {.threads = 2, .type = type, .calibration = &calibration};
    const double times = (double)conf->accumulate;
    const double rows = (double)(conf->batch_size * conf->max_length);
    struct w_work work[W_PHASES];
    struct w_tensors tensors;

    snprintf(calibration.kernel[type], sizeof calibration.kernel[type], "ref");
    for (u32 i = 0; i < calibration.probe_count; i++)
        calibration.probes[i].type = type;
    assert_int_equal(w_fit_make(&fit, conf, &m, &ask, &err), W_DONE);
    assert_int_equal(w_tensors_make(&tensors, conf, &err), W_DONE);
    w_arch_work(work, conf, type);
    for (u32 phase = 0; phase < W_PHASES; phase++) {
        const struct w_work *w = &work[phase];
        const double n = w_phases[phase].of_update ? 1 : times;
        const double unit_s =
            w_fit_phase_value(&fit, "call", phase) + rows * w_fit_phase_value(&fit, "cost", phase);
        const double seconds =
            fmax(n * w->units * unit_s, n * w->bytes / w_fit_phase_value(&fit, "bandwidth", phase));
        if (!near(w_fit_phase_value(&fit, "work", phase), n * w->flops, 1e-12) ||
            !near(w_fit_phase_value(&fit, "traffic", phase), n * w->bytes, 1e-12) ||
            !near(w_fit_phase_value(&fit, "step", phase), seconds, 1e-12))
            fail_msg(
                "%s of d %u, L %u, F %u: %g FLOP, %g B, %g s by the formulas, %g, %g, %g by the "
                "layers",
                w_phases[phase].key, (unsigned)conf->d_model, (unsigned)conf->num_layers,
                (unsigned)conf->d_ff, w_fit_phase_value(&fit, "work", phase),
                w_fit_phase_value(&fit, "traffic", phase), w_fit_phase_value(&fit, "step", phase),
                n * w->flops, n * w->bytes, seconds);
    }
    assert_true(w_fit_value(&fit, "flops.train_causal") == w_arch_flops_per_token(conf));
    assert_true(w_fit_value(&fit, "params") == (double)tensors.parameters);
    w_tensors_free(&tensors);
}

static void formulas_are_the_work_of_the_layers(void **state)
{
    (void)state;
    struct w_rng rng = {.seed = 15};
    for (u32 i = 0; i < 50; i++) {
        const u64 heads = 1 + w_rng_below(&rng, 8);
        struct w_conf conf = conf_of(heads * 8 * (1 + w_rng_below(&rng, 16)),
                                     1 + w_rng_below(&rng, 12), 1 + w_rng_below(&rng, 40));
        conf.num_heads = heads;
        conf.d_ff = 1 + w_rng_below(&rng, 4000);
        conf.vocab_size = 2 + w_rng_below(&rng, 30000);
        conf.max_length = 1 + w_rng_below(&rng, 500);
        conf.accumulate = 1 + w_rng_below(&rng, 4);
        if (i % 3)
            conf.softmax_sample = 1 + w_rng_below(&rng, 6000);
        conf.lazy_rows = w_rng_below(&rng, 2);
        conf.counts = i % 3 ? 0 : 1 + w_rng_below(&rng, 64);
        conf.optimizer = w_rng_below(&rng, 2) ? W_OPTIMIZER_MUON : W_OPTIMIZER_ADAMW;
        check_formulas(&conf, i % 2 ? W_TYPE_BF16 : W_TYPE_F32);
    }
}

/* ---- residuals ---- */

static void residuals_correct_and_narrow(void **state)
{
    (void)state;
    struct w_residuals r = {.ratios = {0.9, 1.1}, .count = 2};
    struct w_correction c = w_residuals_correction(&r, 0.2);
    assert_true(c.factor == 1 && c.interval == 0.2 && c.learned_from == 0);
    r = (struct w_residuals){.ratios = {0.8, 0.88, 0.72}, .count = 3}; /* 0.8 +- 10 % */
    c = w_residuals_correction(&r, 0.2);
    assert_true(near(c.factor, 0.8, 1e-9) && near(c.interval, 0.15, 1e-6));
    for (u32 i = 0; i < 20; i++)
        r.ratios[i] = 1 + 0.001 * i;
    r.count = 20;
    c = w_residuals_correction(&r, 0.2);
    assert_true(near(c.factor, 1.0095, 1e-9) && c.interval == 0.02 && c.learned_from == 20);
    /* the 19th of 20 distances: one outlier does not count */
    r.ratios[3] = 3;
    assert_true(w_residuals_correction(&r, 0.2).interval < 0.1);
}

static void predictions_use_what_was_learned(void **state)
{
    (void)state;
    static struct w_fit before, after;
    struct w_conf conf = conf_of(128, 3, 32);
    struct w_residuals r = {.ratios = {0.8, 0.81, 0.79}, .count = 3};
    make(&before, &conf, NULL);
    make(&after, &conf, &r);
    assert_true(near(w_fit_value(&after, "tok_s"), 0.8 * w_fit_value(&before, "tok_s"), 1e-9));
    assert_true(w_fit_value(&before, "predict.interval") >= 0.2);
    assert_true(w_fit_value(&after, "predict.interval") < 0.03);
    assert_true(before.learned_from == 0 && after.learned_from == 3);
}

static void the_widest_interval_has_two_ends(void **state)
{
    (void)state;
    static struct w_fit fit;
    struct w_conf conf = conf_of(128, 3, 32);
    struct w_residuals r = {.ratios = {0.5, 1, 3}, .count = 3};
    make(&fit, &conf, &r);
    double rate = w_fit_value(&fit, "predict.tok_s"), time = w_fit_value(&fit, "time.total");
    assert_true(w_fit_value(&fit, "predict.interval") == 3);
    assert_true(w_fit_value(&fit, "predict.low") > 0 && w_fit_value(&fit, "predict.low") < rate);
    assert_true(w_fit_value(&fit, "time.most") > time && isfinite(w_fit_value(&fit, "time.most")));
}

static void residuals_are_lines_of_a_file(void **state)
{
    (void)state;
    char path[] = "/tmp/wtools-residuals-XXXXXX";
    struct w_residuals r;
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "{\"ratio\":1.5}\nnoise\n{\"ratio\":", 29), 29);
    close(fd);
    assert_int_equal(w_residuals_read(&r, path, "avx2", &err), W_DONE);
    assert_int_equal(r.count, 0); /* of no kernels */
    unlink(path);
    assert_int_equal(w_residuals_read(&r, path, "avx2", &err), W_DONE);
    assert_int_equal(r.count, 0);
    assert_int_equal(
        w_residuals_add(path, &(struct w_verified){"a", 1}, "avx2", 0.9, 1700000000, &err), W_DONE);
    assert_int_equal(
        w_residuals_add(path, &(struct w_verified){"b", 1}, "ref", 0.1, 1700000000, &err), W_DONE);
    assert_int_equal(
        w_residuals_add(path, &(struct w_verified){"c", 1}, "avx2", 1.1, 1700000000, &err), W_DONE);
    assert_int_equal(
        w_residuals_add(path, &(struct w_verified){"d", 2}, "avx2", 1e6, 1700000000, &err), W_DONE);
    assert_int_equal(w_residuals_read(&r, path, "avx2", &err), W_DONE);
    assert_true(r.count == 2 && r.ratios[0] == 0.9 && r.ratios[1] == 1.1);
    /* the same runs again: the last line of each counts, and that of another time beside it */
    assert_int_equal(
        w_residuals_add(path, &(struct w_verified){"a", 1}, "avx2", 0.8, 1700000001, &err), W_DONE);
    assert_int_equal(
        w_residuals_add(path, &(struct w_verified){"a", 2}, "avx2", 0.7, 1700000001, &err), W_DONE);
    assert_int_equal(w_residuals_read(&r, path, "avx2", &err), W_DONE);
    assert_true(r.count == 3 && r.ratios[0] == 0.8 && r.ratios[1] == 1.1 && r.ratios[2] == 0.7);
    /* of runs without a beginning each line counts */
    for (u32 i = 0; i < 300; i++)
        assert_int_equal(
            w_residuals_add(path, &(struct w_verified){"a", 0}, "avx2", 1 + i / 1e3, 1, &err),
            W_DONE);
    assert_int_equal(w_residuals_read(&r, path, "avx2", &err), W_DONE);
    assert_true(r.count == W_RESIDUALS_MAX && r.ratios[302 % W_RESIDUALS_MAX] == 1.299);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_measured_shape_costs_what_was_measured),
        cmocka_unit_test_setup(shapes_between_cost_something_between, make_fixture),
        cmocka_unit_test(other_numbers_of_threads_follow_amdahl),
        cmocka_unit_test(levels_follow_the_working_set),
        cmocka_unit_test(the_step_is_the_sum_of_its_phases),
        cmocka_unit_test(time_counts_evaluations_and_checkpoints),
        cmocka_unit_test(generation_is_between_the_measured_sizes),
        cmocka_unit_test(residuals_correct_and_narrow),
        cmocka_unit_test(predictions_use_what_was_learned),
        cmocka_unit_test(the_widest_interval_has_two_ends),
        cmocka_unit_test(residuals_are_lines_of_a_file),
        cmocka_unit_test_setup(formulas_are_the_work_of_the_layers, make_fixture),
    };
    return cmocka_run_group_tests(tests, make_fixture, NULL);
}
