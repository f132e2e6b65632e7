/* optim.h - the optimizer: a table of rules by which gradients change weights, and the one pass over
 * memory in which a rule is applied, gradients become zero and the weights' panels are packed again.
 *
 * A rule is a row: the state that it keeps for each weight, by name, and what it does to a block of them.
 * The plan, the checkpoint and the prediction follow from the row. */
#ifndef W_OPTIM_H
#define W_OPTIM_H

#include "kern/gemm.h"
#include "net/layer.h"

#define W_OPTIMIZER_STATES 2

/* What a rule computes once per step from configuration, step and gradient. */
union w_optimizer_step {
    struct {
        struct w_adamw decayed,
            plain; /* for tensors on which weight decay acts, and for the others */
    } adamw;
};

struct w_optimizer {
    const char *name;
    /* Names of its states, in plans and, with a dot and the tensor's name after it, in checkpoints:
     * blocks of floats laid out like the weights. NULL: fewer. */
    const char *states[W_OPTIMIZER_STATES];
    double flops, bytes; /* of the update of a parameter */
    /* grad_scale: what gradients are multiplied by; step counts from 1. */
    void (*begin)(union w_optimizer_step *, const struct w_conf *, u64 step, double learning_rate,
                  double grad_scale);
    /* n weights of a tensor, their gradients, which become zero, and their states. */
    void (*update)(const union w_optimizer_step *, const struct w_kern *, const struct w_tensor *,
                   float *weights, float *gradients, float *const states[W_OPTIMIZER_STATES],
                   u64 n);
};

/* The one that a configuration asks for. */
const struct w_optimizer *w_optimizer_of(const struct w_conf *);
/* Its state of that name, from 0 on; or -1. */
int w_optimizer_state(const struct w_optimizer *, const char *name, size_t length);

extern const struct w_optimizer w_optimizer_adamw;

/* Norm of n floats, in double precision. partials: a double per W_UPDATE_FLOATS. */
#define W_UPDATE_FLOATS 16384
double w_gradient_norm(const struct w_engine *, const float *g, u64 n, double *partials);

/* One pass over all weights. */
struct w_update {
    const struct w_optimizer *optimizer; /* NULL: the weights stay, only their panels are packed */
    union w_optimizer_step step;
    const struct w_tensors *tensors;
    float *weights, *gradients, *states[W_OPTIMIZER_STATES];
    w_bf16 *packed, *packed_back; /* panels for y = x w^T and for dx = dy w; NULL: none */
};
void w_update_weights(const struct w_engine *, const struct w_update *);

#endif
