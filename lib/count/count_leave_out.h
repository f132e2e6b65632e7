/* count_leave_out.h - what counts say of the very text that they are of, each document left out.
 *
 * A text that was counted would look far too probable to whom the counts are given beside it. So
 * each token is scored as if the positions of its document had not been counted: counts, contexts
 * and discounts are those of all other positions of the text, exactly. */
#ifndef W_COUNT_LEAVE_OUT_H
#define W_COUNT_LEAVE_OUT_H

#include "count/count_score.h"

struct w_count_leave_out {
    const u32 *ids; /* [count] the whole text */
    u64 count;
    const u64 *ends; /* [documents] the end of each; the last is count */
    u64 documents;
    u32 order, vocab;
};

/* What is said of every token: said->ctx may not be NULL. spectrum: the counts of counts of the
 * whole text, to be compared with those of counts that are said to be of it. The same bits for any
 * number of threads. Memory beside ids and said: 16 bytes a token, 32 where keys have 128 bits; for
 * each thread as much twice, and 32 more, for each occurrence of the most frequent token; and about
 * 250 for each document, 150 of these again for each thread. W_USAGE, W_LIMIT, W_CORRUPT as
 * w_count_learn(), and W_LIMIT for 2^30 documents; W_NOMEM. */
enum w_status w_count_leave_out(const struct w_count_leave_out *, struct w_team *,
                                const struct w_count_said *said,
                                u64 spectrum[W_COUNT_ORDER_MAX + 1][W_COUNT_SPECTRUM],
                                struct w_err *) W_MUST_CHECK;

#endif
