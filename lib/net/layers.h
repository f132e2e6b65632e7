/* layers.h - the layers of the model, each as a pair: forward, and backward beside it.
 *
 * M tokens = B sequences of T; rows are tokens. Backward functions add to the gradients of the
 * parameters (d_...), so that batches can be accumulated; sums over tokens are made block by block
 * and added up in the order of the blocks, so that they do not depend on the threads. */
#ifndef W_LAYERS_H
#define W_LAYERS_H

#include "kern/gemm.h"
#include "net/tensors.h"

/* Sums over the rows of a matrix, for biases and norms (sums.c). partials: (row blocks, width). */
struct w_sums {
    const struct w_engine *engine;
    float *partials;
};
/* out[j] += sum over rows of x[row * n + j] */
void w_sum_rows(const struct w_sums *, float *out, const float *x, u64 rows, u64 n);
/* out[j] += sum over blocks of partials[block * stride + j] */
void w_sum_partials(const struct w_sums *, float *out, const float *partials, u64 blocks,
                    u64 stride, u64 n);

/* ---- embedding.c ---- */

struct w_embedding {
    const float *tokens, *positions; /* (V, d), (T, d) */
    float *d_tokens, *d_positions;
    u64 batch, length, d, vocab;
};
/* y (M, d) = tokens[id] + positions[t]. ids: (B, T + 1); the last of each row is not used. */
void w_embedding_forward(const struct w_engine *, const struct w_embedding *, float *y,
                         const u32 *ids);
void w_embedding_backward(const struct w_engine *, const struct w_embedding *, const float *dy,
                          const u32 *ids);

/* ---- norm.c ---- */

struct w_norm {
    const float *weight, *bias; /* (d) */
    float *d_weight, *d_bias;
    u64 d;
};
/* y, x: (rows, d); stats: (rows, 2) */
void w_norm_forward(const struct w_engine *, const struct w_norm *, float *y, float *stats,
                    const float *x, u64 rows);
/* dx += gradient of x */
void w_norm_backward(const struct w_sums *, const struct w_norm *, float *dx, const float *dy,
                     const float *x, const float *stats, u64 rows);

/* ---- linear.c ---- */

struct w_linear {
    const float *weight, *bias; /* (out, in), (out) */
    float *d_weight, *d_bias;
    u64 in, out;
};
/* Called with pieces of the result while they are in the cache: see w_gemm. */
struct w_finish {
    void (*call)(void *context, const struct w_piece *);
    void *context;
};
/* y (m, out) = x (m, in) weight^T + bias */
void w_linear_forward(const struct w_engine *, const struct w_linear *, float *y, const float *x,
                      u64 m, struct w_finish);
/* y = residual + x weight^T + bias; y may be residual itself. */
void w_linear_forward_residual(const struct w_engine *, const struct w_linear *, float *y,
                               const float *x, const float *residual, u64 m);
/* dx (m, in) = dy (m, out) weight */
void w_linear_backward_input(const struct w_engine *, const struct w_linear *, float *dx,
                             const float *dy, u64 m, struct w_finish);
/* d_weight += dy^T x; d_bias += sums of dy */
void w_linear_backward_weight(const struct w_sums *, const struct w_linear *, const float *dy,
                              const float *x, u64 m);

/* ---- attention.c ---- */

struct w_attention {
    enum w_type type; /* of all matrices */
    u64 batch, length, heads, d;
};
/* out (M, d) = softmax(q k^T / sqrt(head_dim)) v, causal; qkv: (M, 3d), each head's columns together */
void w_attention_forward(const struct w_engine *, const struct w_attention *, void *out,
                         const void *qkv);
void w_attention_backward(const struct w_engine *, const struct w_attention *, void *dqkv,
                          const void *dout, const void *qkv);

/* ---- head.c: logits and their loss, in chunks of tokens, so that all logits never exist ---- */

struct w_head {
    const float *weight; /* (V, d) */
    float *d_weight;
    u64 d, vocab;
    u64 batch, length;  /* targets of row m: ids[(m / length) * (length + 1) + m % length + 1] */
    float *panels;      /* W_GEMM_PACKED(d, vocab) */
    float *panels_back; /* W_GEMM_PACKED(vocab, d) */
    float *logits;      /* (chunk, V) */
    u64 chunk;
    float *nll; /* (M): loss of each token in nats */
};
/* Fill nll. x: (M, d) */
void w_head_forward(const struct w_engine *, const struct w_head *, const float *x, const u32 *ids);
/* The same, and the gradients of scale * sum(nll): dx (M, d), d_weight. */
void w_head_forward_backward(const struct w_engine *, const struct w_head *, float *dx,
                             const float *x, const u32 *ids, float scale);

/* ---- adamw.c ---- */

/* Norm of n floats, in double precision. partials: a double per W_UPDATE_FLOATS. */
#define W_UPDATE_FLOATS 16384
double w_gradient_norm(const struct w_engine *, const float *g, u64 n, double *partials);

/* One AdamW step on blocks of n floats; gradients become zero. Tensors that decay get
 * `decayed`, the others `plain`. */
struct w_update {
    float *weights, *gradients, *moments1, *moments2;
    const struct w_tensors *tensors;
    struct w_adamw decayed, plain;
};
void w_update_weights(const struct w_engine *, const struct w_update *);

#endif
