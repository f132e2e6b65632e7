/* model_fixture.h - small models with weights and tokens to test with. */
#ifndef W_MODEL_FIXTURE_H
#define W_MODEL_FIXTURE_H

#include <stdlib.h>

#include "base/rng.h"
#include "net/model.h"

/* Shapes that no tile, vector or block divides, and one that all do. */
static const struct shape {
    u64 d_model, num_heads, num_layers, d_ff, vocab_size, batch_size, max_length;
} shapes[] = {
    {10, 2, 2, 13, 131, 3, 7}, /* head_dim 5 */
    {32, 2, 1, 64, 96, 2, 16},
    {3, 3, 1, 1, 2, 1, 1},
    {24, 1, 3, 40, 50, 2, 33},
};

static inline struct w_conf conf_of(const struct shape *s)
{
    return (struct w_conf){.d_model = s->d_model,
                           .num_heads = s->num_heads,
                           .num_layers = s->num_layers,
                           .d_ff = s->d_ff,
                           .vocab_size = s->vocab_size,
                           .batch_size = s->batch_size,
                           .max_length = s->max_length,
                           .learning_rate = 1e-3,
                           .weight_decay = 0.1,
                           .beta1 = 0.9,
                           .beta2 = 0.95,
                           .epsilon = 1e-8,
                           .clip_norm = 1,
                           .accumulate = 1,
                           .init_std = 0.02,
                           .seed = 11};
}

struct run {
    struct w_conf conf;
    struct w_team *team;
    struct w_model *model;
    u32 *ids;
    float *lp; /* with conf.counts: what counts would give */
    u8 *ctx;
    struct w_batch batch; /* of these */
};

static inline struct run start(const struct w_conf *conf, enum w_plan_mode mode, u32 threads,
                               enum w_type type, const struct w_kern *kern)
{
    struct run run = {.conf = *conf};
    struct w_err err;
    u64 count = conf->batch_size * (conf->max_length + 1);
    struct w_rng rng = {.seed = 5};

    if (w_team_new(&run.team, threads, &err) ||
        w_model_new(&run.model, &run.conf, mode, type, kern, run.team, &err))
        fail_msg("%s", err.text);
    w_model_init(run.model);
    /* Values that training would reach: every term of every gradient counts. */
    const struct w_tensors *tensors = w_model_tensors(run.model);
    for (u32 i = 0; i < tensors->count; i++)
        for (u64 j = 0; j < tensors->rows[i].count; j++)
            w_model_weights(run.model)[tensors->rows[i].offset + j] +=
                (float)(0.3 * w_rng_normal(&rng));
    run.ids = malloc(count * sizeof *run.ids);
    for (u64 i = 0; i < count; i++)
        run.ids[i] = (u32)w_rng_below(&rng, conf->vocab_size);
    if (conf->counts) {
        run.lp = malloc(count * sizeof *run.lp);
        run.ctx = malloc(count * conf->counts);
    }
    for (u64 i = 0; conf->counts && i < count; i++)
        run.lp[i] = -(float)(7 * w_rng_unit(&rng));
    for (u64 i = 0; i < conf->counts * count; i++)
        run.ctx[i] = (u8)w_rng_below(&rng, 256);
    run.batch = (struct w_batch){.ids = run.ids, .lp = run.lp, .ctx = run.ctx};
    return run;
}

static inline void finish(struct run *run)
{
    w_model_free(run->model);
    w_team_free(run->team);
    free(run->ids);
    free(run->lp);
    free(run->ctx);
}

/* Three steps by one thread, and the same by two and three: the same bits. */
static inline void check_bits_of_conf(const struct w_conf *conf, const struct w_kern *kern,
                                      enum w_type type)
{
    struct run first = start(conf, W_PLAN_TRAIN, 1, type, kern);
    const u64 bytes = w_model_tensors(first.model)->floats * sizeof(float);
    double loss[3], norm[3];

    for (u64 step = 0; step < 3; step++) {
        first.batch.number = step;
        loss[step] = w_model_gradient(first.model, &first.batch, 1);
        norm[step] = w_model_update(first.model, step + 1, 1e-3);
    }
    for (u32 threads = 2; threads <= 3; threads++) {
        struct run run = start(conf, W_PLAN_TRAIN, threads, type, kern);
        for (u64 step = 0; step < 3; step++) {
            run.batch.number = step;
            assert_true(w_model_gradient(run.model, &run.batch, 1) == loss[step]);
            assert_true(w_model_update(run.model, step + 1, 1e-3) == norm[step]);
        }
        assert_memory_equal(w_model_weights(run.model), w_model_weights(first.model), bytes);
        assert_memory_equal(w_model_state(run.model, 0), w_model_state(first.model, 0), bytes);
        assert_memory_equal(w_model_state(run.model, 1), w_model_state(first.model, 1), bytes);
        finish(&run);
    }
    finish(&first);
}

static inline void check_bits_of_threads(const struct shape *shape, const struct w_kern *kern,
                                         enum w_type type)
{
    const struct w_conf conf = conf_of(shape);
    check_bits_of_conf(&conf, kern, type);
}

/* How far the rounding of operands may change a gradient, relative to its tensor's norm. The
 * longest path from a weight to its gradient rounds operands this often: per layer the outputs of
 * two norms, two matrices, attention and GELU and the matrices themselves; each again in the
 * backward pass; and the head. Each rounding is 2^-9 at most, relative to what it rounds. */
static inline double roundings(const struct w_conf *conf)
{
    return (double)(2 * 12 * conf->num_layers + 6) * 0x1p-9;
}

#endif
