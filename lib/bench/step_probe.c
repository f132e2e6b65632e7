/* Steps of small models, timed phase by phase, and what a unit of work costs according to them. */
#include "bench/step_probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/model.h"
#include "net/softmax_sample.h"

#define SAMPLES_MAX 16
#define QUARTER 4
#define RATE_TOKENS 1024 /* in the batch of w_step_rate() */
#define RATE_SAMPLES 2

/* Widths from 64 to 768, lengths from 64 to 512, heads of 32 to 64 columns, vocabularies of 4k and
 * 16k, with all ids and with samples of them; where time ends early, the first of them still span
 * the widths. A step takes 0.1 to 0.7 s on a core with 50 GFLOP/s. */
const struct w_shape w_shapes[W_SHAPES] = {
    {256, 4, 1024, 16000, 128, 16, 2048}, {512, 8, 2048, 4096, 64, 16, 0},
    {128, 4, 512, 4096, 128, 16, 0},      {768, 12, 3072, 4096, 128, 4, 0},
    {64, 1, 256, 16000, 128, 16, 2048},   {512, 8, 2048, 16000, 128, 8, 1024},
    {256, 8, 1024, 16000, 64, 8, 0},      {256, 4, 1024, 4096, 256, 4, 0},
    {64, 2, 256, 4096, 512, 4, 0},        {384, 8, 1536, 4096, 128, 8, 0},
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
                           .softmax_sample = s->softmax_sample,
                           .muon_learning_rate = 0.02,
                           .muon_momentum = 0.95,
                           .seed = 1};
}

u32 w_step_probe_id(struct w_rng *rng, const struct w_conf *conf)
{
    const double vocab = (double)conf->vocab_size;

    if (!w_softmax_is_sampled(conf))
        return (u32)w_rng_below(rng, conf->vocab_size);
    return (u32)W_MIN(pow(vocab, w_rng_unit(rng)) - 1, vocab - 1);
}

/* A batch of random ids; with a gate, also what counts could say of them. */
struct random_batch {
    u32 *ids;
    float *lp;
    u8 *ctx;
};

static void batch_free(struct random_batch *b)
{
    free(b->ids);
    free(b->lp);
    free(b->ctx);
}

static enum w_status batch_make(struct random_batch *b, const struct w_conf *conf,
                                struct w_err *err)
{
    const u64 count = conf->batch_size * (conf->max_length + 1), features = conf->counts;
    struct w_rng rng = {.seed = 1};

    *b = (struct random_batch){.ids = malloc(count * sizeof *b->ids)};
    if (features) {
        b->lp = malloc(count * sizeof *b->lp);
        b->ctx = malloc(count * features);
    }
    if (!b->ids || (features && (!b->lp || !b->ctx))) {
        batch_free(b);
        return w_fail(err, W_NOMEM, "no memory for a batch");
    }
    for (u64 i = 0; i < count; i++)
        b->ids[i] = w_step_probe_id(&rng, conf);
    for (u64 i = 0; i < count && features; i++)
        b->lp[i] = -(float)(1 + w_rng_below(&rng, 10));
    for (u64 i = 0; i < count * features; i++)
        b->ctx[i] = (u8)w_rng_below(&rng, 256);
    return W_DONE;
}

/* Small weights of both signs: their values do not matter to the time of a step, and to draw them
 * as for a training would take longer than the steps. */
static void fill_weights(struct w_model *model)
{
    const u64 count = w_model_tensors(model)->floats;
    float *weights = w_model_weights(model);
    u32 bits = 1;

    for (u64 i = 0; i < count; i++) {
        bits = 1664525 * bits + 1013904223; /* Knuth, TAOCP 3.3.4, table 1 */
        weights[i] = 0.05f * ((float)bits / (float)(1u << 31) - 1);
    }
}

