/* Generation, timed by models of some sizes, and the sampling of a token. */
#include "bench/decode_probe.h"

#include <stdlib.h>

#include "base/rng.h"
#include "net/infer.h"
#include "net/sampler.h"
#include "sys/clock.h"

#define SAMPLE_IDS 16384
#define SAMPLES_MAX 256
#define SAMPLES_MIN 4

const struct w_decode_model w_decode_models[W_DECODE_MODELS] = {
    {{64, 2, 256, 4096, 64, 1, 0}, 2},      {{128, 4, 512, 4096, 128, 1, 0}, 3},
    {{256, 4, 1024, 8192, 128, 1, 0}, 4},   {{512, 8, 2048, 8192, 128, 1, 0}, 6},
    {{768, 12, 3072, 16000, 128, 1, 0}, 8},
};

/* Seconds of a token, one at a time, or of one of prompts as long as the model reads. */
static struct w_probe time_decode(struct w_infer *infer, bool prompt, double budget_s)
{
    const u64 length = w_infer_conf(infer)->max_length;
    const double began = w_now_s();
    double seconds[SAMPLES_MAX];
    size_t n = 0;

    for (; n < SAMPLES_MAX && (n < SAMPLES_MIN || w_now_s() - began < budget_s); n++) {
        if (prompt || n % length == 0)
            w_infer_start(infer, 0);
        const double start = w_now_s();
        if (prompt) {
            for (u32 t = 0; t < length; t++)
                w_infer_append(infer, 0, t);
            w_infer_run(infer);
        } else {
            w_infer_next(infer, (u32)n);
        }
        seconds[n] = (w_now_s() - start) / (prompt ? (double)length : 1);
    }
    return w_probe_of(seconds + 1, n - 1);
}

/* With weights of each type that there are kernels for. */
static enum w_status time_types(struct w_decode_probe *p, const struct w_conf *conf,
                                const float *weights,
                                const struct w_kern *const kern[W_COMPUTE_TYPES],
                                struct w_team *team, double budget_s, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (u32 i = 0; i < W_DECODE_TYPES && !status; i++) {
        const enum w_type type = w_decode_types[i];
        const struct w_plan_decode how = {type, 1, conf->max_length, 1};
        struct w_infer *infer = NULL;
        if (!kern[w_decode_type(type)])
            continue;
        status = w_infer_new(&infer, conf, weights, &how, kern[w_decode_type(type)], team, err);
        if (!status) {
            const struct w_probe token = time_decode(infer, false, budget_s);
            const struct w_probe prompt = time_decode(infer, true, budget_s);
            p->cost.seconds[i] = token.seconds;
            p->cost.prompt_s[i] = prompt.seconds;
            p->measurements += 2;
            p->noisy += (u32)token.noisy + prompt.noisy;
        }
        w_infer_free(infer);
    }
    return status;
}

enum w_status w_decode_probe_run(struct w_decode_probe *p, const struct w_decode_model *model,
                                 const struct w_kern *const kern[W_COMPUTE_TYPES],
                                 struct w_team *team, double seconds, struct w_err *err)
{
    struct w_conf conf = w_shape_conf(&model->shape, 1);
    struct w_tensors tensors;

    *p = (struct w_decode_probe){.noisy = 0};
    conf.num_layers = model->layers;
    enum w_status status = w_tensors_make(&tensors, &conf, err);
    if (status)
        return status;
    float *weights = malloc(tensors.floats * sizeof *weights);
    if (!weights)
        status = w_fail(err, W_NOMEM, "no memory for weights");
    for (u64 i = 0; i < tensors.floats && weights; i++)
        weights[i] = 0.01f;
    p->cost.bytes = 4 * (tensors.floats - conf.max_length * conf.d_model);
    p->cost.layer_bytes = p->cost.bytes - 4 * tensors.table;
    if (!status)
        status = time_types(p, &conf, weights, kern, team, seconds / (2 * W_DECODE_TYPES), err);
    free(weights);
    w_tensors_free(&tensors);
    return status;
}

/* ---- sampling ---- */

struct sampling {
    struct w_sampler *sampler;
    float logits[SAMPLE_IDS];
    u64 position;
    u32 drawn;
};

static void sample_tokens(void *context, u64 times)
{
    struct sampling *d = context;

    for (u64 i = 0; i < times; i++, d->position++)
        d->drawn = w_sampler_sample(d->sampler, d->logits, NULL, 0, 0, d->position);
}

enum w_status w_draw_probe_run(struct w_probe *p, const struct w_kern *kern, double seconds,
                               struct w_err *err)
{
    static const struct w_sampler_options usual = {.temperature = 0.8, .top_p = 0.95, .penalty = 1};
    struct sampling *d = calloc(1, sizeof *d);
    struct w_rng rng = {.seed = 1};
    enum w_status status = d ? w_sampler_new(&d->sampler, SAMPLE_IDS, NULL, &usual, kern, err)
                             : w_fail(err, W_NOMEM, "no memory to measure sampling");

    for (u32 i = 0; i < SAMPLE_IDS && !status; i++)
        d->logits[i] = (float)(2 * w_rng_normal(&rng));
    if (!status) {
        *p = w_probe_run(sample_tokens, d, seconds);
        p->seconds /= SAMPLE_IDS;
    }
    if (d)
        w_sampler_free(d->sampler);
    free(d);
    return status;
}
