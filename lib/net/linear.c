#include "net/layers.h"

/* y (m, out) = x (m, in) * weight^T, to which the callers say what is added. */
static struct w_gemm forward_product(const struct w_linear *l, float *y, const float *x, u64 m)
{
    return (struct w_gemm){
        .m = m,
        .n = l->out,
        .k = l->in,
        .a = x,
        .a_row = l->in,
        .a_col = 1,
        .b = l->weight,
        .b_row = 1,
        .b_col = l->in,
        .c = y,
        .c_row = l->out,
    };
}

void w_linear_forward(const struct w_engine *engine, const struct w_linear *l, float *y,
                      const float *x, u64 m, struct w_finish finish)
{
    struct w_gemm g = forward_product(l, y, x, m);
    g.add = l->bias;
    g.finish = finish.call;
    g.context = finish.context;
    w_gemm(engine, &g);
}

/* The product starts from the residual; the bias is added while the result is in the cache. */
struct residual {
    const struct w_engine *engine;
    const struct w_linear *l;
};

static void add_bias(void *context, const struct w_piece *piece)
{
    const struct residual *r = context;
    for (u64 i = 0; i < piece->rows; i++)
        r->engine->kern->add(piece->c + i * piece->c_row, r->l->bias + piece->col, piece->cols);
}

void w_linear_forward_residual(const struct w_engine *engine, const struct w_linear *l, float *y,
                               const float *x, const float *residual, u64 m)
{
    struct residual r = {.engine = engine, .l = l};
    struct w_gemm g = forward_product(l, y, x, m);
    g.add = residual;
    g.add_row = l->out;
    g.finish = add_bias;
    g.context = &r;
    w_gemm(engine, &g);
}

void w_linear_backward_input(const struct w_engine *engine, const struct w_linear *l, float *dx,
                             const float *dy, u64 m, struct w_finish finish)
{
    struct w_gemm g = {
        .m = m,
        .n = l->in,
        .k = l->out,
        .a = dy,
        .a_row = l->out,
        .a_col = 1,
        .b = l->weight,
        .b_row = l->in,
        .b_col = 1,
        .c = dx,
        .c_row = l->in,
        .finish = finish.call,
        .context = finish.context,
    };
    w_gemm(engine, &g);
}

void w_linear_backward_weight(const struct w_sums *sums, const struct w_linear *l, const float *dy,
                              const float *x, u64 m)
{
    struct w_gemm g = {
        .m = l->out,
        .n = l->in,
        .k = m,
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
    w_gemm(sums->engine, &g);
    w_sum_rows(sums, l->d_bias, dy, m, l->out);
}