/* Seconds of each phase in each of `samples` steps, after one that is not counted. */
static enum w_status time_steps(const struct w_conf *conf, const struct w_kern *kern,
                                enum w_type type, struct w_team *team, u32 samples,
                                double times[SAMPLES_MAX][W_PHASES], struct w_err *err)
{
    struct w_model *model = NULL;
    struct random_batch batch;
    enum w_status status = batch_make(&batch, conf, err);

    if (status)
        return status;
    status = w_model_new(&model, conf, W_PLAN_TRAIN, type, kern, team, err);
    if (status)
        goto out;
    fill_weights(model);
    for (u32 step = 0; step <= samples; step++) {
        w_model_seconds_reset(model);
        w_model_gradient(model, &(struct w_batch){batch.ids, batch.lp, batch.ctx, .number = step},
                         1);
        w_model_update(model, step + 1, conf->learning_rate);
        if (step > 0)
            memcpy(times[step - 1], w_model_seconds(model), sizeof times[step - 1]);
    }
out:
    w_model_free(model);
    batch_free(&batch);
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

/* Only the quarter has Muon and a gate: their phases take their cost from it alone. The update does
 * not count there, and the gate has the last norm compute its output once more, which the limits of
 * the slope of that phase bound. */
enum w_status w_step_probe_run(struct w_step_probe *p, const struct w_shape *shape,
                               const struct w_kern *kern, enum w_type type, struct w_team *team,
                               u32 samples, struct w_err *err)
{
    double times[2][SAMPLES_MAX][W_PHASES];
    struct w_work work[2][W_PHASES];
    struct w_conf all = w_shape_conf(shape, shape->batch_size), quarter = all;
    const double tokens = (double)(all.batch_size * all.max_length);

    quarter.batch_size /= QUARTER;
    quarter.optimizer = W_OPTIMIZER_MUON;
    quarter.counts = W_PROBE_COUNTS;
    samples = W_MIN(samples, SAMPLES_MAX);
    *p = (struct w_step_probe){
        .shape = *shape, .type = type, .threads = w_team_size(team), .samples = samples};
    enum w_status status = time_steps(&all, kern, type, team, samples, times[0], err);
    if (!status)
        status = time_steps(&quarter, kern, type, team, samples, times[1], err);
    w_arch_work(work[0], &all, type);
    w_arch_work(work[1], &quarter, type);
    for (u32 phase = 0; phase < W_PHASES && !status; phase++) {
        const bool alone = work[0][phase].units <= 0;
        const double units = work[alone ? 1 : 0][phase].units;
        struct w_probe probes[2];
        for (u32 size = 0; size < 2; size++) {
            double column[SAMPLES_MAX];
            for (u32 i = 0; i < samples; i++)
                column[i] = times[size][i][phase];
            probes[size] = w_probe_of(column, samples);
        }
        struct w_phase_cost *cost = &p->phases[phase];
        *cost = w_phase_cost_of(phase, probes[0], probes[1], tokens, units);
        if (w_phases[phase].of_update || alone)
            *cost = (struct w_phase_cost){.spread = probes[alone ? 1 : 0].spread};
        if (w_phases[phase].of_update)
            cost->call_s = probes[alone ? 1 : 0].seconds / units;
        else if (alone)
            cost->token_s = QUARTER * probes[1].seconds / (tokens * units);
    }
    return status;
}

enum w_status w_step_rate(double *tokens_per_s, const struct w_conf *conf, double step_tokens,
                          const struct w_kern *kern, enum w_type type, struct w_team *team,
                          struct w_err *err)
{
    double times[SAMPLES_MAX][W_PHASES], gradients[RATE_SAMPLES] = {0};
    double updates[RATE_SAMPLES] = {0};
    struct w_conf small = *conf;

    small.batch_size = W_MAX(1, W_MIN(conf->batch_size, RATE_TOKENS / conf->max_length));
    enum w_status status = time_steps(&small, kern, type, team, RATE_SAMPLES, times, err);
    if (status)
        return status;
    for (u32 i = 0; i < RATE_SAMPLES; i++)
        for (u32 phase = 0; phase < W_PHASES; phase++)
            *(w_phases[phase].of_update ? &updates[i] : &gradients[i]) += times[i][phase];
    double token_s =
        w_probe_of(gradients, RATE_SAMPLES).seconds / (double)(small.batch_size * small.max_length);
    *tokens_per_s =
        step_tokens / (token_s * step_tokens + w_probe_of(updates, RATE_SAMPLES).seconds);
    return W_DONE;
}
