/* sampler.h - from logits to the next id.
 *
 * In this order, each step on the result of the one before:
 *  1. repetition penalty: logits of ids among the last `repeat_last_n` ids of the text are divided
 *     by the penalty if positive, else multiplied (Keskar et al., CTRL, 2019);
 *  2. temperature 0 takes the largest logit (of equals, the lowest id) and ends here;
 *     else logits are divided by the temperature;
 *  3. top_k keeps the k largest (of equals, the lower ids); then softmax;
 *  4. top_p keeps the fewest whose probabilities sum to at least p (Holtzman et al., 2020);
 *  5. min_p keeps those with at least min_p times the largest probability;
 *  6. a random choice among the rest, in proportion to their probabilities.
 * The random number is a function of (seed, sample, position), so that each sample can be repeated
 * alone. */
#ifndef W_SAMPLER_H
#define W_SAMPLER_H

#include "kern/kern.h"

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

/* Ids from 0 to count - 1 can be drawn, except suppressed ones: a flag for each id, copied; NULL:
 * none. At least one must remain. The kernels must outlive the sampler, which is for one thread at
 * a time. W_NOMEM. */
enum w_status w_sampler_new(struct w_sampler **, u32 count, const bool *suppressed,
                            const struct w_sampler_options *, const struct w_kern *,
                            struct w_err *) W_MUST_CHECK;
void w_sampler_free(struct w_sampler *); /* accepts NULL */

/* The next id. logits: one for each id; text: the `count` ids so far, with the prompt; sample,
 * position: see above. */
u32 w_sampler_sample(struct w_sampler *, const float *logits, const u32 *text, u64 count,
                     u64 sample, u64 position);

/* The natural logarithm of an id's probability: softmax of the logits, without penalty or
 * temperature. Exponentials are in fp32: it is right to some 1e-6. */
double w_log_probability(const struct w_kern *, const float *logits, u32 vocab_size, u32 id);

#endif
