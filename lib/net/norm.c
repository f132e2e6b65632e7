/* LayerNorm of the residual stream: y = (x - mean) * rstd * weight + bias, row by row. Only mean
 * and rstd are kept: y is computed again when the backward pass needs it. */
#include "net/layer.h"
#include "net/sums.h"

#include <string.h>

#define ROWS 32 /* per item of the forward pass */

enum { WEIGHT, BIAS }; /* tensors */
enum { STATS };        /* buffers: (M, 2), mean and rstd */

static void tensors(struct w_tensors *tensors, const struct w_layer *layer,
                    const struct w_conf *conf)
{
    (void)conf;
    w_tensors_vector(tensors, layer->name, "weight", layer->in, W_INIT_ONE);
    w_tensors_vector(tensors, layer->name, "bias", layer->in, W_INIT_ZERO);
}

static void plan(struct w_planner *p, struct w_layer *layer)
{
    layer->own_at[STATS] = w_plan_kept(p, "norm.stats", w_size_mul(p->tokens, 2 * sizeof(float)));
    w_plan_thread(p, layer->in); /* a row before it is rounded */
    w_plan_partials(p, w_size_mul(2, layer->in));
}

/* ---- forward ---- */

static void forward_rows(void *context, u64 item, u32 worker)
{
    const struct w_layer_at *at = context;
    const struct w_engine *engine = &at->pass->engine;
    const u64 d = at->layer->in, end = W_MIN((item + 1) * ROWS, at->pass->tokens);

    for (u64 row = item * ROWS; row < end; row++) {
        void *y = w_at(at->y, engine->type, row * d);
        float *floats = engine->type == W_TYPE_BF16 ? w_engine_scratch(engine, worker) : y;
        engine->kern->norm(floats, (float *)at->own[STATS] + row * 2, (float *)at->x + row * d,
                           w_layer_weight(at, WEIGHT), w_layer_weight(at, BIAS), d);
        if (engine->type == W_TYPE_BF16)
            engine->kern->to_bf16(y, floats, d);
    }
}

static void forward(const struct w_layer_at *at)
{
    w_team_for(at->pass->engine.team, w_ceil_div(at->pass->tokens, ROWS), forward_rows, (void *)at);
}

/* ---- backward ---- */

/* A block of rows, with partial sums for weight and bias. The gradient is added to that of the
 * residual stream, of which the preceding layers need a copy in the compute type. */
static void backward_rows(void *context, u64 block, u32 worker)
{
    const struct w_layer_at *at = context;
    const struct w_pass *pass = at->pass;
    const struct w_kern *kern = pass->engine.kern;
    const u64 d = at->layer->in, end = W_MIN((block + 1) * W_PARTIAL_ROWS, pass->tokens);
    float *sums = pass->partials + block * 2 * d;

    (void)worker;
    memset(sums, 0, 2 * d * sizeof *sums);
    for (u64 row = block * W_PARTIAL_ROWS; row < end; row++) {
        float *dx = pass->d_residual + row * d;
        kern->norm_backward(dx, sums, sums + d, (float *)at->dy + row * d, (float *)at->x + row * d,
                            (float *)at->own[STATS] + row * 2, w_layer_weight(at, WEIGHT), d);
        if (pass->engine.type == W_TYPE_BF16)
            kern->to_bf16((w_bf16 *)pass->d_stream + row * d, dx, d);
    }
}

static void backward(const struct w_layer_at *at)
{
    const u64 blocks = w_sum_blocks(at->pass->tokens), d = at->layer->in;

    w_team_for(at->pass->engine.team, blocks, backward_rows, (void *)at);
    w_sum_partials(at->pass, w_layer_gradient(at, WEIGHT), 0, blocks, 2 * d, d);
    w_sum_partials(at->pass, w_layer_gradient(at, BIAS), d, blocks, 2 * d, d);
}

/* Units are counted so that a model with one block, which has three norms and is what calibrations
 * time, has d. */
static void work(const struct w_layer *layer, const struct w_conf *conf, enum w_type type,
                 struct w_work *forward, struct w_work *backward)
{
    const double d = (double)layer->in, numbers = w_work_rows(conf) * d;

    (void)type; /* the stream is always in fp32 */
    *forward = (struct w_work){.flops = 7 * numbers, .bytes = 8 * numbers, .units = d / 3};
    *backward = (struct w_work){.flops = 14 * numbers, .bytes = 16 * numbers};
}

const struct w_layer_kind w_layer_norm = {
    .name = "norm",
    .forward_phase = W_PHASE_NORM,
    .backward_phase = W_PHASE_NORM,
    .recomputed = true,
    .dy_fp32 = true,
    .tensors = tensors,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .work = work,
};
