/* infer.h - generation: one token in, the logits of the next one out, with a KV cache.
 *
 * Uses only the weights, in fp32. Positions run to max_length; when the cache is full, the
 * caller clears it by w_infer_start() and feeds the tail of the text again. Rows of the matrices
 * are divided among threads in fixed blocks: the logits have the same bits for any number of
 * threads. */
#ifndef W_INFER_H
#define W_INFER_H

#include "kern/kern.h"
#include "net/tensors.h"
#include "sys/team.h"

struct w_infer;

/* weights: laid out as in w_tensors. They, the kernels and the team belong to the caller and must
 * outlive this. W_USAGE: sizes that overflow; W_NOMEM. */
enum w_status w_infer_new(struct w_infer **, const struct w_conf *, const float *weights,
                          const struct w_kern *, struct w_team *, struct w_err *) W_MUST_CHECK;
void w_infer_free(struct w_infer *); /* accepts NULL */

/* Clear the cache. */
void w_infer_start(struct w_infer *);
/* Tokens in the cache. */
u64 w_infer_length(const struct w_infer *);
/* The weight g of the counts in a mixture, for the token that the last logits are of: ctx has
 * conf.counts features of its context. 0 if the model has no gate. */
double w_infer_gate(const struct w_infer *, const u8 *ctx);
/* Append a token (with fewer than max_length in the cache) and return vocab_size logits, valid
 * until the next call. */
const float *w_infer_next(struct w_infer *, u32 id);

#endif
