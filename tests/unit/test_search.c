/* The scaling law, the search within a budget, and the change that makes a configuration fit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fit/scaling_law.h"
#include "fit/search.h"
#include "bench/target.h"
#include "tests/unit/calibration_fixture.h"

static struct w_err err;
static struct w_calibration calibration;
static struct w_machine machine;
static struct w_conf base;
static bool keep; /* length and weight decay of base */

static int make_fixture(void **state)
{
    (void)state;
    make_calibration(&calibration);
    enum w_status status = w_target_find(&machine, "seed-host", &err);
    if (!status)
        status = w_conf_load(&base, "configs/demo.json", &err);
    base.optimizer = W_OPTIMIZER_ADAMW;
    base.softmax_sample = 0;
    return status;
}

static double bits_of(const struct w_conf *conf, double tokens)
{
    static struct w_fit fit;
    struct w_fit_ask ask = {.threads = 2, .tokens = tokens};
    assert_int_equal(w_fit_make(&fit, conf, &machine, &ask, &err), W_DONE);
    return w_fit_value(&fit, "predict.bits");
}

static void more_tokens_and_larger_models_are_better(void **state)
{
    (void)state;
    struct w_conf larger = base, wasteful = base;
    larger.d_model *= 2;
    wasteful.batch_size *= 16;
    assert_true(bits_of(&base, 2e6) < bits_of(&base, 1e6));
    assert_true(bits_of(&larger, 1e6) <= bits_of(&base, 1e6));
    assert_true(bits_of(&wasteful, 1e6) > bits_of(&base, 1e6));
    assert_true(bits_of(&base, 1e12) > w_recipe_of(&base)->law[W_LAW_FLOOR]);
    const struct w_recipe *adamw = &w_recipes[W_OPTIMIZER_ADAMW];
    assert_true(w_recipe_rate(adamw, 128, 1024) == 0.002);
    assert_true(w_recipe_rate(adamw, 512, 1024) == 0.001);
    assert_true(w_recipe_rate(adamw, 128, 4096) == 0.004);
}

static void the_best_step_grows_with_the_tokens(void **state)
{
    (void)state;
    struct w_conf small = base, large;
    small.optimizer = W_OPTIMIZER_MUON;
    small.max_length = 128;
    small.batch_size = 16;
    large = small;
    large.batch_size = 64;
    assert_true(bits_of(&small, 1e6) < bits_of(&large, 1e6));
    assert_true(bits_of(&large, 24e6) < bits_of(&small, 24e6));
}

/* ---- search ---- */

static enum w_status best(struct w_found *found, u32 *count, double seconds, double bytes,
                          const struct w_calibration *c)
{
    struct w_fit_ask ask = {.threads = 2, .calibration = c};
    struct w_search_limits limits = {
        .seconds = seconds, .bytes = bytes, .keep_length = keep, .keep_decay = keep};
    return w_search_best(found, 3, count, &base, &machine, &ask, &limits, &err);
}

static void the_best_are_sorted_and_keep_to_the_limits(void **state)
{
    (void)state;
    struct w_found found[3];
    u32 count;
    assert_int_equal(best(found, &count, 300, 200e6, &calibration), W_DONE);
    assert_int_equal(count, 3);
    for (u32 i = 0; i < count; i++) {
        const struct w_found *f = &found[i];
        assert_true(f->resident <= 200e6);
        assert_true(i == 0 || f->rank >= found[i - 1].rank);
        assert_true(f->rank == f->bits * (f->outside ? 1.01 : 1));
        assert_true(fabs(f->tokens - f->tok_s * 300) < 1);
        assert_int_equal(w_conf_check(&f->conf, &err), W_DONE);
        assert_int_equal(f->conf.schedule, W_SCHEDULE_COSINE);
        assert_true(f->conf.steps == 0 && f->conf.warmup_steps > 0); /* the time is the span */
        assert_true(f->conf.max_length == base.max_length);
    }
}

static void no_candidate_is_listed_twice(void **state)
{
    (void)state;
    struct w_found found[3];
    u32 count;
    struct w_conf had = base;
    base.max_length = 8192; /* every number of tokens is one sequence */
    assert_int_equal(best(found, &count, 300, 20e9, &calibration), W_DONE);
    assert_int_equal(count, 3);
    for (u32 i = 1; i < count; i++)
        assert_memory_not_equal(&found[i].conf, &found[i - 1].conf, sizeof base);
    base = had;
}

static void more_time_asks_for_a_larger_model(void **state)
{
    (void)state;
    struct w_found minute[3], day[3];
    u32 count;
    assert_int_equal(best(minute, &count, 60, 8e9, &calibration), W_DONE);
    assert_int_equal(best(day, &count, 86400, 8e9, &calibration), W_DONE);
    assert_true(day[0].bits < minute[0].bits);
    double small =
        (double)(minute[0].conf.d_model * minute[0].conf.d_model * minute[0].conf.num_layers);
    double large = (double)(day[0].conf.d_model * day[0].conf.d_model * day[0].conf.num_layers);
    assert_true(large >= small);
}

