/* Simulated steps among ranks beside what follows by hand: for one exchange, for many, with
 * stragglers; and what a rank does in a step. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fit/simulation.h"
#include "net/tensors.h"

static struct w_err err;

#define MANY 40

/* count exchanges of so many floats, all started after a part of the batches' time. */
struct sample {
    struct w_rank_exchange exchanges[MANY];
    struct w_rank_step step;
};

static const struct w_rank_step *step_of(struct sample *sample, u32 count, u64 floats,
                                         double after_s)
{
    sample->step = (struct w_rank_step){2, 0.5, sample->exchanges, count};
    for (u32 i = 0; i < count; i++)
        sample->exchanges[i] =
            (struct w_rank_exchange){.job = {.items = floats, .item_bytes = 4}, .after_s = after_s};
    return &sample->step;
}

static struct w_simulation between(u32 ranks, double bytes_s, double latency_s)
{
    return (struct w_simulation){.ranks = ranks,
                                 .steps = 1,
                                 .network = {bytes_s, latency_s},
                                 .add_bytes_s = (double)INFINITY};
}

static double seconds(const struct w_simulation *simulation, const struct w_rank_step *step)
{
    double step_s = 0;
    assert_int_equal(w_simulation_run(simulation, step, &step_s, &err), W_DONE);
    return step_s;
}

static void assert_near(double value, double want)
{
    if (!(fabs(value - want) <= 1e-9 * want))
        fail_msg("%.12g, not %.12g", value, want);
}

static void a_perfect_network_costs_nothing(void **state)
{
    struct sample sample;

    (void)state;
    for (u32 ranks = 1; ranks <= W_PEERS_MAX; ranks *= 2) {
        const struct w_simulation perfect = between(ranks, (double)INFINITY, 0);
        assert_near(seconds(&perfect, step_of(&sample, 12, 1 << 20, 2)), 2.5);
    }
}

static void one_rank_exchanges_nothing(void **state)
{
    struct sample sample;
    const struct w_simulation slow = between(1, 1, 10);

    (void)state;
    assert_near(seconds(&slow, step_of(&sample, 12, 1 << 20, 2)), 2.5);
}

/* Few bytes go out whole in each of log2(ranks) stages; of many 2 (1 - 1/ranks), in twice as many,
 * and half of these are added up. */
static void one_exchange_takes_its_stages(void **state)
{
    struct sample sample;
    const double few = 4 * 1024, many = 4 << 20;

    (void)state;
    for (u32 levels = 1; levels <= 10; levels++) {
        struct w_simulation s = between(1u << levels, 1e8, 1e-3);
        const double part = 1 - exp2(-(double)levels);
        s.add_bytes_s = 1e9;
        assert_near(seconds(&s, step_of(&sample, 1, 1024, 2)),
                    2.5 + levels * (1e-3 + few / 1e8 + few / 1e9));
        assert_near(seconds(&s, step_of(&sample, 1, 1 << 20, 2)),
                    2.5 + 2 * levels * 1e-3 + 2 * part * many / 1e8 + part * many / 1e9);
    }
}

static void what_is_sent_early_enough_is_not_waited_for(void **state)
{
    struct sample sample;
    const struct w_simulation s = between(8, 1e8, 1e-3);
    const double takes_s = 6e-3 + 2 * 0.875 * (4 << 20) / 1e8;

    (void)state;
    assert_near(seconds(&s, step_of(&sample, 1, 1 << 20, 2 - takes_s)), 2.5);
    assert_near(seconds(&s, step_of(&sample, 1, 1 << 20, 2 - takes_s + 0.01)), 2.51);
}

/* Without latency the sides of two ranks are never idle. */
static void exchanges_share_the_bandwidth(void **state)
{
    struct sample sample;
    const struct w_simulation s = between(2, 1e8, 0);

    (void)state;
    assert_near(seconds(&s, step_of(&sample, MANY, 1 << 18, 2)), 2.5 + MANY * (1 << 20) / 1e8);
    /* among more ranks the messages of different pairs meet, at little cost */
    const struct w_simulation more = between(64, 1e8, 0);
    const double least = MANY * 2 * (63.0 / 64) * (1 << 20) / 1e8;
    const double takes_s = seconds(&more, step_of(&sample, MANY, 1 << 18, 2)) - 2.5;
    assert_true(takes_s > 0.999 * least && takes_s < 1.1 * least);
}

static void so_many_exchanges_are_under_way_together(void **state)
{
    struct sample sample;
    const struct w_simulation s = between(4, (double)INFINITY, 1e-3);

    (void)state;
    for (u32 count = 1; count <= MANY; count++) {
        const u32 rounds = (count + W_PEERS_AT_A_TIME - 1) / W_PEERS_AT_A_TIME;
        assert_near(seconds(&s, step_of(&sample, count, 16, 2)), 2.5 + rounds * 2e-3);
    }
}

static void an_exchange_that_waits_begins_last(void **state)
{
    struct sample sample;
    const struct w_simulation s = between(2, (double)INFINITY, 1e-3);

    (void)state;
    step_of(&sample, 3, 16, 2);
    sample.exchanges[2].waits = true;
    assert_near(seconds(&s, &sample.step), 2.502);
}

