/* layers.h - the layers of the model, each as a pair: forward, and backward beside it.
 *
 * A matrix of operands has elements of the engine's type, floats or bf16, and is passed as void *;
 * float * is floats always.
 *
 * M tokens = B sequences of T; rows are tokens. Backward functions add to the gradients of the
 * parameters (d_...), so that batches can be accumulated; sums over tokens are made block by block
 * and added up in the order of the blocks, so that they do not depend on the threads. */
#ifndef W_LAYERS_H
#define W_LAYERS_H

#include "kern/gemm.h"
#include "net/tensors.h"

/* Pieces of a product meet rows of other matrices that are kilobytes apart, which no CPU sees coming.
 * Called with the part of such a row that belongs to a piece, this asks for the part of the next piece
 * to the right, which is there by the time that its product is. */
static inline void w_foresee(const void *part)
{
    const u8 *next = (const u8 *)part + W_PIECE_COLS * sizeof(w_bf16);
    for (u64 line = 0; line < W_PIECE_COLS * sizeof(w_bf16); line += 64)
        __builtin_prefetch(next + line, 1);
}

/* Sums over the rows of a matrix, for biases and norms (sums.c). partials: (row blocks, width). */
struct w_sums {
    const struct w_engine *engine;
    float *partials;
};
/* out[j] += sum over rows of x[row * n + j] */
void w_sum_rows(const struct w_sums *, float *out, const void *x, u64 rows, u64 n);
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
void w_norm_forward(const struct w_engine *, const struct w_norm *, void *y, float *stats,
                    const float *x, u64 rows);
/* dx += gradient of x. operand: dx as it is then, as an operand; of floats, dx itself and not written. */
void w_norm_backward(const struct w_sums *, const struct w_norm *, float *dx, void *operand,
                     const float *dy, const float *x, const float *stats, u64 rows);

/* ---- linear.c ---- */

struct w_linear {
    const float *weight, *bias;       /* (out, in), (out) */
    const void *packed, *packed_back; /* the weight in panels, each way; NULL: packed when needed */
    float *d_weight, *d_bias;
    u64 in, out;
};
/* Called with pieces of the result while they are in the cache: see w_gemm. */
struct w_finish {
    void (*call)(void *context, const struct w_piece *);
    void *context;
};
/* Where a product goes. Floats: to data, then finish.call is called, if there is one. bf16: to
 * finish.call, which keeps what it wants; or without one, rounded, to data. */
struct w_result {
    enum w_type type;
    void *data;
    struct w_finish finish;
};
/* y (m, out) = x (m, in) weight^T + bias */
void w_linear_forward(const struct w_engine *, const struct w_linear *, struct w_result y,
                      const void *x, u64 m);
/* y = residual + x weight^T + bias; y may be residual itself. */
void w_linear_forward_residual(const struct w_engine *, const struct w_linear *, float *y,
                               const void *x, const float *residual, u64 m);
/* dx (m, in) = dy (m, out) weight */
void w_linear_backward_input(const struct w_engine *, const struct w_linear *, struct w_result dx,
                             const void *dy, u64 m);
/* d_weight += dy^T x; d_bias += sums of dy */
void w_linear_backward_weight(const struct w_sums *, const struct w_linear *, const void *dy,
                              const void *x, u64 m);

/* ---- hidden.c: GELU, done on pieces of the products around it while they are in the cache ---- */

struct w_hidden {
    const struct w_engine *engine;
    void *in;  /* (M, d_ff): before GELU */
    void *out; /* (M, d_ff): behind it */
    void *d;   /* (M, d_ff): gradient, of out on the way in, of in on the way out */
    u64 width;
};
/* Results of products: `in` with GELU after it; `d` with GELU's slope after it, and `out` once more. */
struct w_result w_hidden_forward(struct w_hidden *);
struct w_result w_hidden_backward(struct w_hidden *);

/* ---- attention.c ---- */

struct w_attention {
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
    u64 batch, length; /* targets of row m: ids[(m / length) * (length + 1) + m % length + 1] */
    void *panels;      /* the weight in panels for the logits: W_GEMM_PACKED(d, vocab) elements */
    void *panels_back; /* and for their gradient: W_GEMM_PACKED(vocab, d) */
    bool packed;       /* they are up to date; else they are filled here */
    void *logits;      /* (chunk, V) */
    float *sums;       /* (chunk, V / W_PIECE_COLS + 1, 2): of bf16 logits only, */
    float *factors;    /* (chunk): as these */
    u64 chunk;
    float *nll; /* (M): loss of each token in nats */
};
/* Fill nll. x: (M, d) */
void w_head_forward(const struct w_engine *, const struct w_head *, void *x, const u32 *ids);
/* The same, and the gradients of scale * sum(nll): dx (M, d), d_weight. Of bf16, x is used up. */
void w_head_forward_backward(const struct w_engine *, const struct w_head *, float *dx, void *x,
                             const u32 *ids, float scale);

/* ---- adamw.c ---- */

/* Norm of n floats, in double precision. partials: a double per W_UPDATE_FLOATS. */
#define W_UPDATE_FLOATS 16384
double w_gradient_norm(const struct w_engine *, const float *g, u64 n, double *partials);

/* Operands in panels for products of bf16, tensor by tensor at w_tensor.packed; NULL: none. */
struct w_panels {
    w_bf16 *forward, *back;
};

/* One AdamW step on blocks of n floats; gradients become zero. Tensors that decay get
 * `decayed`, the others `plain`. New weights go to their panels in the same pass over memory. */
struct w_update {
    float *weights, *gradients, *moments1, *moments2;
    const struct w_tensors *tensors;
    struct w_panels panels;
    struct w_adamw decayed, plain;
};
void w_update_weights(const struct w_engine *, const struct w_update *);
/* The panels alone, from weights that came from elsewhere. */
void w_pack_weights(const struct w_engine *, const struct w_update *);

#endif
