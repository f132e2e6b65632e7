/* The gate of a mixture: the probability of a token is
 *
 *      p = (1 - g) p_net + g p_counts,     g = sigmoid(z),     z = weight . [h, ctx / 255] + bias,
 *
 * with h the output of the last norm, from which the head makes p_net, and ctx what the counts know
 * of the context (net/batch.h). So the hidden state says when the network is to be trusted, ctx
 * when the counts are. It learns from the loss of the mixture, of which with a = log p_net and
 * c = log p_counts
 *
 *      -log p = log(1 + exp(z)) - log(exp(a) + exp(z + c)),
 *      its slope by z = g - sigmoid(z + c - a):
 *
 * g minus the share that the counts have in p. The network does not learn from it: while it is new
 * the counts are better nearly everywhere, so that all weight goes to them and no gradient is left
 * for it (measured: the mixture stays at what counts alone give). Mixtures of such models with
 * weights by context are as old as Jelinek and Mercer, 1980; with a network and counts, Bakhtin and
 * others, 2018 (arXiv 1804.07705). */
#include "net/layer.h"
#include "net/sums.h"

#include <math.h>
#include <string.h>

enum { WEIGHT, BIAS }; /* tensors */
/* Buffers: (M), losses of the mixture; in generation (rows of logits), z. */
enum { MIXED, Z };

static u64 width_of(const struct w_layer_at *at)
{
    return at->layer->in + at->pass->conf->counts;
}

/* Zeros: every g is a half at first, whatever the context. */
static void tensors(struct w_tensors *tensors, const struct w_layer *layer,
                    const struct w_conf *conf)
{
    w_tensors_vector(tensors, layer->name, "weight", layer->in + conf->counts, W_INIT_ZERO);
    w_tensors_vector(tensors, layer->name, "bias", 1, W_INIT_ZERO);
}

static void plan(struct w_planner *p, struct w_layer *layer)
{
    const u64 width = w_size_add(layer->in, p->conf->counts);

    w_plan_thread(p, width); /* a row [h, ctx / 255] */
    if (p->mode == W_PLAN_DECODE) {
        layer->own_at[Z] = w_plan_shared(p, "gate.z", W_LIFE_SCRATCH,
                                         w_size_mul(p->decode->logits, sizeof(float)));
        return;
    }
    layer->own_at[MIXED] =
        w_plan_shared(p, "gate.losses", W_LIFE_STEP, w_size_mul(p->tokens, sizeof(float)));
    w_plan_partials(p, w_size_add(width, 1));
}

/* ---- rows ---- */

struct job {
    const struct w_layer_at *at;
    const void *h; /* (M, d) in the compute type */
    float scale;
    bool backward;
};

static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

/* log(exp(x) + exp(y)); of it both terms of the loss are made: log(1 + exp(z)) has x = 0. */
static double log_add(double x, double y)
{
    return fmax(x, y) + log1p(exp(-fabs(x - y)));
}

/* [h, ctx / 255] of a row */
static void gather(const struct job *job, float *u, u64 row)
{
    const struct w_layer_at *at = job->at;
    const struct w_pass *pass = at->pass;
    const u64 d = at->layer->in, length = pass->conf->max_length, features = pass->conf->counts;
    const u8 *ctx = pass->batch->ctx + (row / length * (length + 1) + row % length + 1) * features;

    if (pass->engine.type == W_TYPE_BF16)
        pass->engine.kern->to_fp32(u, (const w_bf16 *)job->h + row * d, d);
    else
        memcpy(u, (const float *)job->h + row * d, d * sizeof *u);
    for (u64 i = 0; i < features; i++)
        u[d + i] = (float)ctx[i] / 255;
}

/* Fill the loss of a block of rows; with a gradient, its partial sums too: of the weight, then of
 * the bias. */
