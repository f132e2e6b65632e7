/* optim.h - the optimizer: a table of rules by which gradients change weights, and the one pass
 * over memory that applies a rule, clears gradients and packs the weights' panels again.
 *
 * A rule is a row: the state that it keeps for each weight, by name, and its update of a block of
 * weights. The plan, the checkpoint and the prediction follow from the row. */
#ifndef W_OPTIM_H
#define W_OPTIM_H

#include "kern/gemm.h"
#include "net/layer.h"

#define W_OPTIMIZER_KEYS 8

/* Constants of a rule during one step. */
union w_optimizer_step {
    struct {
        struct w_adamw decayed, plain; /* for tensors with weight decay, and without */
    } adamw;
};

struct w_optimizer {
    const char *name;
    /* Names of its states: blocks of floats laid out like the weights. In checkpoints a dot and the
     * tensor's name follow. NULL after the last. */
    const char *states[W_OPTIMIZER_STATES];
    /* Keys of the configuration that it reads; NULL after the last. */
    const char *keys[W_OPTIMIZER_KEYS];
    double flops, bytes; /* to update a parameter */
    /* grad_scale: the factor of clipping; step counts from 1. */
    void (*begin)(union w_optimizer_step *, const struct w_conf *, u64 step, double learning_rate,
                  double grad_scale);
    /* n weights of a tensor and their states in place; their gradients become zero. */
    void (*update)(const union w_optimizer_step *, const struct w_kern *, const struct w_tensor *,
                   float *weights, float *gradients, float *const states[W_OPTIMIZER_STATES],
                   u64 n);
};

/* The rule of a configuration. */
const struct w_optimizer *w_optimizer_of(const struct w_conf *);
extern const struct w_optimizer w_optimizer_adamw;

/* Euclidean norm of n floats, summed in double precision. partials: scratch, a double for every
 * W_UPDATE_FLOATS. */
#define W_UPDATE_FLOATS 16384
double w_gradient_norm(const struct w_engine *, const float *g, u64 n, double *partials);

/* One pass over all weights. */
struct w_update {
    const struct w_optimizer *optimizer; /* NULL: only pack panels of the weights */
    union w_optimizer_step step;
    const struct w_tensors *tensors;
    float *weights, *gradients, *states[W_OPTIMIZER_STATES];
    w_bf16 *packed, *packed_back; /* panels for y = x w^T and for dx = dy w; NULL: none */
};
void w_update_weights(const struct w_engine *, const struct w_update *);

#endif
