/* model.h - a model in memory and the step that trains it.
 *
 *     w_kern_choose(&kern, "auto", &err)                  // the fastest kernels
 *     w_model_new(&model, &conf, W_PLAN_TRAIN, W_TYPE_F32, kern, team, &err)   // one allocation
 *     w_model_init(model)                                 // from conf.seed; or load a checkpoint
 *     loss = w_model_gradient(model, &batch, 1.0)         // forward and backward of one batch
 *     norm = w_model_update(model, step, learning_rate)   // clip, optimizer, clear the gradient
 *
 * Results have the same bits for any number of threads. */
#ifndef W_MODEL_H
#define W_MODEL_H

#include "kern/gemm.h"
#include "net/batch.h"
#include "net/phase.h"
#include "net/plan.h"
#include "net/tensors.h"

struct w_model;

/* type: the compute type (plan.h); kern: from w_kern_choose(). The configuration is copied;
 * kernels and team must outlive the model. W_USAGE: sizes that overflow; W_NOMEM: no memory for
 * the block. */
enum w_status w_model_new(struct w_model **, const struct w_conf *, enum w_plan_mode, enum w_type,
                          const struct w_kern *kern, struct w_team *, struct w_err *) W_MUST_CHECK;
void w_model_free(struct w_model *); /* accepts NULL */

/* Bytes of the model's block, as planned. */
u64 w_model_bytes(const struct w_model *);
const struct w_tensors *w_model_tensors(const struct w_model *);
const struct w_engine *w_model_engine(const struct w_model *);

/* A block of tensors->floats floats. Call this again after each step before you write through
 * the pointer: the call marks the packed bf16 copies of the weights as stale. The model owns all
 * blocks. */
float *w_model_weights(struct w_model *);
/* NULL unless planned for training; so are the states. */
float *w_model_gradients(struct w_model *);
/* State number `state` of the optimizer, from 0 on (w_optimizer_state()), and its name in files:
 * "adam.m". NULL: there are no more. A tensor of the state's rule is at w_tensor.state in it. State
 * W_OUTER_STATE is the momentum of the outer step (net/outer.h), laid out as the weights; NULL
 * without local steps. */
const char *w_model_state_name(const struct w_model *, u32 state);
float *w_model_state(struct w_model *, u32 state);
/* How often each id was a target in the steps so far (V): state of a run with a sampled softmax;
 * NULL without. */
u32 *w_model_seen(struct w_model *);

/* Draw initial weights: a pure function of conf.seed and of each tensor's row in the table. */
void w_model_init(struct w_model *);

/* Each id is below vocab_size, which the caller has checked; counts have as many features as
 * conf.counts says, and without any a gate stays as it is. Adds scale times the gradient of the
 * mean loss to the gradients, that of the mixture's loss to those of the gate (gate.c); returns the
 * mean loss of the network in nats per token. */
double w_model_gradient(struct w_model *, const struct w_batch *, double scale);

/* Mean loss of a batch without gradients. Also fills nll (B * T losses in nats) unless NULL. */
double w_model_loss(struct w_model *, const struct w_batch *, float *nll);

/* Of the last batch, which has to be there still: mean losses of the network alone, of the counts
 * (0: the batch has none) and of the mixture (0: no counts, or the model has no gate), in nats per
 * token. And the losses of the mixture of each token (B * T); NULL: none. */
struct w_losses {
    double network, counts, mixed;
};
void w_model_losses(const struct w_model *, struct w_losses *);
const float *w_model_mixed(const struct w_model *);

/* One step of the optimizer after clipping of the gradient by its global norm; step counts from 1.
 * Returns the norm of the gradient before clipping; the gradients are zero afterwards. */
double w_model_update(struct w_model *, u64 step, double learning_rate);

/* Seconds spent in each phase since the last reset, for the log and the benchmark. */
const double *w_model_seconds(const struct w_model *); /* [W_PHASES] */
void w_model_seconds_reset(struct w_model *);

/* ---- among ranks ---- */

/* Share out the batches of a step with other ranks: each has 1/ranks of them, in their order, and
 * the result has the same bits as that of one process. The number of ranks divides
 * w_gradient_parts(). With conf.local_steps it divides conf.accumulate, and each rank takes its
 * steps alone, in rounds. */
struct w_peers;
void w_model_share(struct w_model *, struct w_peers *);
/* After that, deal out the update too (net/deal.h): each rank then has only the states of its own
 * weights, until w_model_spread() brings them together. With local steps, sums in bf16 or too many
 * tensors nothing is dealt out, and each rank goes on to make the whole update. W_NOMEM. */
enum w_status w_model_deal(struct w_model *, struct w_err *) W_MUST_CHECK;
bool w_model_deals(const struct w_model *);

/* For a rank that cannot do its batches: it takes part in the sums with what it has, so that the
 * others do not wait; no update may follow. */
void w_model_withhold(struct w_model *);
/* Before the update: wait for the sum of all gradients, whose parts have been on their way since
 * the layers made them, and for what else the update takes from the batches. A model that is alone
 * does nothing. Status as of w_peers_wait(). */
enum w_status w_model_gather(struct w_model *, struct w_err *) W_MUST_CHECK;
/* After the update: wait for the weights that others have updated. states: this rank wants all
 * states of the optimizer; they come to each rank if any wants them, also without an update before.
 * A model that is alone does nothing. Status as of w_peers_wait(). */
enum w_status w_model_spread(struct w_model *, bool states, struct w_err *) W_MUST_CHECK;
/* Are all weights and states here? */
bool w_model_is_whole(const struct w_model *);

/* ---- among ranks with conf.local_steps: rounds ---- */

/* A round begins with the same weights on all ranks. At its end they take the outer step together,
 * over whatever steps each has taken, and the next round has begun. *norm becomes the norm of the
 * outer gradient. Status as of w_peers_wait(); after a failure the round can only be dropped. */
void w_model_begin_round(struct w_model *);
enum w_status w_model_end_round(struct w_model *, double *norm, struct w_err *) W_MUST_CHECK;
/* Back to the model as it was when the round began. */
void w_model_drop_round(struct w_model *);

#endif
