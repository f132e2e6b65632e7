/* Linear layers: every pass is a GEMM, 2 M in out FLOPs each.
 *
 *      y  (M, out)   = x  (M, in)      weight^T (in, out) + bias
 *      dx (M, in)    = dy (M, out)     weight   (out, in)
 *      dW (out, in) += dy^T (out, M)   x        (M, in),   d_bias += sums of dy over the rows
 *
 * Results in bf16 are rounded in the epilogue, block by block, so that they never go to memory in
 * fp32. */
#include "net/linear.h"

#include "net/sums.h"

struct w_linear w_linear_of(const struct w_layer_at *at, u32 row)
{
    const struct w_tensor *t = &at->tensors[row];
    const struct w_pass *pass = at->pass;

    return (struct w_linear){
        .pass = pass,
        .weight = w_layer_weight(at, row),
        .bias = w_layer_weight(at, row + 1),
        .packed = w_layer_packed(pass, t),
        .packed_back = pass->packed_back ? (const w_bf16 *)pass->packed_back + t->packed : NULL,
        .d_weight = w_layer_gradient(at, row),
        .d_bias = w_layer_gradient(at, row + 1),
        .in = t->shape[1],
        .out = t->shape[0]};
}

void w_linear_tensors(struct w_tensors *tensors, const char *name, u64 in, u64 out, u32 parts,
                      enum w_init init)
{
    w_tensors_matrix(tensors, name, "weight", out, in, init, parts, true);
    w_tensors_vector(tensors, name, "bias", out, W_INIT_ZERO);
}

/* ---- where results go ---- */

struct store {
    const struct w_kern *kern;
    w_bf16 *y;
    u64 width;
};

static void store_block(void *context, const struct w_result_block *p)
{
    const struct store *s = context;
    for (u64 i = 0; i < p->rows; i++) {
        w_bf16 *y = s->y + (p->row + i) * s->width + p->col;
        w_prefetch_next(y);
        s->kern->to_bf16(y, p->c + i * p->c_row, p->cols);
    }
}

/* GEMM into y. */
static void multiply(const struct w_engine *engine, struct w_gemm g, struct w_result y)
{
    struct store store = {.kern = engine->kern, .y = y.data, .width = g.n};

    g.epilogue = y.epilogue.call;
    g.context = y.epilogue.context;
    if (y.type == W_TYPE_F32) {
        g.c = y.data;
        g.c_row = g.n;
    } else if (!g.epilogue) {
        g.epilogue = store_block;
        g.context = &store;
    }
    w_gemm(engine, &g);
}

/* ---- forward ---- */

/* x (M, in) weight^T; the callers add `add` and the place of the result. */
static struct w_gemm forward_gemm(const struct w_linear *l, const void *x)
{
    return (struct w_gemm){
        .type = l->packed ? l->pass->packed_type : l->pass->engine.type,
        .m = l->pass->tokens,
        .n = l->out,
        .k = l->in,
        .a = x,
        .a_row = l->in,
        .a_col = 1,
        .b = l->weight,
        .b_row = 1,
        .b_col = l->in,
        .packed = l->packed,
    };
}

void w_linear_forward(const struct w_linear *l, struct w_result y, const void *x)
{
    struct w_gemm g = forward_gemm(l, x);
    g.add = l->bias;
    multiply(&l->pass->engine, g, y);
}

/* The sums start from the residual; the bias is added while the result is in the cache. */
static void add_bias(void *context, const struct w_result_block *block)
{
    const struct w_linear *l = context;
    for (u64 i = 0; i < block->rows; i++)
        l->pass->engine.kern->add(block->c + i * block->c_row, l->bias + block->col, block->cols);
}

void w_linear_forward_residual(const struct w_linear *l, float *y, const void *x,
                               const float *residual)
{
    struct w_gemm g = forward_gemm(l, x);
    g.add = residual;
    g.add_row = l->out;
    multiply(&l->pass->engine, g, (struct w_result){W_TYPE_F32, y, {add_bias, (void *)l}});
}

