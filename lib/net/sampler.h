/* sampler.h - from logits to the next id.
 *
 * In this order, each step on what the one before has left:
 *  1. repetition penalty: logits of ids among the last `repeat_last_n` ids of the text are divided
 *     by the penalty if positive, else multiplied (Keskar et al., CTRL, 2019);
 *  2. temperature 0 takes the largest logit (of equals, the lowest id) and ends here;
 *     else logits are divided by the temperature;
 *  3. top_k keeps the k largest (of equals, the lower ids); then softmax;
 *  4. top_p keeps the fewest whose probabilities sum to at least p (Holtzman et al., 2020);
 *  5. min_p keeps those with at least min_p times the largest probability;
 *  6. a draw among the rest, in proportion to their probabilities.
 * The number drawn is a function of (seed, sample, position), so that samples can be repeated one by
 * one. */
#ifndef W_SAMPLER_H
#define W_SAMPLER_H

#include "base/status.h"

struct w_sampler_options {
    double temperature;
    u64 top_k;         /* 0: all */
    double top_p;      /* 1: all */
    double min_p;      /* 0: all */
    double penalty;    /* 1: none */
    u64 repeat_last_n; /* ids */
    u64 seed;
};

struct w_sampler;

/* Ids from 0 to count - 1 can be drawn but for those that suppressed (by id, copied; NULL: none) has. */
enum w_status w_sampler_new(struct w_sampler **, u32 count, const bool *suppressed,
                            const struct w_sampler_options *, struct w_err *) W_MUST_CHECK;
void w_sampler_free(struct w_sampler *); /* accepts NULL */

/* Choose the next id. text: the count ids so far, prompt included; sample, position: see above. */
u32 w_sampler_sample(struct w_sampler *, const float *logits, const u32 *text, u64 count,
                     u64 sample, u64 position);

/* The logarithm of an id's probability under the model itself: no penalty, no temperature. */
double w_log_probability(const float *logits, u32 vocab_size, u32 id);

#endif
