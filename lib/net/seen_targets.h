/* seen_targets.h - how often each id was a target in the run so far: a sampled softmax takes from
 * it how likely an id is among the targets of a batch. State of the run, saved in its checkpoints.
 *
 * A batch is added to its step, and a step to the run by the update. So the counts are a function
 * of the steps before, also where the data end in the middle of a step, which is then not taken. */
#ifndef W_SEEN_TARGETS_H
#define W_SEEN_TARGETS_H

#include "conf/conf.h"
#include "net/batch.h"

/* A view: the arrays are the caller's, zeros before the first batch. */
struct w_seen_targets {
    u32 *run;  /* (V): in the steps before; once at UINT32_MAX a count stays there */
    u32 *step; /* (V): in the batches of the step so far */
    /* (V), with local steps: in the steps before this round, of all ranks; `run` then counts those
     * of this rank in the round too. NULL without. */
    u32 *common;
};

void w_seen_targets_add(const struct w_seen_targets *, const struct w_conf *,
                        const struct w_batch *);
/* The step is done: its counts go to the run's, and the next one starts at zero. */
void w_seen_targets_settle(const struct w_seen_targets *, const struct w_conf *);

/* A round of local steps begins with what the run has. */
void w_seen_targets_begin_round(const struct w_seen_targets *, const struct w_conf *);
/* The round is over: all of its steps become one that is not settled yet, to be summed over the
 * ranks. */
void w_seen_targets_reopen(const struct w_seen_targets *, const struct w_conf *);
/* The run has what it had when the round began. */
void w_seen_targets_drop_round(const struct w_seen_targets *, const struct w_conf *);

#endif
