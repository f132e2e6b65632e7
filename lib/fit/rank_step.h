/* rank_step.h - what one of several ranks of wtrain (sys/peers.h) does in a step: how long it
 * computes, and which exchanges it starts when. It follows w_model_gradient() and
 * net/gradient_tree.h: in the backward pass of the rank's last batch an exchange starts as soon as
 * its gradients are final; after it come a few small ones; then the update.
 *
 *     w_rank_step_make(&step, &conf, phase_s, ranks, &err)
 *     ...                                                   // fit/simulation.h
 *     w_rank_step_free(&step) */
#ifndef W_RANK_STEP_H
#define W_RANK_STEP_H

#include "conf/conf.h"
#include "net/phase.h"
#include "sys/peers.h"

struct w_rank_exchange {
    struct w_peers_job job; /* its items and item_bytes alone */
    double after_s;         /* of computing, since the step began: when a rank starts it */
    bool waits;             /* until all exchanges before it are done */
};

struct w_rank_step {
    double batches_s; /* the rank's batches, forward and backward */
    double update_s;  /* after the last exchange */
    struct w_rank_exchange *exchanges;
    u32 count;
};

/* phase_s: seconds of each phase in a step of one process, which does all of conf.accumulate
 * batches. ranks: a power of two; each does its part of them. W_USAGE, W_NOMEM; then nothing is to
 * be freed. */
enum w_status w_rank_step_make(struct w_rank_step *, const struct w_conf *,
                               const double phase_s[W_PHASES], u64 ranks,
                               struct w_err *) W_MUST_CHECK;
/* Leave the exchanges alone, all at the beginning, as if a rank computed nothing. */
void w_rank_step_idle(struct w_rank_step *);
void w_rank_step_free(struct w_rank_step *); /* harmless on zeros */

#endif
