/* GELU between the two matrices of the MLP, on pieces of their products. */
#include "net/layers.h"

static void forward_piece(void *context, const struct w_piece *p)
{
    const struct w_hidden *h = context;
    const struct w_kern *kern = h->engine->kern;
    const enum w_type type = h->engine->type;

    for (u64 i = 0; i < p->rows; i++) {
        const u64 place = (p->row + i) * h->width + p->col;
        const float *x = p->c + i * p->c_row; /* of floats, that is `in` */
        void *in = w_at(h->in, type, place), *out = w_at(h->out, type, place);
        if (type == W_TYPE_F32) {
            kern->gelu(out, x, p->cols);
        } else {
            w_foresee(in);
            w_foresee(out);
            kern->gelu_bf16(out, in, x, p->cols);
        }
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
        float *d = p->c + i * p->c_row; /* of floats, that is h->d */
        const void *in = w_at(h->in, type, place);
        void *out = w_at(h->out, type, place);
        if (type == W_TYPE_F32) {
            kern->gelu(out, in, p->cols);
            kern->gelu_backward(d, d, in, p->cols);
        } else {
            w_bf16 *dx = w_at(h->d, type, place);
            w_foresee(in);
            w_foresee(out);
            w_foresee(dx);
            kern->gelu_backward_bf16(dx, out, d, in, p->cols);
        }
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
