/* count_score.h - what the counts say of a text: the probability of each token, and how much they
 * know of its context. */
#ifndef W_COUNT_SCORE_H
#define W_COUNT_SCORE_H

#include "count/count_delta.h"
#include "sys/team.h"

#define W_COUNT_FEATURES 8 /* bytes of "ctx", see wstream(5) */

/* Tokens [from, from + count) of ids, whose contexts reach back to ids[0]; all below the
 * vocabulary. */
struct w_count_text {
    const u32 *ids;
    u64 from, count;
};

/* What is said of them: lp (count): the natural logarithm of the probability; ctx (count, 8), or
 * NULL: for orders 2 to 5 two bytes: min(255, 12 log2(1 + t)) of the total t of the context's
 * counts, and 255 f / t for its f different followers; 0, 0 where the context is not known. */
struct w_count_said {
    float *lp;
    u8 *ctx;
};

/* The counts as they are, on a team. The same bits for any number of threads. */
void w_count_score(const struct w_counts *, struct w_team *, const struct w_count_text *,
                   const struct w_count_said *);

/* Each token from the counts and all tokens before it, which are added to the delta as they are
 * read; the delta may hold what was read earlier. The discounts stay those of the counts. W_NOMEM
 * and W_LIMIT as w_count_delta_add(). */
enum w_status w_count_score_on(const struct w_counts *, struct w_count_delta *,
                               const struct w_count_text *, const struct w_count_said *,
                               struct w_err *) W_MUST_CHECK;

/* The two features of a context with a total above 0. */
void w_count_features(u32 total, double followers, u8 two[2]);

/* The probabilities p (vocab) of all tokens after ids[0] to ids[count - 1]; with a delta, or NULL.
 * The walk's contexts are the last order - 1 of these ids. Sums to 1 but for rounding of doubles.
 * ctx (8), unless NULL: the features of that context, as above. */
void w_count_distribution(const struct w_counts *, const struct w_count_delta *, const u32 *ids,
                          u64 count, double *p, u8 *ctx);

#endif
