/* infer.h - a model that speaks: one token in, the logits of the next one out, with a KV cache.
 *
 * Uses only the weights. Positions run to max_length; when the cache is full, w_infer_start() begins
 * again with the tail of the text. Rows of the matrices are shared out to the team in fixed pieces:
 * the logits have the same bits for any number of threads. */
#ifndef W_INFER_H
#define W_INFER_H

#include "kern/kern.h"
#include "net/tensors.h"
#include "sys/team.h"

struct w_infer;

/* weights: laid out as in w_tensors. They, the kernels and the team stay the caller's and must
 * outlive this. */
enum w_status w_infer_new(struct w_infer **, const struct w_conf *, const float *weights,
                          const struct w_kern *, struct w_team *, struct w_err *) W_MUST_CHECK;
void w_infer_free(struct w_infer *); /* accepts NULL */

/* Forget the text so far. */
void w_infer_start(struct w_infer *);
/* Positions used so far. */
u64 w_infer_length(const struct w_infer *);
/* Append a token (length < max_length) and return vocab_size logits, valid until the next call. */
const float *w_infer_next(struct w_infer *, u32 id);

#endif