static void a_long_run_has_longer_sequences_and_forgets_more_slowly(void **state)
{
    (void)state;
    const struct w_recipe *muon = &w_recipes[W_OPTIMIZER_MUON];
    struct w_found found[3];
    u32 count;
    struct w_conf had = base;
    base.optimizer = W_OPTIMIZER_MUON;
    base.weight_decay = 0.1;
    assert_int_equal(best(found, &count, 60, 8e9, &calibration), W_DONE);
    assert_true(found[0].conf.max_length == base.max_length && found[0].conf.weight_decay == 0.1);
    assert_int_equal(best(found, &count, 1e8, 8e9, &calibration), W_DONE);
    const struct w_conf *c = &found[0].conf;
    const double steps = found[0].tokens / (double)(c->batch_size * c->max_length);
    assert_true(found[0].tokens > muon->long_tokens && c->max_length == muon->long_length);
    assert_true(c->weight_decay < 0.1);
    assert_true(fabs(c->weight_decay * c->muon_learning_rate * steps * muon->decay_part - 1) <
                1e-9);
    keep = true;
    assert_int_equal(best(found, &count, 1e8, 8e9, &calibration), W_DONE);
    assert_true(c->max_length == base.max_length && c->weight_decay == 0.1);
    keep = false;
    base = had;
}

static void a_search_without_an_answer_says_why(void **state)
{
    (void)state;
    struct w_found found[3];
    u32 count;
    struct w_machine had = machine;
    assert_int_equal(best(found, &count, 300, 1e6, &calibration), W_NO);
    assert_non_null(strstr(err.text, "limits"));
    assert_int_equal(best(found, &count, 300, 1e6, NULL), W_NO); /* a peak is a rate too */
    assert_non_null(strstr(err.text, "limits"));
    machine.flops_per_s.value = 0; /* not even a peak to go by */
    assert_int_equal(best(found, &count, 300, 8e9, NULL), W_NO);
    assert_non_null(strstr(err.text, "wcachefit calibrate"));
    machine = had;
}

/* ---- fitting ---- */

static u64 plan_bytes(const struct w_conf *conf)
{
    struct w_plan plan;
    assert_int_equal(w_plan_make(&plan, conf, W_PLAN_TRAIN, W_TYPE_F32, 2, &err), W_DONE);
    return plan.bytes;
}

static void what_fits_is_left_as_it_is(void **state)
{
    (void)state;
    struct w_change change;
    assert_int_equal(w_search_fit(&change, &base, W_TYPE_F32, 2, 1e12, &err), W_DONE);
    assert_string_equal(change.flags, "");
    assert_true(change.batch > base.batch_size && change.lost == 0);
}

static void a_smaller_batch_with_accumulation_comes_first(void **state)
{
    (void)state;
    struct w_change change;
    struct w_conf conf = base;
    conf.batch_size = 64;
    double room = (double)plan_bytes(&conf) * 0.6;
    assert_int_equal(w_search_fit(&change, &conf, W_TYPE_F32, 2, room, &err), W_DONE);
    assert_true(change.conf.batch_size * change.conf.accumulate == 64);
    assert_true(change.lost == 0 && change.bytes <= room &&
                plan_bytes(&change.conf) == change.bytes);
    assert_true(change.batch >= change.conf.batch_size);
    assert_non_null(strstr(change.flags, "--set accumulate="));
}

static void then_the_model_shrinks(void **state)
{
    (void)state;
    struct w_change change;
    struct w_conf conf;
    assert_int_equal(w_conf_load(&conf, "configs/wiki_gpu_optimized.json", &err), W_DONE);
    assert_int_equal(w_search_fit(&change, &conf, W_TYPE_F32, 2, 300e6, &err), W_DONE);
    assert_non_null(strstr(change.flags, "--set num_layers="));
    assert_true(change.lost > 0 && change.lost < 1 && change.bytes <= 300e6);
    assert_int_equal(w_search_fit(&change, &conf, W_TYPE_F32, 2, 150e6, &err), W_DONE);
    assert_non_null(strstr(change.flags, "--set d_model="));
    assert_int_equal(w_conf_check(&change.conf, &err), W_DONE);
    assert_int_equal(w_search_fit(&change, &conf, W_TYPE_F32, 2, 1e6, &err), W_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_tokens_and_larger_models_are_better),
        cmocka_unit_test(the_best_step_grows_with_the_tokens),
        cmocka_unit_test(the_best_are_sorted_and_keep_to_the_limits),
        cmocka_unit_test(no_candidate_is_listed_twice),
        cmocka_unit_test(more_time_asks_for_a_larger_model),
        cmocka_unit_test(a_long_run_has_longer_sequences_and_forgets_more_slowly),
        cmocka_unit_test(a_search_without_an_answer_says_why),
        cmocka_unit_test(what_fits_is_left_as_it_is),
        cmocka_unit_test(a_smaller_batch_with_accumulation_comes_first),
        cmocka_unit_test(then_the_model_shrinks),
    };
    return cmocka_run_group_tests(tests, make_fixture, NULL);
}
