/* head.h - the output head and its cross-entropy on their own, as tests compare them with sums in double
 * precision; the model's layer of them is w_layer_head. */
#ifndef W_HEAD_H
#define W_HEAD_H

#include "kern/gemm.h"

struct w_head {
    const float *weight; /* (V, d) */
    float *d_weight;
    u64 d, vocab;
    u64 batch, length; /* targets of row m: ids[(m / length) * (length + 1) + m % length + 1] */
    void *panels;      /* the weight in panels for the logits: W_GEMM_PACKED(d, vocab) elements */
    void *panels_back; /* and for their gradient: W_GEMM_PACKED(vocab, d) */
    bool packed;       /* they are up to date; else they are filled here */
    void *logits;      /* (chunk, V) */
    float *sums;       /* (chunk, V / W_EPILOGUE_COLS + 1, 2): of bf16 logits only, */
    float *factors;    /* (chunk): as these */
    u64 chunk;
    float *nll; /* (M): loss of each token in nats */
};
/* Fill nll. x: (M, d) */
void w_head_forward(const struct w_engine *, const struct w_head *, void *x, const u32 *ids);
/* The same, and the gradients of scale * sum(nll): dx (M, d), d_weight. In bf16, x is used up. */
void w_head_forward_backward(const struct w_engine *, const struct w_head *, float *dx, void *x,
                             const u32 *ids, float scale);

#endif
