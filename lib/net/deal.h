/* deal.h - the update of a step, dealt out among ranks: who updates which rows of which tensor.
 *
 * The sum of a span's gradients then comes to its owner alone (W_PEERS_TO), which has the states of
 * the optimizer for it, and from there the new weights go to all (W_PEERS_FROM): as many bytes as
 * the sum for all ranks would be (ZeRO, Rajbhandari and others, 2020, arXiv 1910.02054). A rule
 * that works on whole tensors before the update (w_rule.prepare) has whole tensors as spans.
 *
 *     w_deal_make(&deal, &tensors, lazy, rank, ranks, &err)
 *     w_deal_owner(&deal, offset)      // the rank that updates this weight
 *     w_deal_free(&deal) */
#ifndef W_DEAL_H
#define W_DEAL_H

#include "net/lazy_rows.h"
#include "net/tensors.h"

#define W_DEAL_ALL UINT32_MAX /* as owner: each rank makes the same update */
#define W_DEAL_SPANS 4000     /* at most: below W_PEERS_JOBS, which has room for a few others */

struct w_deal_span {
    const struct w_tensor *tensor;
    u64 begin, end; /* floats of the tensor: whole rows */
    u32 owner;
};

/* Spans in the order in which their gradients become final: from the last row of the last tensor
 * to the first of the first. */
struct w_deal {
    struct w_deal_span *spans;
    u32 count; /* 0: nothing is dealt out, each rank makes the whole update */
    u32 rank;  /* this one */
};

/* The same on all ranks but for `rank`. lazy, or NULL: each rank updates these few rows. None are
 * dealt out where there would be more than W_DEAL_SPANS. W_NOMEM. */
enum w_status w_deal_make(struct w_deal *, const struct w_tensors *, const struct w_lazy_rows *lazy,
                          u32 rank, u32 ranks, struct w_err *) W_MUST_CHECK;
void w_deal_free(struct w_deal *); /* harmless on zeros */

/* Who updates the weight at this offset in the block of weights. */
u32 w_deal_owner(const struct w_deal *, u64 offset);

#endif
