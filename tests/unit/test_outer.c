/* Rounds of local steps beside a plain computation in double precision: of ranks that are pretended
 * here, and of a model that is alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "model_fixture.h"
#include "net/outer.h"
#include "net/seen_targets.h"

#define RATE 0.7
#define MOMENTUM 0.9
#define FLOATS 40003 /* more than two items of the team, and no multiple of a vector */
#define RANKS 4
#define ROUNDS 3

static float *draw(u64 count, double deviation, u64 seed)
{
    struct w_rng rng = {.seed = seed};
    float *x = malloc(count * sizeof *x);

    for (u64 i = 0; i < count; i++)
        x[i] = (float)(deviation * w_rng_normal(&rng));
    return x;
}

/* ---- pretended ranks ---- */

/* Weights and a state. */
struct pretended {
    struct w_outer outer;
    float *memory;
};

static struct pretended pretend(const struct w_engine *engine, const float *weights)
{
    struct pretended p = {.memory = calloc(6 * FLOATS, sizeof(float))};
    float *m = p.memory;

    memcpy(m, weights, FLOATS * sizeof *m);
    p.outer = (struct w_outer){
        .engine = engine,
        .blocks = {{m, m + FLOATS, FLOATS}, {m + 2 * FLOATS, m + 3 * FLOATS, FLOATS / 2}},
        .count = 2,
        .momentum = m + 4 * FLOATS,
        .gradient = m + 5 * FLOATS};
    w_outer_begin(&p.outer);
    return p;
}

/* x of all ranks becomes their sum: of ranks 0 and 1, of 2 and 3, then of these. */
static void sum(float *x[RANKS], u32 ranks, u64 n)
{
    for (u32 apart = 1; apart < ranks; apart *= 2)
        for (u32 r = 0; r < ranks; r += 2 * apart)
            for (u64 i = 0; i < n; i++)
                x[r][i] += x[r + apart][i];
    for (u32 r = 1; r < ranks; r++)
        memcpy(x[r], x[0], n * sizeof **x);
}

static void end_round(struct pretended *p, u32 ranks)
{
    float *gradients[RANKS], *states[RANKS];

    for (u32 r = 0; r < ranks; r++) {
        w_outer_gradient(&p[r].outer);
        gradients[r] = p[r].outer.gradient;
        states[r] = p[r].outer.blocks[1].now;
    }
    sum(gradients, ranks, FLOATS);
    sum(states, ranks, p->outer.blocks[1].floats);
    for (u32 r = 0; r < ranks; r++)
        w_outer_step(&p[r].outer, ranks, RATE, MOMENTUM);
}

static void near(double got, double want, double tolerance, u64 at)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("number %d is %.9g, not %.9g", (int)at, got, want);
}

static void check_ranks(const struct w_engine *engine, u32 ranks)
{
    float *weights = draw(FLOATS, 1, 1), *zeros = calloc(FLOATS, sizeof *zeros);
    double *common = calloc(FLOATS, sizeof *common), *buffer = calloc(FLOATS, sizeof *buffer);
    struct pretended p[RANKS];

    for (u64 i = 0; i < FLOATS; i++)
        common[i] = (double)weights[i];
    for (u32 r = 0; r < ranks; r++)
        p[r] = pretend(engine, weights);
    for (u64 round = 0; round < ROUNDS; round++) {
        double *mean = calloc(FLOATS, sizeof *mean), *state = calloc(FLOATS, sizeof *state);
        for (u32 r = 0; r < ranks; r++) {
            float *steps = draw(FLOATS, 0.1, 100 * round + r);
            for (u64 i = 0; i < FLOATS; i++) {
                p[r].outer.blocks[0].now[i] += steps[i];
                mean[i] -= (double)steps[i] / ranks;
            }
            for (u64 i = 0; i < FLOATS / 2; i++) {
                p[r].outer.blocks[1].now[i] += steps[i];
                state[i] += (double)p[r].outer.blocks[1].now[i] / ranks;
            }
            free(steps);
        }
        end_round(p, ranks);
        for (u64 i = 0; i < FLOATS; i++) {
            buffer[i] = MOMENTUM * buffer[i] + mean[i];
            common[i] -= RATE * (mean[i] + MOMENTUM * buffer[i]);
            near((double)p[0].outer.blocks[0].now[i], common[i], 4e-6, i);
        }
        for (u64 i = 0; i < FLOATS / 2; i++)
            near((double)p[0].outer.blocks[1].now[i], state[i], 1e-6, i);
        for (u32 r = 0; r < ranks; r++) {
            for (u32 b = 0; b < 2; b++) {
                const struct w_outer_block *block = &p[r].outer.blocks[b];
                const u64 bytes = block->floats * sizeof(float);
                assert_memory_equal(block->now, p[0].outer.blocks[b].now, bytes);
                assert_memory_equal(block->common, block->now, bytes);
            }
            assert_memory_equal(p[r].outer.gradient, zeros, FLOATS * sizeof *zeros);
        }
        free(mean);
        free(state);
    }
    for (u32 r = 0; r < ranks; r++)
        free(p[r].memory);
    free(weights);
    free(zeros);
    free(common);
    free(buffer);
}

