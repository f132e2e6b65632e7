/* GELU between the two matrices of the MLP, on pieces of their products. In bf16 the numbers that are
 * kept are rounded first, so that backward computes with those that forward has seen. */
#include "net/layers.h"

static void forward_piece(void *context, const struct w_piece *p)
{
    const struct w_hidden *h = context;
    const struct w_kern *kern = h->engine->kern;
    const enum w_type type = h->engine->type;

    for (u64 i = 0; i < p->rows; i++) {
        const u64 place = (p->row + i) * h->width + p->col;
        float *x = p->c + i * p->c_row;
        void *in = w_at(h->in, type, place), *out = w_at(h->out, type, place);
        if (type == W_TYPE_F32) {
            kern->gelu(out, x, p->cols);
            continue;
        }
        kern->narrow(in, x, p->cols);
        kern->widen(x, in, p->cols);
        kern->gelu(x, x, p->cols);
        kern->narrow(out, x, p->cols);
    }
}

/* out is computed again, for the gradient of the weights behind it. */
static void backward_piece(void *context, const struct w_piece *p)
{
    const struct w_hidden *h = context;
    const struct w_kern *kern = h->engine->kern;
    const enum w_type type = h->engine->type;

    for (u64 i = 0; i < p->rows; i++) {
        const u64 place = (p->row + i) * h->width + p->col;
        float *d = p->c + i * p->c_row, in[W_PIECE_COLS], out[W_PIECE_COLS];
        if (type == W_TYPE_F32) {
            const float *x = w_at(h->in, type, place);
            kern->gelu(w_at(h->out, type, place), x, p->cols);
            kern->gelu_backward(d, d, x, p->cols);
            continue;
        }
        kern->widen(in, w_at(h->in, type, place), p->cols);
        kern->gelu(out, in, p->cols);
        kern->narrow(w_at(h->out, type, place), out, p->cols);
        kern->gelu_backward(d, d, in, p->cols);
        kern->narrow(w_at(h->d, type, place), d, p->cols);
    }
}

struct w_result w_hidden_forward(struct w_hidden *h)
{
    return (struct w_result){.type = h->engine->type, .data = h->in, .finish = {forward_piece, h}};
}

struct w_result w_hidden_backward(struct w_hidden *h)
{
    return (struct w_result){.type = h->engine->type, .data = h->d, .finish = {backward_piece, h}};
}
