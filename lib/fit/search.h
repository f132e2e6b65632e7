/* search.h - the configuration that trains the best model within a time and a memory, by the
 * predicted rate and the scaling law; and the smallest change that makes a configuration fit a
 * memory.
 *
 *     w_search_best(found, 5, &count, &base, &machine, &ask, &limits, &err)
 *     w_search_fit(&change, &conf, type, threads, bytes, &err)
 */
#ifndef W_SEARCH_H
#define W_SEARCH_H

#include "fit/evaluate.h"

struct w_search_limits {
    double seconds;               /* of training */
    double bytes;                 /* of resident memory */
    u64 vocab;                    /* the only vocabulary; 0: each of several */
    bool keep_length, keep_decay; /* max_length, weight_decay are those of base, not the recipe's */
};

struct w_found {
    struct w_conf conf;
    double tok_s, tokens, bits, resident; /* predicted; bits per byte */
    bool outside;                         /* outside the sizes that the law was fitted to */
    double rank; /* least first: the bits; 1 % more outside; much more below W_TOKENS_LEAST */
};

/* The best configurations, best first: *count of them, at most `room`. Keys that are not searched
 * (seed, init_std ...) are those of base; rates, schedule, and unless they are to be kept length
 * and weight decay, are those of the recipe that base has by its optimizer (fit/scaling_law.h).
 * ask: threads, type, calibration, text_tokens. W_NO: no configuration keeps to the limits, or no
 * rate can be predicted. W_NOMEM. */
enum w_status w_search_best(struct w_found *, u32 room, u32 *count, const struct w_conf *base,
                            const struct w_machine *, const struct w_fit_ask *,
                            const struct w_search_limits *, struct w_err *) W_MUST_CHECK;

/* A change that makes a configuration fit. */
struct w_change {
    struct w_conf conf;
    char flags[192]; /* "--set batch_size=16 --set accumulate=4"; "" if it fits as it is */
    u64 batch;       /* the largest that fits with everything else as it was; 0: not even one */
    double lost;     /* share of the weights in matrices that the change costs */
    u64 bytes;       /* of the plan */
};

/* The smallest change after which the plan needs at most so many bytes: first a smaller batch with
 * accumulation to the same step, which changes no result; if one sequence is too much, a shorter
 * one; then fewer layers; then less width. W_NO: none of these fits. W_USAGE: the planner refuses
 * the configuration. W_NOMEM. */
enum w_status w_search_fit(struct w_change *, const struct w_conf *, enum w_type, u32 threads,
                           double bytes, struct w_err *) W_MUST_CHECK;

#endif
