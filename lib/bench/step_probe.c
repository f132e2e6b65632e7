/* Steps of small models, timed phase by phase, and what a unit of work costs according to them. */
#include "bench/step_probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "net/model.h"
#include "net/softmax_sample.h"

#define SAMPLES_MAX 16
#define QUARTER 4
#define RATE_TOKENS 1024 /* in the batch of w_step_rate() */
#define RATE_SAMPLES 2

/* Widths from 64 to 768, lengths from 64 to 512, heads of 32 to 64 columns, vocabularies of 4k and
 * 16k; the most informative come first. A step takes 0.1 to 0.7 s on a core with 50 GFLOP/s. */
const struct w_shape w_shapes[] = {
    {64, 2, 256, 4096, 512, 4},    {128, 4, 512, 4096, 128, 16},
    {512, 8, 2048, 4096, 64, 16},  {256, 4, 1024, 4096, 256, 4},
    {768, 12, 3072, 4096, 128, 4}, {256, 8, 1024, 16000, 64, 8},
    {384, 8, 1536, 4096, 128, 8},  {0, 0, 0, 0, 0, 0},
};

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

/* As likely as words are (Zipf's law) where the time of a step depends on how many different ids it
 * has. */
static u32 draw_id(struct w_rng *rng, const struct w_conf *conf)
{
    const double vocab = (double)conf->vocab_size;

    if (!w_softmax_is_sampled(conf))
        return (u32)w_rng_below(rng, conf->vocab_size);
    return (u32)W_MIN(pow(vocab, w_rng_unit(rng)) - 1, vocab - 1);
}

/* Seconds of each phase in each of `samples` steps, after one that is not counted. */
static enum w_status time_steps(const struct w_conf *conf, const struct w_kern *kern,
                                enum w_type type, struct w_team *team, u32 samples,
                                double times[SAMPLES_MAX][W_PHASES], struct w_err *err)
{
    const u64 count = conf->batch_size * (conf->max_length + 1);
    struct w_rng rng = {.seed = 1};
    struct w_model *model = NULL;
    u32 *ids = malloc(count * sizeof *ids);

    if (!ids)
        return w_fail(err, W_NOMEM, "no memory for a batch");
    for (u64 i = 0; i < count; i++)
        ids[i] = draw_id(&rng, conf);
    enum w_status status = w_model_new(&model, conf, W_PLAN_TRAIN, type, kern, team, err);
    if (status)
        goto out;
    w_model_init(model);
    for (u32 step = 0; step <= samples; step++) {
        w_model_seconds_reset(model);
        w_model_gradient(model, &(struct w_batch){.ids = ids, .number = step}, 1);
        w_model_update(model, step + 1, conf->learning_rate);
        if (step > 0)
            memcpy(times[step - 1], w_model_seconds(model), sizeof times[step - 1]);
    }
out:
    w_model_free(model);
    free(ids);
    return status;
}

struct w_phase_cost w_phase_cost_of(enum w_phase phase, struct w_probe all, struct w_probe quarter,
                                    double tokens, double units)
{
    double slope = (all.seconds - quarter.seconds) / (tokens - tokens / QUARTER);
    double steepest = all.seconds / tokens;
    slope = W_MIN(W_MAX(slope, 0.7 * steepest), steepest);
    if (phase == W_PHASE_UPDATE) /* once a step, independent of the tokens */
        slope = 0;
    return (struct w_phase_cost){.token_s = slope / units,
                                 .call_s = (all.seconds - slope * tokens) / units,
                                 .spread = all.spread};
}

enum w_status w_step_probe_run(struct w_step_probe *p, const struct w_shape *shape,
                               const struct w_kern *kern, enum w_type type, struct w_team *team,
                               u32 samples, struct w_err *err)
{
    double times[2][SAMPLES_MAX][W_PHASES];
    struct w_work work[W_PHASES];
    struct w_conf conf = w_shape_conf(shape, shape->batch_size);
    const double tokens = (double)(conf.batch_size * conf.max_length);

    samples = W_MIN(samples, SAMPLES_MAX);
    *p = (struct w_step_probe){
        .shape = *shape, .type = type, .threads = w_team_size(team), .samples = samples};
    enum w_status status = time_steps(&conf, kern, type, team, samples, times[0], err);
    conf.batch_size /= QUARTER;
    if (!status)
        status = time_steps(&conf, kern, type, team, samples, times[1], err);
    w_arch_work(work, &conf, type);
    for (u32 phase = 0; phase < W_PHASES && !status; phase++) {
        struct w_probe probes[2];
        for (u32 size = 0; size < 2; size++) {
            double column[SAMPLES_MAX];
            for (u32 i = 0; i < samples; i++)
                column[i] = times[size][i][phase];
            probes[size] = w_probe_of(column, samples);
        }
        p->phases[phase] = w_phase_cost_of(phase, probes[0], probes[1], tokens, work[phase].units);
    }
    return status;
}

enum w_status w_step_rate(double *tokens_per_s, const struct w_conf *conf, double step_tokens,
                          const struct w_kern *kern, enum w_type type, struct w_team *team,
                          struct w_err *err)
{
    double times[SAMPLES_MAX][W_PHASES], gradients[RATE_SAMPLES] = {0}, updates[RATE_SAMPLES];
    struct w_conf small = *conf;

    small.batch_size = W_MAX(1, W_MIN(conf->batch_size, RATE_TOKENS / conf->max_length));
    enum w_status status = time_steps(&small, kern, type, team, RATE_SAMPLES, times, err);
    if (status)
        return status;
    for (u32 i = 0; i < RATE_SAMPLES; i++) {
        updates[i] = times[i][W_PHASE_UPDATE];
        for (u32 phase = 0; phase < W_PHASES; phase++)
            gradients[i] += phase == W_PHASE_UPDATE ? 0 : times[i][phase];
    }
    double token_s =
        w_probe_of(gradients, RATE_SAMPLES).seconds / (double)(small.batch_size * small.max_length);
    *tokens_per_s =
        step_tokens / (token_s * step_tokens + w_probe_of(updates, RATE_SAMPLES).seconds);
    return W_DONE;
}
