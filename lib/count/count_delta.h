/* count_delta.h - text added to the counts, as differences beside them.
 *
 * The counts themselves stay as they are, so that threads can share them, each with a delta of its
 * own. Adding a token counts its n-gram of the highest order; only if that was not there before,
 * the one of the order below has new company and is counted too, and so on down. What is then known
 * of a place is exactly what counting all of the text would give.
 *
 *     w_count_delta_new(&delta, counts, &err)
 *     w_counts_walk(counts, ids, at, 1, &walk)
 *     w_count_delta_walk(delta, ids, at, &walk)      // walk with the differences
 *     p = w_count_p(counts, discount, &walk)
 *     w_count_delta_add(delta, ids, at, &walk, &err)  // the place itself
 *     w_count_delta_clear(delta)                     // as new
 *     w_count_delta_free(delta) */
#ifndef W_COUNT_DELTA_H
#define W_COUNT_DELTA_H

#include "count/counts.h"

struct w_count_delta;

/* The counts must outlive it. W_NOMEM. */
enum w_status w_count_delta_new(struct w_count_delta **, const struct w_counts *,
                                struct w_err *) W_MUST_CHECK;
void w_count_delta_free(struct w_count_delta *); /* accepts NULL */
void w_count_delta_clear(struct w_count_delta *);

/* Bring what w_counts_walk() found at ids[at] up to date: counts, and contexts that are new. */
void w_count_delta_walk(const struct w_count_delta *, const u32 *ids, u64 at,
                        struct w_count_walk *);

/* Count the token ids[at], whose walk is up to date; it is not brought up to date. W_NOMEM;
 * W_LIMIT: 2^31 new contexts or n-grams. */
enum w_status w_count_delta_add(struct w_count_delta *, const u32 *ids, u64 at,
                                const struct w_count_walk *, struct w_err *) W_MUST_CHECK;
/* The followers of a context whose counts have changed: of a walk's node. Begin with *at 0; false
 * at the end. before: as in the counts; now: with the delta, may be 0. */
struct w_count_change {
    u32 word, before, now;
};
bool w_count_delta_next(const struct w_count_delta *, u32 context, u32 *at,
                        struct w_count_change *);
/* Is this a context of the counts, or a new one? */
bool w_count_delta_is_new(u32 context);

#endif