/* ---- backward ---- */

void w_linear_backward_input(const struct w_linear *l, struct w_result dx, const void *dy)
{
    struct w_gemm g = {
        .type = l->pass->engine.type,
        .m = l->pass->tokens,
        .n = l->in,
        .k = l->out,
        .a = dy,
        .a_row = l->out,
        .a_col = 1,
        .b = l->weight,
        .b_row = l->in,
        .b_col = 1,
        .packed = l->packed_back,
    };
    multiply(&l->pass->engine, g, dx);
}

void w_linear_backward_weight(const struct w_linear *l, const void *dy, const void *x)
{
    struct w_gemm g = {
        .type = l->pass->engine.type,
        .m = l->out,
        .n = l->in,
        .k = l->pass->tokens,
        .a = dy,
        .a_row = 1,
        .a_col = l->out,
        .b = x,
        .b_row = l->in,
        .b_col = 1,
        .add = l->d_weight,
        .add_row = l->in,
        .c = l->d_weight,
        .c_row = l->in,
    };
    w_gemm(&l->pass->engine, &g);
    w_sum_rows(l->pass, l->d_bias, dy, l->pass->tokens, l->out);
}

/* ---- the two kinds: one within a branch, one that adds to the residual stream ---- */

static void tensors(struct w_tensors *tensors, const struct w_layer *layer,
                    const struct w_conf *conf)
{
    (void)conf;
    w_linear_tensors(tensors, layer->name, layer->in, layer->out, layer->parts, W_INIT_NORMAL);
}

static void add_tensors(struct w_tensors *tensors, const struct w_layer *layer,
                        const struct w_conf *conf)
{
    (void)conf;
    w_linear_tensors(tensors, layer->name, layer->in, layer->out, layer->parts, W_INIT_RESIDUAL);
}

static void plan(struct w_planner *p, struct w_layer *layer)
{
    w_plan_product(p, layer->in, layer->out);
}

static void forward(const struct w_layer_at *at)
{
    const struct w_linear l = w_linear_of(at, 0);
    w_linear_forward(&l, (struct w_result){at->pass->engine.type, at->y, {0}}, at->x);
}

static void add_forward(const struct w_layer_at *at)
{
    const struct w_linear l = w_linear_of(at, 0);
    w_linear_forward_residual(&l, at->y, at->x, at->stream);
}

/* For both kinds, since dy of the stream exists in the compute type too. */
static void backward(const struct w_layer_at *at)
{
    const struct w_linear l = w_linear_of(at, 0);
    w_linear_backward_weight(&l, at->dy, w_layer_input(at));
    w_linear_backward_input(&l, w_layer_dx(at), at->dy);
}

static void work(const struct w_layer *layer, const struct w_conf *conf, enum w_type type,
                 struct w_work *forward, struct w_work *backward)
{
    const double rows = w_work_rows(conf), element = (double)w_type_bytes(type);
    const double in = (double)layer->in, out = (double)layer->out, weights = in * out;
    /* the stream is read and written in fp32 */
    const double y_bytes = layer->y ? element * out : 8 * out;

    *forward = (struct w_work){.flops = 2 * rows * weights,
                               .bytes = rows * (element * in + y_bytes) + element * weights,
                               .units = weights};
    *backward = (struct w_work){.flops = 4 * rows * weights,
                                .bytes = 2 * rows * element * (in + out) + (element + 8) * weights,
                                .units = weights};
}

const struct w_layer_kind w_layer_linear = {
    .name = "linear",
    .forward_phase = W_PHASE_LINEAR,
    .backward_phase = W_PHASE_LINEAR_BACK,
    .multiplies = true,
    .tensors = tensors,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .work = work,
};

const struct w_layer_kind w_layer_linear_add = {
    .name = "linear_add",
    .forward_phase = W_PHASE_LINEAR,
    .backward_phase = W_PHASE_LINEAR_BACK,
    .multiplies = true,
    .tensors = add_tensors,
    .plan = plan,
    .forward = add_forward,
    .backward = backward,
    .work = work,
};
