/* layer.h - the kinds of layers: the parameters of each, its memory, its arithmetic in each
 * direction, and the cost of that. Everything else walks the list of a model's layers (arch.h) and
 * calls these functions: the table of tensors, the memory plan, the training step, generation,
 * FLOPs, predictions.
 *
 * A kind is one file with one `struct w_layer_kind`; where it stands in a model is one row of
 * arch.c.
 *
 * Shapes. M tokens = B sequences of T; a row is a token. A layer reads x (M, in) and writes y (M,
 * out). y of the embedding and of the layers that end a block's branch is the residual stream, in
 * fp32: layers that add to it find the sum so far in `stream`. Every other y has the compute type,
 * fp32 or bf16, and so has its gradient dy, unless the kind has dy_fp32.
 *
 * Backward functions add to the gradients of parameters, so that batches can be accumulated. Sums
 * over tokens are made in blocks of a fixed size, which are added up in their order (sums.h), so
 * that they do not depend on the number of threads. */
#ifndef W_LAYER_H
#define W_LAYER_H

#include "kern/gemm.h"
#include "net/batch.h"
#include "net/lazy_rows.h"
#include "net/phase.h"
#include "net/plan.h"
#include "net/seen_targets.h"
#include "net/tensors.h"

#define W_LAYER_BUFFERS 10

struct w_layer_kind;

/* A layer of a model: made from the configuration alone (arch.h); the table of tensors and the
 * memory plan fill in the rest. */
struct w_layer {
    const struct w_layer_kind *kind;
    char name[32];      /* prefix of its tensors' names: "h.3.attn.c_attn." */
    u64 in, out;        /* widths of x and y */
    u32 parts;          /* as of its weight: struct w_tensor */
    const char *y, *dy; /* names of their buffers; NULL: the residual stream */
    u32 tensor;         /* its first row in the table of tensors */
    struct w_plan_place y_at, dy_at, stream_at;
    struct w_plan_place own_at[W_LAYER_BUFFERS]; /* its further buffers, in the kind's own order */
};

/* What a pass of generation has instead of a batch: any tokens of any texts. Each text has a slot
 * of the KV cache; its tokens follow each other, as far as they are among the rows. */
struct w_decode_row {
    u32 id, slot;
    u64 position;
};
struct w_decode {
    const struct w_decode_row *rows; /* (tokens) */
    const u32 *wanted;               /* rows of which logits are wanted */
    u64 wanted_count;
    float *logits; /* (wanted_count, V), set by the head */
    /* Set by the gate: z of gate.c without the features of the context (wanted_count), and their
     * weights (conf.counts). */
    const float *gates, *gate_features;
};

/* What all layers of a model share while they run. */
struct w_pass {
    const struct w_conf *conf;
    struct w_engine engine;
    u64 tokens; /* M */
    const struct w_tensors *tensors;
    const float *weights; /* all tensors, in the order of the table */
    float *gradients;     /* NULL without backward */
    /* Weights for forward and backward, packed; NULL: each call packs them, in fp32. Those for
     * forward are of type packed_type, the others of the compute type. */
    const void *packed, *packed_back;
    enum w_type packed_type;
    float *d_residual; /* (M, d): gradient of the residual stream */
    void *d_stream;    /* the same in the compute type; with fp32 it is d_residual itself */
    float *partials;
    float *nll;         /* (M): the loss of each token in nats, written by the head */
    const float *mixed; /* the same of the mixture, by the gate; NULL: none, or no counts */
    const struct w_batch *batch;
    const struct w_seen_targets *seen; /* training with a sampled softmax; else NULL */
    struct w_lazy_rows *lazy;          /* NULL: every row is updated */
    double scale;                      /* of the gradient of the mean loss */
    struct w_decode *decode;           /* generation; else NULL */
    struct w_clock clock;
};

/* A layer at its place in memory. An element of an array in the order of the model: at[-1] made
 * x. */
struct w_layer_at {
    const struct w_layer *layer;
    struct w_pass *pass;
    const struct w_tensor *tensors; /* its own rows */
    void *x, *y;
    float *stream; /* the sum to which a layer that ends a branch adds; may be y itself */
    void *dx, *dy;
    void *own[W_LAYER_BUFFERS]; /* NULL where the plan has none */
};

/* What a direction of a layer has to do for a batch at least, without what kernels do in
 * addition. */
struct w_work {
    double flops; /* a multiplication and an addition are two */
    double bytes; /* read and written */
    double units; /* in which measured costs of its phase are expressed (bench/step_probe.h) */
    /* The working set, bytes that are touched before the same are touched again: of each thread, or
     * of all threads together; 0: all memory of the step. */
    double thread_set, set;
};

struct w_layer_kind {
    const char *name;
    enum w_phase forward_phase, backward_phase;
    bool recomputed; /* y is not kept for the backward pass but computed again when needed */
    bool dy_fp32;    /* backward takes dy in fp32 */
    bool multiplies; /* its work is GEMM: counted in FLOPs per token */
    /* It makes losses: its backward() does what its forward() does too, which is not called in
     * training. Layers that do end the model; in the backward pass they keep their order. */
    bool losses;
    /* Its tensors, the last of the model, learn from a loss of their own: their gradients are left
     * out of the norm by which gradients are clipped. */
    bool apart;
    /* Append rows to the table of tensors. NULL: the layer has no parameters. */
    void (*tensors)(struct w_tensors *, const struct w_layer *, const struct w_conf *);
    /* Ask for further buffers and scratch memory. NULL: none. */
    void (*plan)(struct w_planner *, struct w_layer *);
    void (*forward)(const struct w_layer_at *);
    void (*backward)(const struct w_layer_at *);
    /* The rows of pass->decode. NULL: forward() does that, since it works row by row. */
    void (*decode)(const struct w_layer_at *);
    /* What it keeps of the first `count` tokens of slot `from`, it also has for slot `to`. NULL: it
     * keeps nothing of tokens. */
    void (*copy_slot)(const struct w_layer_at *, u32 to, u32 from, u64 count);
    void (*work)(const struct w_layer *, const struct w_conf *, enum w_type, struct w_work *forward,
                 struct w_work *backward);
};

extern const struct w_layer_kind w_layer_embedding, w_layer_norm, w_layer_linear,
    w_layer_linear_add, w_layer_attention, w_layer_mlp, w_layer_head, w_layer_gate;

/* x in the backward pass: as it was kept, or computed again by the layer that made it, to which the
 * time is charged. */
const void *w_layer_input(const struct w_layer_at *);

static inline const float *w_layer_weight(const struct w_layer_at *at, u32 row)
{
    return at->pass->weights + at->tensors[row].offset;
}

/* Panels of an operand for forward, or NULL. */
static inline const void *w_layer_packed(const struct w_pass *pass, const struct w_tensor *t)
{
    return pass->packed ? (const u8 *)pass->packed + w_panel_bytes(pass->packed_type, t->packed)
                        : NULL;
}

/* NULL without backward. */
static inline float *w_layer_gradient(const struct w_layer_at *at, u32 row)
{
    return at->pass->gradients ? at->pass->gradients + at->tensors[row].offset : NULL;
}

/* Tokens of a batch, for formulas of work. */
static inline double w_work_rows(const struct w_conf *conf)
{
    return (double)conf->batch_size * (double)conf->max_length;
}

#endif
