/* optim.h - the optimizer: a table of rules by which gradients change weights, and the one pass
 * over memory that applies a rule, clears gradients and packs the weights' panels again.
 *
 * A rule is a row: the state that it keeps for each weight, by name, and its update of a block of
 * weights. An optimizer is a row too: which rule the tensors of a model follow. The plan, the
 * checkpoint and the prediction follow from the rows. */
#ifndef W_OPTIM_H
#define W_OPTIM_H

#include "kern/gemm.h"
#include "net/deal.h"
#include "net/layer.h"

#define W_OPTIMIZER_KEYS 8

#define W_RULE_STATES 2

/* Constants of the rules during one step. */
struct w_optimizer_step {
    struct {
        struct w_adamw decayed, plain; /* for tensors with weight decay, and without */
    } adamw;
    struct {
        float grad_scale; /* clipping */
        float momentum, learning_rate, decay_factor;
    } muon;
};

struct w_update;
struct w_rule {
    /* Names of its states: blocks of a float for each weight of its tensors, which are in the order
     * of the table (w_tensor.state). In checkpoints a dot and the tensor's name follow. NULL after
     * the last. */
    const char *states[W_RULE_STATES];
    double flops, bytes; /* to update a parameter */
    /* grad_scale: the factor of clipping; step counts from 1. */
    void (*begin)(struct w_optimizer_step *, const struct w_conf *, u64 step, double learning_rate,
                  double grad_scale);
    /* n weights of a tensor and their states in place; their gradients become zero. */
    void (*update)(const struct w_optimizer_step *, const struct w_kern *, const struct w_tensor *,
                   float *weights, float *gradients, float *const states[W_RULE_STATES], u64 n);
    /* Before the update, for all tensors of the rule, and what that takes; NULL: nothing. It leaves
     * in the gradients what update() shall find there. */
    void (*prepare)(const struct w_engine *, const struct w_update *);
    u64 (*scratch_bytes)(const struct w_tensors *, enum w_type, u32 threads);
    double (*prepare_flops)(const struct w_tensor *);
    double prepare_bytes; /* for a parameter */
};
extern const struct w_rule w_rule_adamw, w_rule_muon;

struct w_optimizer {
    const char *name;
    const struct w_rule *rules[W_OPTIMIZER_RULES]; /* NULL after the last */
    u32 hidden; /* which of them the matrices between hidden layers follow; all else: the first */
    /* Keys of the configuration that they read; NULL after the last. */
    const char *keys[W_OPTIMIZER_KEYS];
};

/* The optimizer of a configuration. */
const struct w_optimizer *w_optimizer_of(const struct w_conf *);
/* Which of its rules a tensor follows: an index. */
u32 w_optimizer_rule(const struct w_optimizer *, const struct w_tensor *);

/* States of an optimizer are counted through its rules: those of the first, then those of the
 * next. */
struct w_rule_state {
    const char *name; /* NULL: there are no more */
    u32 rule;         /* that keeps it */
};
struct w_rule_state w_optimizer_state(const struct w_optimizer *, u32 state);

/* A pass over all weights, in stripes of so many rows of a tensor, or one vector: a multiple of
 * tile_cols and of k_unroll of any variant. */
#define W_STRIPE_ROWS 32

/* With lazy rows, of their tensor only the rows that are listed have gradients and are updated. */
struct w_update {
    const struct w_optimizer *optimizer; /* NULL: only pack panels of the weights */
    struct w_optimizer_step step;
    const struct w_tensors *tensors;
    const struct w_lazy_rows *lazy; /* or NULL */
    const struct w_tensor
        *unpacked; /* its panels are left as they are, as are lazy rows'; or NULL */
    float *weights, *gradients, *states[W_OPTIMIZER_STATES];
    w_bf16 *packed, *packed_back; /* panels for y = x w^T and for dx = dy w; NULL: none */
    void *scratch;                /* as the rules ask for */
    /* Among ranks that deal out the update: only the weights that are this rank's, or only those
     * that are not, whose gradients become zero. NULL: all weights. */
    const struct w_deal *deal;
    bool others;
};

/* Stripes of all tensors, at most. */
u64 w_update_stripes(const struct w_tensors *);
/* The sum of squares of the gradients of each stripe, in double precision, into partials; returns
 * how many. Dealt out, each is made by one rank, and zero on the others. The norm of the gradient
 * is the square root of their sum. */
u64 w_update_squares(const struct w_engine *, const struct w_update *, double *partials);
double w_norm_of_squares(const double *partials, u64 n);

/* Does this pass change the tensor's weights from this one on? */
bool w_update_takes(const struct w_update *, const struct w_tensor *, u64 at);
/* What comes before the update: w_rule.prepare of all rules. */
void w_update_prepare(const struct w_engine *, const struct w_update *);
/* State number `state` of a tensor's rule, for the first of its weights. */
float *w_update_state(const struct w_update *, const struct w_tensor *, u32 state);
/* Update the weights, and pack panels of them. */
void w_update_weights(const struct w_engine *, const struct w_update *);

#endif