/* The mean of the larger of n numbers, each exp(spread * z): sums over a grid of z. */
static double mean_of_largest(double spread, double n)
{
    double mean = 0, below = 0;

    for (double z = -8; z < 8; z += 1e-4) {
        const double density = exp(-z * z / 2) / sqrt(2 * acos(-1)) * 1e-4;
        mean += exp(spread * z) * (pow(below + density, n) - pow(below, n));
        below += density;
    }
    return mean;
}

static void a_step_takes_as_long_as_its_slowest_rank(void **state)
{
    struct sample sample;

    (void)state;
    step_of(&sample, 1, 16, 2);
    sample.step.update_s = 0; /* it would be that of the next step's other draws */
    for (u32 ranks = 1; ranks <= 64; ranks *= 4) {
        struct w_simulation s = between(ranks, (double)INFINITY, 0);
        s.steps = 20000;
        s.spread = 0.2;
        s.seed = 5;
        const double want = 2 * mean_of_largest(0.2, ranks), have = seconds(&s, &sample.step);
        if (!(fabs(have / want - 1) < 0.005))
            fail_msg("%u ranks: %g, not %g", ranks, have, want);
        assert_true(seconds(&s, &sample.step) == have);
        s.seed++;
        assert_true(seconds(&s, &sample.step) != have);
    }
}

/* ---- what a rank does ---- */

static struct w_conf large_conf(void)
{
    struct w_conf conf;

    assert_int_equal(w_conf_load(&conf, "configs/wiki_cache_optimized.json", &err), W_DONE);
    conf.accumulate = 8;
    conf.optimizer = W_OPTIMIZER_ADAMW;
    conf.softmax_sample = 0;
    return conf;
}

static void a_rank_exchanges_every_gradient_once(void **state)
{
    const struct w_conf conf = large_conf();
    struct w_tensors tensors;
    struct w_rank_step step;
    double phase_s[W_PHASES], all_s = 0;
    u64 sent = 0;

    (void)state;
    for (u32 phase = 0; phase < W_PHASES; phase++) {
        phase_s[phase] = 1 + phase;
        all_s += w_phases[phase].of_update || phase == W_PHASE_GATE ? 0 : phase_s[phase];
    }
    phase_s[W_PHASE_GATE] = 0;
    assert_int_equal(w_tensors_make(&tensors, &conf, &err), W_DONE);
    assert_int_equal(w_rank_step_make(&step, &conf, phase_s, 4, &err), W_DONE);
    assert_near(step.batches_s, all_s / 4);
    assert_near(step.update_s, phase_s[W_PHASE_ORTHOGONALISE] + phase_s[W_PHASE_UPDATE]);
    for (u32 i = 0; i < step.count - 2; i++) {
        sent += step.exchanges[i].job.items;
        assert_true(i == 0 || step.exchanges[i].after_s >= step.exchanges[i - 1].after_s);
        /* in the backward pass of the last of two batches, after more than its forward pass */
        assert_true(step.exchanges[i].after_s > all_s / 8 + phase_s[W_PHASE_LINEAR] / 8);
    }
    assert_int_equal(sent, tensors.floats);
    /* what ranks say is no gradient, and the table of ids comes at the end */
    assert_near(step.exchanges[step.count - 1].after_s, step.batches_s);
    assert_near(step.exchanges[step.count - 3].after_s, step.batches_s);
    /* of four equal blocks each takes as long */
    assert_true(step.exchanges[0].after_s <
                step.batches_s - 3.0 / 4 * phase_s[W_PHASE_LINEAR_BACK] / 8);
    w_rank_step_idle(&step);
    assert_true(step.batches_s == 0 && step.exchanges[0].after_s == 0);
    w_rank_step_free(&step);
    w_tensors_free(&tensors);
}

static void a_sampled_softmax_exchanges_what_it_has_seen(void **state)
{
    struct w_conf conf = large_conf();
    struct w_rank_step plain, sampled;
    const double phase_s[W_PHASES] = {0};

    (void)state;
    assert_int_equal(w_rank_step_make(&plain, &conf, phase_s, 2, &err), W_DONE);
    conf.softmax_sample = 2048;
    conf.lazy_rows = 1;
    assert_int_equal(w_rank_step_make(&sampled, &conf, phase_s, 2, &err), W_DONE);
    assert_int_equal(sampled.count, plain.count + 2);
    assert_true(sampled.exchanges[plain.count].waits && sampled.exchanges[plain.count + 1].waits);
    assert_int_equal(sampled.exchanges[plain.count].job.items, conf.vocab_size);
    w_rank_step_free(&plain);
    w_rank_step_free(&sampled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_perfect_network_costs_nothing),
        cmocka_unit_test(one_rank_exchanges_nothing),
        cmocka_unit_test(one_exchange_takes_its_stages),
        cmocka_unit_test(what_is_sent_early_enough_is_not_waited_for),
        cmocka_unit_test(exchanges_share_the_bandwidth),
        cmocka_unit_test(so_many_exchanges_are_under_way_together),
        cmocka_unit_test(an_exchange_that_waits_begins_last),
        cmocka_unit_test(a_step_takes_as_long_as_its_slowest_rank),
        cmocka_unit_test(a_rank_exchanges_every_gradient_once),
        cmocka_unit_test(a_sampled_softmax_exchanges_what_it_has_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
