/* linear.h - y = x weight^T + bias and its gradients: the GEMMs of every layer that has a weight
 * matrix. M is the number of tokens of the pass. */
#ifndef W_LINEAR_H
#define W_LINEAR_H

#include "net/layer.h"

/* A weight matrix of a layer, with its bias. */
struct w_linear {
    const struct w_pass *pass;
    const float *weight, *bias;       /* (out, in), (out) */
    const void *packed, *packed_back; /* the weight, each way; NULL: packed in each call */
    float *d_weight, *d_bias;
    u64 in, out;
};
/* The one in rows `row` (weight) and `row` + 1 (bias) of the layer's tensors. */
struct w_linear w_linear_of(const struct w_layer_at *, u32 row);
/* Append these two rows: NAMEweight (out, in), of `parts` matrices (out / parts, in), and NAMEbias
 * (out). */
void w_linear_tensors(struct w_tensors *, const char *name, u64 in, u64 out, u32 parts,
                      enum w_init);

/* Called with blocks of the result while they are in the cache: see w_gemm. */
struct w_epilogue {
    void (*call)(void *context, const struct w_result_block *);
    void *context;
};
/* Where a GEMM leaves its result. fp32: in data, and epilogue.call is called if it is set. bf16:
 * only epilogue.call gets it; if that is NULL, it is rounded and stored in data. */
struct w_result {
    enum w_type type;
    void *data;
    struct w_epilogue epilogue;
};

/* The gradient of x, in the type that the layer that made x takes. */
static inline struct w_result w_layer_dx(const struct w_layer_at *at)
{
    return (struct w_result){
        .type = at[-1].layer->kind->dy_fp32 ? W_TYPE_F32 : at->pass->engine.type, .data = at->dx};
}

/* y (M, out) = x (M, in) weight^T + bias */
void w_linear_forward(const struct w_linear *, struct w_result y, const void *x);
/* y = residual + x weight^T + bias; y may be residual itself. */
void w_linear_forward_residual(const struct w_linear *, float *y, const void *x,
                               const float *residual);
/* dx (M, in) = dy (M, out) weight */
void w_linear_backward_input(const struct w_linear *, struct w_result dx, const void *dy);
/* d_weight += dy^T x; d_bias += sums of dy */
void w_linear_backward_weight(const struct w_linear *, const void *dy, const void *x);

/* An epilogue reads and writes rows of other matrices that are kilobytes apart, which hardware
 * prefetchers do not follow. Given the current segment of such a row, prefetch the segment of the
 * next tile to the right. */
static inline void w_prefetch_next(const void *segment)
{
    const u8 *next = (const u8 *)segment + W_EPILOGUE_COLS * sizeof(w_bf16);
    for (u64 line = 0; line < W_EPILOGUE_COLS * sizeof(w_bf16); line += 64)
        __builtin_prefetch(next + line, 1);
}

#endif
