/* model.h - a model in memory and the step that trains it.
 *
 *     w_kern_choose(&kern, "auto", &err)                          // the fastest kernels
 *     w_model_new(&model, &conf, W_PLAN_TRAIN, W_TYPE_F32, kern, team, &err)  // one allocation, as planned
 *     w_model_init(model)                                     // from conf.seed; or load a checkpoint
 *     loss = w_model_gradient(model, ids, 1.0)                // forward and backward of one batch
 *     norm = w_model_update(model, step, learning_rate)       // clip, AdamW, clear the gradient
 *
 * Results have the same bits for any number of threads. */
#ifndef W_MODEL_H
#define W_MODEL_H

#include "kern/gemm.h"
#include "net/plan.h"

struct w_model;

/* The type is that of operands (plan.h); kern: from w_kern_choose(). The team must outlive the model. */
enum w_status w_model_new(struct w_model **, const struct w_conf *, enum w_plan_mode, enum w_type,
                          const struct w_kern *kern, struct w_team *, struct w_err *) W_MUST_CHECK;
void w_model_free(struct w_model *); /* accepts NULL */

/* The block's real size, to be compared with the plan's. */
u64 w_model_bytes(const struct w_model *);
const struct w_tensors *w_model_tensors(const struct w_model *);
const struct w_engine *w_model_engine(const struct w_model *);

/* Blocks of tensors->floats floats each; the last three are NULL unless planned for training. Ask for
 * the weights again after a step, before you write to them: what is made of them follows the call. */
float *w_model_weights(struct w_model *);
float *w_model_gradients(struct w_model *);
float *w_model_moments1(struct w_model *);
float *w_model_moments2(struct w_model *);

/* Draw initial weights: a pure function of conf.seed and of each tensor's row in the table. */
void w_model_init(struct w_model *);
/* ids: (B, T+1), each below vocab_size (the caller's promise, checked by the batch reader). Adds
 * scale times the gradient of the mean loss to the gradients; returns the mean loss in nats per
 * token. */
double w_model_gradient(struct w_model *, const u32 *ids, double scale);

/* Mean loss of a batch without gradients. Also fills nll (B * T losses in nats) unless NULL. */
double w_model_loss(struct w_model *, const u32 *ids, float *nll);

/* One AdamW step (Loshchilov and Hutter, 2019) with global clipping; step counts from 1. Returns the
 * norm of the gradient before clipping; the gradients are zero afterwards. */
double w_model_update(struct w_model *, u64 step, double learning_rate);

/* Training FLOPs per token of this configuration, scores over the causal half only: what the step
 * has to do, and what GFLOP/s are counted by (wcachefit --explain has the formula). */
double w_model_flops_per_token(const struct w_conf *);

/* Seconds spent in each part since the last reset, for the log and the benchmark. */
struct w_part_time {
    const char *name;
    double seconds;
};
u32 w_model_times(const struct w_model *, const struct w_part_time **);
void w_model_times_reset(struct w_model *);

#endif
