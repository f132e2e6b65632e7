/* count_learn.h - counting the n-grams of a text for a model by modified Kneser-Ney smoothing.
 *
 * Of the highest order N the occurrences of each n-gram are counted; of the orders below, in how
 * many different tokens' company to the left it stands (Kneser and Ney, 1995; Chen and Goodman, An
 * Empirical Study of Smoothing Techniques for Language Modeling, 1998). The text is one: n-grams
 * run across the ends of documents. Where it begins contexts are shorter, and what stands there
 * counts as one more company. */
#ifndef W_COUNT_LEARN_H
#define W_COUNT_LEARN_H

#include "count/count_image.h"

struct w_count_learn_options {
    u32 order; /* W_COUNT_ORDER_MIN to W_COUNT_ORDER_MAX */
    u32 vocab; /* every id is below it */
    u32 eot;
    u32 threads;
    bool (*go_on)(void *context, u64 done); /* done: of the tokens; false stops. May be NULL */
    void *context;
};

/* Count ids[0] to ids[count - 1]. The image is the caller's to release, also after a failure. The
 * result does not depend on the number of threads. Memory beside it: 4 bytes a token, and 16 (or
 * 32, where a vocabulary and an order give keys of more than 64 bits) times 2 bytes for each thread
 * and occurrence of the most frequent token. W_USAGE: no such order or vocabulary; W_CORRUPT: no
 * tokens; W_LIMIT: 2^31 or more of them; W_SIGNAL: go_on() said so; W_NOMEM; as w_ordered_new(). */
enum w_status w_count_learn(struct w_count_image *image, const u32 *ids, u64 count,
                            const struct w_count_learn_options *, struct w_err *) W_MUST_CHECK;

#endif
