/* batch.h - what a step learns from: B sequences of T + 1 ids, and what counts say about them. */
#ifndef W_BATCH_H
#define W_BATCH_H

#include "base/base.h"

/* A view: the arrays are the caller's. Entry (b, t) of lp and ctx belongs to id (b, t) as a target:
 * the first of each sequence is none. */
struct w_batch {
    const u32 *ids;  /* (B, T + 1): the last of each sequence is a target only */
    const float *lp; /* (B, T + 1): natural logarithm of what the counts give the id; or NULL */
    const u8 *ctx;   /* (B, T + 1, conf.counts): what they know of its context; or NULL */
    u64 number;      /* of the batch in the run, from 0: random draws of the step depend on it */
};

#endif