static void ranks_take_the_step_of_nesterov(void **state)
{
    const struct w_kern *kern;
    const char *why;
    struct w_err err;

    (void)state;
    for (u32 k = 0; (kern = w_kern_all()[k]); k++) {
        struct w_engine engine = {.kern = kern};
        if (!w_kern_usable(kern, &why))
            continue;
        assert_int_equal(w_team_new(&engine.team, 2, &err), W_DONE);
        for (u32 ranks = 1; ranks <= RANKS; ranks *= 2)
            check_ranks(&engine, ranks);
        w_team_free(engine.team);
    }
}

static void a_dropped_round_has_not_been(void **state)
{
    struct w_engine engine = {0};
    struct w_err err;
    float *weights = draw(FLOATS, 1, 1), *steps = draw(FLOATS, 0.1, 2);

    (void)state;
    assert_int_equal(w_kern_choose(&engine.kern, "auto", &err), W_DONE);
    assert_int_equal(w_team_new(&engine.team, 2, &err), W_DONE);
    struct pretended p = pretend(&engine, weights);
    struct w_outer_block *blocks = p.outer.blocks;
    memcpy(blocks[0].now, steps, FLOATS * sizeof *steps);
    memcpy(blocks[1].now, steps, FLOATS / 2 * sizeof *steps);
    w_outer_drop(&p.outer);
    assert_memory_equal(blocks[0].now, weights, FLOATS * sizeof *weights);
    for (u64 i = 0; i < FLOATS / 2; i++)
        assert_true(blocks[1].now[i] == 0);
    free(p.memory);
    free(weights);
    free(steps);
    w_team_free(engine.team);
}

/* ---- a model alone ---- */

static struct w_conf conf_with_rounds(u64 local_steps)
{
    struct w_conf conf = conf_of(&shapes[0]);

    conf.local_steps = local_steps;
    conf.outer_learning_rate = RATE;
    conf.outer_momentum = MOMENTUM;
    return conf;
}

/* Steps first to last of a model, on ids that depend on the step. */
static void train(struct run *run, u64 first, u64 last)
{
    const u64 count = run->conf.batch_size * (run->conf.max_length + 1);

    for (u64 step = first; step <= last; step++) {
        for (u64 i = 0; i < count; i++)
            run->ids[i] = (u32)((i * 7 + step * 13 + i * step) % run->conf.vocab_size);
        w_model_gradient(run->model, &run->batch, 1);
        w_model_update(run->model, step, 1e-2);
    }
}

/* Rounds of a model that has them, beside the same steps of one that has not, and gets the weights
 * of the reference after each round. */
static void check_model(u32 optimizer, enum w_type type, const struct w_kern *kern)
{
    struct w_conf conf = conf_with_rounds(3), plain = conf_with_rounds(0);
    struct w_err err;
    double norm = 0;

    conf.optimizer = plain.optimizer = optimizer;
    struct run got = start(&conf, W_PLAN_TRAIN, 2, type, kern);
    struct run want = start(&plain, W_PLAN_TRAIN, 2, type, kern);
    const u64 floats = w_model_tensors(want.model)->floats;
    double *buffer = calloc(floats, sizeof *buffer);
    w_model_begin_round(got.model);
    for (u64 round = 0; round < ROUNDS; round++) {
        double squares = 0;
        float *before = malloc(floats * sizeof *before), *w = w_model_weights(want.model);
        memcpy(before, w, floats * sizeof *before);
        train(&got, 3 * round + 1, 3 * round + 3);
        train(&want, 3 * round + 1, 3 * round + 3);
        check_same_bits(got.model, want.model);
        assert_int_equal(w_model_end_round(got.model, &norm, &err), W_DONE);
        for (u64 i = 0; i < floats; i++) {
            const double g = (double)before[i] - (double)w[i];
            squares += g * g;
            buffer[i] = MOMENTUM * buffer[i] + g;
            near((double)w_model_weights(got.model)[i],
                 (double)before[i] - RATE * (g + MOMENTUM * buffer[i]), 1e-6, i);
            near((double)w_model_state(got.model, W_OUTER_STATE)[i], buffer[i], 1e-6, i);
        }
        near(norm, sqrt(squares), 1e-6 * norm, 0);
        memcpy(w_model_weights(want.model), w_model_weights(got.model), floats * sizeof *w);
        free(before);
    }
    check_same_bits(got.model, want.model);
    free(buffer);
    finish(&got);
    finish(&want);
}

static void a_model_alone_has_rounds(void **state)
{
    const struct w_kern *kern = NULL;
    enum w_type type;
    struct w_err err;

    (void)state;
    for (u32 precision = W_PRECISION_FP32; precision <= W_PRECISION_BF16; precision++) {
        assert_int_equal(w_kern_choose_precision(&kern, &type, NULL, precision, &err), W_DONE);
        check_model(W_OPTIMIZER_ADAMW, type, kern);
        check_model(W_OPTIMIZER_MUON, type, kern);
    }
}

