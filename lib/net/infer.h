/* infer.h - generation: tokens in, the logits of the next ones out, with a KV cache.
 *
 * A cache has slots, each for one text. Tokens of any texts are appended, then one pass computes
 * all of them together: the prompt of one text, the newest tokens of many, or both.
 *
 *     w_infer_new(&m, &conf, weights, &options, kern, team, &err)
 *     w_infer_append(m, 0, id) ...              // a prompt, but for its last token
 *     w_infer_want(m, 0, id)                    // its last token, whose logits are wanted
 *     const float *logits = w_infer_run(m)      // (1, V)
 *     w_infer_want(m, 0, drawn)                 // an id that was drawn from them
 *     logits = w_infer_run_drawn(m)             // (1, V)
 *
 * Positions run to max_length; when a slot is full, the caller clears it by w_infer_start() and
 * appends the tail of the text again. The logits of a token have the same bits for any number of
 * threads, and whatever else is in its pass.
 *
 * With weights in 8 bits and a tile unit for bf16, the layers multiply given tokens in bf16, which
 * many at a time are worth, and drawn ones in integers, which is as fast as weights are read. The
 * bits of a token depend on which call it goes through, and not on what else is in the pass. */
#ifndef W_INFER_H
#define W_INFER_H

#include "kern/kern.h"
#include "net/plan.h"
#include "net/tensors.h"
#include "sys/team.h"

struct w_infer;

/* Tokens of a pass, at most: as many as let products be computed, and not read from memory. */
#define W_INFER_ROWS 256

/* weights: laid out as in w_tensors. They are packed in the type of struct w_plan_decode, so that
 * only tensors that are no operands, and the table of ids, are read from now on. They, the kernels
 * and the team belong to the caller and must outlive this. W_USAGE: sizes that overflow;
 * W_NOMEM. */
enum w_status w_infer_new(struct w_infer **, const struct w_conf *, const float *weights,
                          const struct w_plan_decode *, const struct w_kern *, struct w_team *,
                          struct w_err *) W_MUST_CHECK;
void w_infer_free(struct w_infer *); /* accepts NULL */

/* Clear a slot. */
void w_infer_start(struct w_infer *, u32 slot);
/* Tokens in a slot. */
u64 w_infer_length(const struct w_infer *, u32 slot);
/* Slot `to` becomes the first `count` tokens of slot `from`, all of which have been computed. */
void w_infer_copy(struct w_infer *, u32 to, u32 from, u64 count);

/* Append a token to a slot, with fewer than max_length in it. If a pass is full it is run, which
 * must not be before the logits of those that are wanted have been read. */
void w_infer_append(struct w_infer *, u32 slot, u32 id);
/* The same, and its logits are wanted. A pass has at most as many of these as were planned. */
void w_infer_want(struct w_infer *, u32 slot, u32 id);
/* Room for how many tokens more is in the pass? */
u64 w_infer_room(const struct w_infer *);
/* Compute what was appended: given text; or the newest token of each text, drawn from its logits.
 * Logits (wanted tokens in their order, V), valid until the next token is appended; the caller may
 * write to them. */
float *w_infer_run(struct w_infer *);
float *w_infer_run_drawn(struct w_infer *);
/* May both be in a pass, for either call? */
bool w_infer_mixes(const struct w_infer *);
/* The weight g of the counts in a mixture, for the token that row i of the logits is of: ctx has
 * conf.counts features of its context. 0 if the model has no gate. */
double w_infer_gate(const struct w_infer *, u64 i, const u8 *ctx);

/* The loss in nats of each row of the logits, in the order of the rows, if the next token of its
 * text is targets[row]. */
void w_infer_losses(struct w_infer *, const u32 *targets, double *losses);

/* What it was made for. */
const struct w_conf *w_infer_conf(const struct w_infer *);
const struct w_plan_decode *w_infer_how(const struct w_infer *);

/* One token, drawn, of the text in slot 0: its logits (V). */
const float *w_infer_next(struct w_infer *, u32 id);

#endif