static void mix_rows(void *context, u64 block, u32 worker)
{
    const struct job *job = context;
    const struct w_layer_at *at = job->at;
    const struct w_pass *pass = at->pass;
    const struct w_kern *kern = pass->engine.kern;
    const u64 length = pass->conf->max_length, width = width_of(at);
    const u64 end = W_MIN((block + 1) * W_PARTIAL_ROWS, pass->tokens);
    float *sums = pass->partials + block * (width + 1), *mixed = at->own[MIXED];
    float *u = w_engine_scratch(&pass->engine, worker);

    if (job->backward)
        memset(sums, 0, (width + 1) * sizeof *sums);
    for (u64 row = block * W_PARTIAL_ROWS; row < end; row++) {
        gather(job, u, row);
        const double z =
            (double)(kern->dot(u, w_layer_weight(at, WEIGHT), width) + w_layer_weight(at, BIAS)[0]);
        const double net = -(double)pass->nll[row];
        const double counts =
            (double)pass->batch->lp[row / length * (length + 1) + row % length + 1];
        mixed[row] = (float)(log_add(0, z) - log_add(net, z + counts));
        if (!job->backward)
            continue;
        const float dz = (float)((sigmoid(z) - sigmoid(z + counts - net)) * (double)job->scale);
        kern->scale(u, dz, width);
        kern->add(sums, u, width);
        sums[width] += dz;
    }
}

static void mix(struct job *job)
{
    struct w_pass *pass = job->at->pass;

    w_team_for(pass->engine.team, w_sum_blocks(pass->tokens), mix_rows, job);
    pass->mixed = job->at->own[MIXED];
}

/* ---- the layer ---- */

/* The head stands between the gate and the norm. */
static void forward(const struct w_layer_at *at)
{
    struct job job = {.at = at, .h = at[-1].x};

    if (at->pass->batch->lp)
        mix(&job);
}

/* The head's backward pass may have overwritten h, so it is computed again. */
static void backward(const struct w_layer_at *at)
{
    const struct w_pass *pass = at->pass;
    const u64 width = width_of(at), blocks = w_sum_blocks(pass->tokens);
    struct job job = {
        .at = at, .scale = (float)(pass->scale / (double)pass->tokens), .backward = true};

    if (!pass->batch->lp)
        return;
    w_clock_lap(&at->pass->clock, at->layer->kind->backward_phase); /* not to the head */
    job.h = w_layer_input(at - 1);
    mix(&job);
    w_sum_partials(pass, w_layer_gradient(at, WEIGHT), 0, blocks, width + 1, width);
    w_sum_partials(pass, w_layer_gradient(at, BIAS), width, blocks, width + 1, 1);
}

/* z without the features of the context, which the caller has (net/infer.h). */
static void decode(const struct w_layer_at *at)
{
    const struct w_pass *pass = at->pass;
    const struct w_kern *kern = pass->engine.kern;
    const u64 d = at->layer->in;
    float *z = at->own[Z], *h = w_engine_scratch(&pass->engine, 0);

    for (u64 i = 0; i < pass->decode->wanted_count; i++) {
        const void *x = w_at(at[-1].x, pass->engine.type, pass->decode->wanted[i] * d);
        if (pass->engine.type == W_TYPE_BF16)
            kern->to_fp32(h, x, d);
        else
            memcpy(h, x, d * sizeof *h);
        z[i] = kern->dot(h, w_layer_weight(at, WEIGHT), d) + w_layer_weight(at, BIAS)[0];
    }
    pass->decode->gates = z;
    pass->decode->gate_features = w_layer_weight(at, WEIGHT) + d;
}

static void work(const struct w_layer *layer, const struct w_conf *conf, enum w_type type,
                 struct w_work *forward, struct w_work *backward)
{
    const double rows = w_work_rows(conf), d = (double)layer->in, counts = (double)conf->counts;

    *forward = (struct w_work){.flops = 2 * rows * (d + counts),
                               .bytes = rows * (d * (double)w_type_bytes(type) + counts + 12),
                               .units = d + counts};
    *backward = (struct w_work){.flops = 2 * rows * (d + counts)};
}

const struct w_layer_kind w_layer_gate = {
    .name = "gate",
    .forward_phase = W_PHASE_GATE,
    .backward_phase = W_PHASE_GATE,
    .losses = true,
    .apart = true,
    .tensors = tensors,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .decode = decode,
    .work = work,
};
