/* head.h - the output head with its cross-entropy, apart from the model, so that tests can compare
 * it with sums in double precision; the model's layer is w_layer_head (head_layer.c). */
#ifndef W_HEAD_H
#define W_HEAD_H

#include "kern/gemm.h"

struct w_head {
    const void *weight; /* (V, d); read where the panels are not up to date: in the compute type */
    float *d_weight;
    bool fresh; /* d_weight is set, else added to */
    u64 d, vocab;
    const u32 *columns;      /* of each id among the V of the softmax; NULL: the id itself */
    const float *correction; /* (V), added to logits but the target's; NULL: none */
    u64 batch, length; /* targets of row m: ids[(m / length) * (length + 1) + m % length + 1] */
    void *panels;      /* the packed weight for the logits: W_GEMM_PACKED(d, vocab) elements */
    void *panels_back; /* and for dx: W_GEMM_PACKED(vocab, d) */
    bool packed;       /* they are up to date; else every call packs them */
    void *logits;      /* (chunk, w_head_stride(V)) in the compute type */
    float *sums;       /* (chunk, V / W_EPILOGUE_COLS + 1, 2): in bf16 only */
    float *factors;    /* (chunk): in bf16 only */
    u64 chunk;
    float *nll; /* (M): loss of each token in nats */
};
/* Numbers from one row of logits to the next. Rows in the same place of every page would compete
 * for the same lines of L1. */
#define W_HEAD_GAP 32
static inline u64 w_head_stride(u64 vocab)
{
    return vocab % 1024 == 0 ? vocab + W_HEAD_GAP : vocab;
}

/* Fill nll. x: (M, d) in the compute type */
void w_head_forward(const struct w_engine *, const struct w_head *, void *x, const u32 *ids);
/* The same, and the gradient of scale * sum(nll): into dx (M, d), and of d_weight. In bf16, x
 * is overwritten. */
void w_head_forward_backward(const struct w_engine *, const struct w_head *, float *dx, void *x,
                             const u32 *ids, float scale);

#endif