/* Products see the new weights, though nobody has asked for these (w_model_weights() says that they
 * may have changed). */
static void weights_of_a_new_round_are_packed(void **state)
{
    struct w_conf conf = conf_with_rounds(2);
    const struct w_kern *kern = NULL;
    enum w_type type;
    struct w_err err;
    double norm = 0;

    (void)state;
    assert_int_equal(w_kern_choose_precision(&kern, &type, NULL, W_PRECISION_BF16, &err), W_DONE);
    struct run got = start(&conf, W_PLAN_TRAIN, 1, type, kern);
    struct run want = start(&conf, W_PLAN_TRAIN, 1, type, kern);
    w_model_begin_round(got.model);
    w_model_begin_round(want.model);
    for (u64 round = 0; round < ROUNDS; round++) {
        train(&got, 2 * round + 1, 2 * round + 2);
        train(&want, 2 * round + 1, 2 * round + 2);
        assert_int_equal(w_model_end_round(got.model, &norm, &err), W_DONE);
        assert_int_equal(w_model_end_round(want.model, &norm, &err), W_DONE);
        w_model_weights(want.model);
        if (round == 1) { /* once more after a round that is dropped */
            train(&got, 5, 5);
            w_model_drop_round(got.model);
        }
    }
    check_same_bits(got.model, want.model);
    finish(&got);
    finish(&want);
}

/* Of two ranks each adds the targets of both. */
static void targets_that_ranks_have_seen_are_added(void **state)
{
    enum { IDS = 3 };
    const struct w_conf conf = {.vocab_size = IDS};
    u32 arrays[2][3][IDS] = {{{7, 0, UINT32_MAX - 3}}, {{7, 0, UINT32_MAX - 3}}};
    static const u32 steps[2][IDS] = {{1, 0, 2}, {4, 5, 2}};
    static const u32 want[IDS] = {12, 5, UINT32_MAX};
    struct w_seen_targets seen[2];

    (void)state;
    for (u32 r = 0; r < 2; r++) {
        seen[r] = (struct w_seen_targets){arrays[r][0], arrays[r][1], arrays[r][2]};
        w_seen_targets_begin_round(&seen[r], &conf);
        memcpy(seen[r].step, steps[r], sizeof *steps);
        w_seen_targets_settle(&seen[r], &conf);
        w_seen_targets_reopen(&seen[r], &conf);
        assert_memory_equal(seen[r].step, steps[r], sizeof *steps);
    }
    for (u32 id = 0; id < IDS; id++)
        seen[0].step[id] = seen[1].step[id] += seen[0].step[id];
    for (u32 r = 0; r < 2; r++) {
        w_seen_targets_settle(&seen[r], &conf);
        assert_memory_equal(seen[r].run, want, sizeof want);
    }
}

/* A round that is dropped in the middle of a step, and taken again, gives the bits of one that was
 * not, with the targets that a sampled softmax has seen. */
static void a_round_is_taken_again(void **state)
{
    struct w_conf conf = conf_with_rounds(2);
    const struct w_kern *kern = NULL;
    struct w_err err;
    double norm = 0;

    (void)state;
    conf.softmax_sample = 64;
    assert_int_equal(w_kern_choose(&kern, "auto", &err), W_DONE);
    struct run got = start(&conf, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    struct run want = start(&conf, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    const u64 ids = conf.vocab_size * sizeof(u32);
    w_model_begin_round(got.model);
    w_model_begin_round(want.model);
    train(&got, 1, 2);
    train(&want, 1, 2);
    assert_int_equal(w_model_end_round(got.model, &norm, &err), W_DONE);
    assert_int_equal(w_model_end_round(want.model, &norm, &err), W_DONE);
    u64 targets = 0;
    for (u64 id = 0; id < conf.vocab_size; id++)
        targets += w_model_seen(got.model)[id];
    assert_int_equal(targets, 2 * conf.batch_size * conf.max_length);
    train(&got, 3, 3);
    w_model_drop_round(got.model);
    check_same_bits(got.model, want.model);
    assert_memory_equal(w_model_seen(got.model), w_model_seen(want.model), ids);
    train(&got, 3, 4);
    train(&want, 3, 4);
    assert_int_equal(w_model_end_round(got.model, &norm, &err), W_DONE);
    assert_int_equal(w_model_end_round(want.model, &norm, &err), W_DONE);
    check_same_bits(got.model, want.model);
    assert_memory_equal(w_model_seen(got.model), w_model_seen(want.model), ids);
    finish(&got);
    finish(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_take_the_step_of_nesterov),
        cmocka_unit_test(a_dropped_round_has_not_been),
        cmocka_unit_test(a_model_alone_has_rounds),
        cmocka_unit_test(weights_of_a_new_round_are_packed),
        cmocka_unit_test(targets_that_ranks_have_seen_are_added),
        cmocka_unit_test(a_round_is_taken_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
