/* softmax_sample.h - sampled softmax: the ids over which a step of training takes its softmax, few
 * of a large vocabulary.
 *
 * The set of a batch has all its different targets, and others drawn without replacement, each set
 * of them as likely as any other, from all rows of the table that are no targets: evaluation takes
 * its softmax over all rows too, whether the vocabulary has an id for each or not.
 *
 * A token's own target is in the set for certain. Any other id j is there with the probability
 *
 *      pi = 1 - (1 - u)^(M - 1) (1 - q),   u = (seen + 1) / (N + V),   q = drawn / (V - targets):
 *
 * as one of the other M - 1 targets of the batch, which it is each time with its frequency u among
 * the N targets of the run before this step (w_seen_targets), or else drawn. With -log(pi) added to
 * its logit the sum of exponentials is an unbiased estimate of the full one over all batches, as
 * far as the frequencies are right and tokens independent (Horvitz and Thompson, 1952; for
 * softmaxes Bengio and Senecal, 2003, and Jean and others, 2015). The estimate given the batch,
 * with pi = 1 for all its targets, is worse: it makes each compete with the batch's other targets
 * in each step, though most of them are rare and seldom there. On text of Wikipedia (d64 L2 T64,
 * 600k tokens, 1,024 of 16,000 ids, rate 0.004, means of 3 seeds, whose results spread over 0.08)
 * it ends at 2.407 bits per byte, this one at 2.329, the full softmax at 2.357. The loss, the
 * logarithm of the sum, is a little too low on average (Jensen), the less the more are drawn.
 *
 * Draws depend on the configuration's seed and the number of the batch in the run alone. */
#ifndef W_SOFTMAX_SAMPLE_H
#define W_SOFTMAX_SAMPLE_H

#include "conf/conf.h"
#include "net/batch.h"
#include "net/id_set.h"

/* Does the configuration ask for a part of its vocabulary? */
static inline bool w_softmax_is_sampled(const struct w_conf *conf)
{
    return conf->softmax_sample > 0 && conf->softmax_sample < conf->vocab_size;
}

/* Are rows of the table that a step does not use left alone (lazy_rows.h)? */
static inline bool w_softmax_has_lazy_rows(const struct w_conf *conf)
{
    return conf->lazy_rows && w_softmax_is_sampled(conf);
}

/* The set of a batch. The arrays are the caller's; V: conf.vocab_size. */
struct w_softmax_sample {
    struct w_id_set targets, drawn; /* both below V */
    u32 *ids;                       /* (room): targets, then drawn ones, each in ascending order */
    u32 *columns;      /* (V): the place in `ids` of each id of the set; for others undefined */
    float *correction; /* (room): what is added to the logit of each of the ids, unless it is the
                          target of the logit's own token */
    const u32 *seen;   /* (V): how often each id was a target before (seen_targets.h) */
    u64 target_count, count;
};

/* Ids of a set with so many different targets: softmax_sample, but an eighth more than the targets
 * at least, so that there always is an estimate of the others, rounded up to a whole tile of a
 * GEMM; at most V. It does not fall as targets grow: the room for a batch is that of as many
 * targets as it has tokens. */
u64 w_softmax_sample_size(const struct w_conf *, u64 targets);

void w_softmax_sample_draw(struct w_softmax_sample *, const struct w_conf *,
                           const struct w_batch *);

/* ---- what to expect, for predictions ---- */

/* Different ids among so many tokens of a text. */
double w_softmax_sample_targets(const struct w_conf *, double tokens);
/* Ids in the softmax of a batch: V without sampling. */
double w_softmax_sample_expected(const struct w_conf *);
/* Rows of the table that a step of `accumulate` batches updates: with lazy rows those that it uses,
 * else V. */
double w_softmax_sample_rows(const struct w_conf *);

#endif
