/* The MLP of a block: stream + c_proj(GELU(c_fc(x))), tanh GELU. One kind and not three, since GELU
 * and its derivative are computed in the epilogues of the GEMMs around it, while their blocks are
 * in the cache. The input of GELU is kept for the backward pass, its output is computed again. */
#include "net/linear.h"

#include <stdio.h>

enum { FC, FC_BIAS, PROJ, PROJ_BIAS }; /* tensors */
/* Buffers, (M, d_ff): input of GELU, its output, gradient of both. */
enum { HIDDEN_IN, HIDDEN, D_HIDDEN };

/* c_fc (d_ff, d) and c_proj (d, d_ff) */
static void tensors(struct w_tensors *tensors, const struct w_layer *layer,
                    const struct w_conf *conf)
{
    char name[sizeof layer->name + 8];

    snprintf(name, sizeof name, "%sc_fc.", layer->name);
    w_linear_tensors(tensors, name, layer->in, conf->d_ff, 1, W_INIT_NORMAL);
    snprintf(name, sizeof name, "%sc_proj.", layer->name);
    w_linear_tensors(tensors, name, conf->d_ff, layer->out, 1, W_INIT_RESIDUAL);
}

static void plan(struct w_planner *p, struct w_layer *layer)
{
    const u64 width = p->conf->d_ff, bytes = w_size_mul(w_size_mul(p->tokens, width), p->element);

    w_plan_product(p, layer->in, width);
    w_plan_product(p, width, layer->out);
    layer->own_at[HIDDEN_IN] = w_plan_kept(p, "mlp.hidden_in", bytes);
    layer->own_at[HIDDEN] = w_plan_shared(p, "mlp.hidden", W_LIFE_SCRATCH, bytes);
    if (p->mode == W_PLAN_TRAIN)
        layer->own_at[D_HIDDEN] = w_plan_shared(p, "d.hidden", W_LIFE_SCRATCH, bytes);
}

/* ---- forward ---- */

static void gelu(void *context, const struct w_result_block *p)
{
    const struct w_layer_at *at = context;
    const struct w_kern *kern = at->pass->engine.kern;
    const enum w_type type = at->pass->engine.type;
    const u64 width = at->tensors[FC].shape[0];

    for (u64 i = 0; i < p->rows; i++) {
        const u64 place = (p->row + i) * width + p->col;
        const float *x = p->c + i * p->c_row; /* with fp32 that is `in` */
        void *in = w_at(at->own[HIDDEN_IN], type, place), *out = w_at(at->own[HIDDEN], type, place);
        if (type == W_TYPE_F32) {
            kern->gelu(out, x, p->cols);
        } else {
            w_prefetch_next(in);
            w_prefetch_next(out);
            kern->gelu_bf16(out, in, x, p->cols);
        }
    }
}

static void forward(const struct w_layer_at *at)
{
    const struct w_linear fc = w_linear_of(at, FC), proj = w_linear_of(at, PROJ);

    w_linear_forward(
        &fc, (struct w_result){at->pass->engine.type, at->own[HIDDEN_IN], {gelu, (void *)at}},
        at->x);
    w_linear_forward_residual(&proj, at->y, at->own[HIDDEN], at->stream);
}

/* ---- backward ---- */

/* The gradient of GELU's output times its derivative; and the output once more, for the gradient of
 * c_proj. */
static void gelu_back(void *context, const struct w_result_block *p)
{
    const struct w_layer_at *at = context;
    const struct w_kern *kern = at->pass->engine.kern;
    const enum w_type type = at->pass->engine.type;
    const u64 width = at->tensors[FC].shape[0];

    for (u64 i = 0; i < p->rows; i++) {
        const u64 place = (p->row + i) * width + p->col;
        float *d = p->c + i * p->c_row; /* with fp32 that is D_HIDDEN */
        const void *in = w_at(at->own[HIDDEN_IN], type, place);
        void *out = w_at(at->own[HIDDEN], type, place);
        if (type == W_TYPE_F32) {
            kern->gelu(out, in, p->cols);
            kern->gelu_backward(d, d, in, p->cols);
        } else {
            w_bf16 *dx = w_at(at->own[D_HIDDEN], type, place);
            w_prefetch_next(in);
            w_prefetch_next(out);
            w_prefetch_next(dx);
            kern->gelu_backward_bf16(dx, out, d, in, p->cols);
        }
    }
}

static void backward(const struct w_layer_at *at)
{
    const struct w_linear fc = w_linear_of(at, FC), proj = w_linear_of(at, PROJ);
    void *d_hidden = at->own[D_HIDDEN];

    w_linear_backward_input(
        &proj, (struct w_result){at->pass->engine.type, d_hidden, {gelu_back, (void *)at}}, at->dy);
    w_linear_backward_weight(&proj, at->dy, at->own[HIDDEN]);
    w_linear_backward_weight(&fc, d_hidden, w_layer_input(at));
    w_linear_backward_input(&fc, w_layer_dx(at), d_hidden);
}

static void work(const struct w_layer *layer, const struct w_conf *conf, enum w_type type,
                 struct w_work *forward, struct w_work *backward)
{
    const double rows = w_work_rows(conf), element = (double)w_type_bytes(type);
    const double d = (double)layer->in, width = (double)conf->d_ff, weights = 2 * d * width;

    *forward =
        (struct w_work){.flops = 2 * rows * weights,
                        .bytes = rows * (element * (d + 3 * width) + 8 * d) + element * weights,
                        .units = weights};
    *backward =
        (struct w_work){.flops = 4 * rows * weights,
                        .bytes = rows * element * (4 * d + 6 * width) + (element + 8) * weights,
                        .units = weights};
}

const struct w_layer_kind w_layer_mlp = {
    .name = "mlp",
    .forward_phase = W_PHASE_LINEAR,
    .backward_phase = W_PHASE_LINEAR_BACK,
    .multiplies = true,
    .tensors = tensors,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .work = work,
};
