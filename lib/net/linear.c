#include "net/layers.h"

/* ---- where results go ---- */

struct store {
    const struct w_kern *kern;
    w_bf16 *y;
    u64 width;
};

static void store_piece(void *context, const struct w_piece *p)
{
    const struct store *s = context;
    for (u64 i = 0; i < p->rows; i++) {
        w_bf16 *y = s->y + (p->row + i) * s->width + p->col;
        w_foresee(y);
        s->kern->narrow(y, p->c + i * p->c_row, p->cols);
    }
}

/* A product whose result goes to y. */
static void multiply(const struct w_engine *engine, struct w_gemm g, struct w_result y)
{
    struct store store = {.kern = engine->kern, .y = y.data, .width = g.n};

    g.finish = y.finish.call;
    g.context = y.finish.context;
    if (y.type == W_TYPE_F32) {
        g.c = y.data;
        g.c_row = g.n;
    } else if (!g.finish) {
        g.finish = store_piece;
        g.context = &store;
    }
    w_gemm(engine, &g);
}

/* ---- forward ---- */

/* x (m, in) * weight^T, to which the callers say what is added, and where it goes. */
static struct w_gemm forward_product(const struct w_engine *engine, const struct w_linear *l,
                                     const void *x, u64 m)
{
    return (struct w_gemm){
        .type = engine->type,
        .m = m,
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

void w_linear_forward(const struct w_engine *engine, const struct w_linear *l, struct w_result y,
                      const void *x, u64 m)
{
    struct w_gemm g = forward_product(engine, l, x, m);
    g.add = l->bias;
    multiply(engine, g, y);
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
                               const void *x, const float *residual, u64 m)
{
    struct residual r = {.engine = engine, .l = l};
    struct w_gemm g = forward_product(engine, l, x, m);
    g.add = residual;
    g.add_row = l->out;
    multiply(engine, g, (struct w_result){W_TYPE_F32, y, {add_bias, &r}});
}

/* ---- backward ---- */

void w_linear_backward_input(const struct w_engine *engine, const struct w_linear *l,
                             struct w_result dx, const void *dy, u64 m)
{
    struct w_gemm g = {
        .type = engine->type,
        .m = m,
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
    multiply(engine, g, dx);
}

void w_linear_backward_weight(const struct w_sums *sums, const struct w_linear *l, const void *dy,
                              const void *x, u64 m)
{
    struct w_gemm g = {
        .type = sums->engine->type,
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
