#include "bench/step_probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "net/model.h"

#define SAMPLES_MAX 16
#define QUARTER 4
#define RATE_TOKENS 1024 /* of the batch from which w_step_rate() concludes */
#define RATE_SAMPLES 2

const char *const w_step_part_keys[W_STEP_PARTS] = {
    "embedding", "norm", "linear", "linear_back", "attention", "attention_back", "head", "update",
};

/* Widths from 64 to 768, lengths from 64 to 512, heads of 32 to 64 columns, vocabularies of 4k and
 * 16k; the ones that say most come first. A step takes a core at 50 GFLOP/s 0.1 to 0.7 s. */
const struct w_shape w_shapes[] = {
    {64, 2, 256, 4096, 512, 4},    {128, 4, 512, 4096, 128, 16},
    {512, 8, 2048, 4096, 64, 16},  {256, 4, 1024, 4096, 256, 4},
    {768, 12, 3072, 4096, 128, 4}, {256, 8, 1024, 16000, 64, 8},
    {384, 8, 1536, 4096, 128, 8},  {0, 0, 0, 0, 0, 0},
};

double w_part_units(enum w_step_part part, const struct w_conf *c)
{
    double d = (double)c->d_model, d_ff = (double)c->d_ff, vocab = (double)c->vocab_size;
    double length = (double)c->max_length;

    switch (part) {
    case W_STEP_EMBEDDING:
    case W_STEP_NORM: return d;
    case W_STEP_LINEAR:
    case W_STEP_LINEAR_BACK: return 4 * d * d + 2 * d * d_ff;
    case W_STEP_ATTENTION:
    case W_STEP_ATTENTION_BACK: return d * length;
    case W_STEP_HEAD: return vocab * d;
    case W_STEP_UPDATE:
        return (vocab + length) * d + (double)c->num_layers * (4 * d * d + 2 * d * d_ff);
    case W_STEP_PARTS: break;
    }
    return NAN;
}

struct w_conf w_shape_conf(const struct w_shape *s, u64 batch_size)
{
    return (struct w_conf){.d_model = s->d_model,
                           .num_heads = s->num_heads,
                           .num_layers = 1,
                           .d_ff = s->d_ff,
                           .vocab_size = s->vocab_size,
                           .batch_size = batch_size,
                           .max_length = s->max_length,
                           .learning_rate = 1e-4,
                           .beta1 = 0.9,
                           .beta2 = 0.95,
                           .epsilon = 1e-8,
                           .clip_norm = 1,
                           .accumulate = 1,
                           .init_std = 0.02,
                           .seed = 1};
}

/* Seconds of each part in `samples` steps: samples x parts. */
static enum w_status time_steps(const struct w_conf *conf, const struct w_kern *kern,
                                enum w_type type, struct w_team *team, u32 samples,
                                double times[SAMPLES_MAX][W_STEP_PARTS], struct w_err *err)
{
    const u64 count = conf->batch_size * (conf->max_length + 1);
    struct w_rng rng = {.seed = 1};
    struct w_model *model = NULL;
    const struct w_part_time *parts;
    u32 *ids = malloc(count * sizeof *ids);

    if (!ids)
        return w_fail(err, W_NOMEM, "no memory for a batch");
    for (u64 i = 0; i < count; i++)
        ids[i] = (u32)w_rng_below(&rng, conf->vocab_size);
    enum w_status status = w_model_new(&model, conf, W_PLAN_TRAIN, type, kern, team, err);
    if (status)
        goto out;
    w_model_init(model);
    for (u32 step = 0; step <= samples; step++) {
        w_model_times_reset(model);
        w_model_gradient(model, ids, 1);
        w_model_update(model, step + 1, conf->learning_rate);
        w_model_times(model, &parts);
        for (u32 part = 0; part < W_STEP_PARTS && step > 0; part++)
            times[step - 1][part] = parts[part].seconds;
    }
out:
    w_model_free(model);
    free(ids);
    return status;
}

/* Two points on a line, through which noise must not draw one that falls or that has no slope. */
static struct w_part_cost cost_of(struct w_probe all, struct w_probe quarter, double tokens,
                                  double units)
{
    double slope = (all.seconds - quarter.seconds) / (tokens - tokens / QUARTER);
    double steepest = all.seconds / tokens;
    slope = W_MIN(W_MAX(slope, 0.7 * steepest), steepest);
    return (struct w_part_cost){.token_s = slope / units,
                                .call_s = (all.seconds - slope * tokens) / units,
                                .spread = all.spread};
}

enum w_status w_step_probe_run(struct w_step_probe *p, const struct w_shape *shape,
                               const struct w_kern *kern, enum w_type type, struct w_team *team,
                               u32 samples, struct w_err *err)
{
    double times[2][SAMPLES_MAX][W_STEP_PARTS];
    struct w_conf conf = w_shape_conf(shape, shape->batch_size);
    const double tokens = (double)(conf.batch_size * conf.max_length);

    samples = W_MIN(samples, SAMPLES_MAX);
    *p = (struct w_step_probe){
        .shape = *shape, .type = type, .threads = w_team_size(team), .samples = samples};
    enum w_status status = time_steps(&conf, kern, type, team, samples, times[0], err);
    conf.batch_size /= QUARTER;
    if (!status)
        status = time_steps(&conf, kern, type, team, samples, times[1], err);
    for (u32 part = 0; part < W_STEP_PARTS && !status; part++) {
        struct w_probe probes[2];
        for (u32 size = 0; size < 2; size++) {
            double column[SAMPLES_MAX];
            for (u32 i = 0; i < samples; i++)
                column[i] = times[size][i][part];
            probes[size] = w_probe_of(column, samples);
        }
        p->parts[part] = cost_of(probes[0], probes[1], tokens, w_part_units(part, &conf));
        if (part == W_STEP_UPDATE) { /* once a step, however many tokens */
            p->parts[part].token_s = 0;
            p->parts[part].call_s = probes[0].seconds / w_part_units(part, &conf);
        }
    }
    return status;
}

enum w_status w_step_rate(double *tokens_per_s, const struct w_conf *conf, double step_tokens,
                          const struct w_kern *kern, enum w_type type, struct w_team *team,
                          struct w_err *err)
{
    double times[SAMPLES_MAX][W_STEP_PARTS], gradients[RATE_SAMPLES] = {0}, updates[RATE_SAMPLES];
    struct w_conf small = *conf;

    small.batch_size = W_MAX(1, W_MIN(conf->batch_size, RATE_TOKENS / conf->max_length));
    enum w_status status = time_steps(&small, kern, type, team, RATE_SAMPLES, times, err);
    if (status)
        return status;
    for (u32 i = 0; i < RATE_SAMPLES; i++) {
        updates[i] = times[i][W_STEP_UPDATE];
        for (u32 part = 0; part < W_STEP_PARTS; part++)
            gradients[i] += part == W_STEP_UPDATE ? 0 : times[i][part];
    }
    double token_s =
        w_probe_of(gradients, RATE_SAMPLES).seconds / (double)(small.batch_size * small.max_length);
    *tokens_per_s =
        step_tokens / (token_s * step_tokens + w_probe_of(updates, RATE_SAMPLES).seconds);
    return W_DONE;
}
