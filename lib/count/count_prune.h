/* count_prune.h - smaller counts: n-grams are left out, the mass of their counts goes to the
 * shorter contexts. */
#ifndef W_COUNT_PRUNE_H
#define W_COUNT_PRUNE_H

#include "count/counts.h"
#include "sys/team.h"

struct w_count_prune {
    u32 min_count[W_COUNT_ORDER_MAX +
                  1]; /* of order n, from 2 on: leave out lower counts; 0, 1: none */
    u64 bytes;        /* of the arrays together at most; 0: any */
};

/* Make an image without the n-grams that matter least: to keep below `bytes`, those with the lowest
 * discounted counts go first, and of equal ones those that add least to the probability of their
 * token. (Bytes of numbers above 254, which are few, are not counted.) The image is the caller's to
 * release, also after a failure. W_MISMATCH: the counts are pruned already; W_LIMIT: not even
 * counts of single tokens fit; W_NOMEM. */
enum w_status w_counts_prune(const struct w_counts *, struct w_team *, const struct w_count_prune *,
                             struct w_count_image *, struct w_err *) W_MUST_CHECK;

#endif
