/* search.h - which configuration becomes best within a time and a memory, by the predicted rate and
 * the law of losses; and how to make a configuration fit that does not.
 *
 *     w_search_best(found, 5, &base, &machine, &ask, &limits, &tried, &err)
 *     w_search_fit(&change, &conf, &machine, &ask, bytes, &err)
 */
#ifndef W_SEARCH_H
#define W_SEARCH_H

#include "fit/evaluate.h"

struct w_search_limits {
    double seconds; /* of training */
    double bytes;   /* of resident memory */
};

struct w_found {
    struct w_conf conf;
    double tok_s, tokens, bits, resident; /* predicted; bits per byte */
    bool outside;                         /* of the sizes that the law was fitted to */
};

/* The best configurations, best first, at most `room`; *count of them. What is not searched (length,
 * decay, seed ...) is taken from base. ask: threads and calibration. W_NO: nothing keeps to the
 * limits, or no rate can be predicted. */
enum w_status w_search_best(struct w_found *, u32 room, u32 *count, const struct w_conf *base,
                            const struct w_machine *, const struct w_fit_ask *,
                            const struct w_search_limits *, struct w_err *) W_MUST_CHECK;

/* A change that makes a configuration fit. */
struct w_change {
    struct w_conf conf;
    char flags[128]; /* "--set batch_size=16 --set accumulate=4"; "" if it fits as it is */
    u64 batch;       /* the largest that fits with everything else as it was; 0: not even one */
    double lost;     /* the part of the parameters that the change costs */
    u64 bytes;       /* of the plan */
};

/* The smallest change after which the plan needs at most so many bytes: first a smaller batch with as
 * much accumulation, which changes no result; if one sequence is too much, a shorter one; then fewer
 * layers; then less width. W_NO: nothing of the kind fits. */
enum w_status w_search_fit(struct w_change *, const struct w_conf *, enum w_type, u32 threads,
                           double bytes, struct w_err *) W_MUST_CHECK;

#endif
