/* score.h - how well a model predicts a text: the sum of the losses of its tokens, and bits and
 * perplexities computed from it.
 *
 * Bits per byte and perplexities per word do not depend on the vocabulary, so that models with
 * different ones can be compared. A text is one document: ids[0] is the end id before it, as in
 * training. It is cut into windows of max_length targets that do not overlap; the first target of a
 * window is predicted from the last id of the window before, so that every token, and with it every
 * byte, is scored once. */
#ifndef W_SCORE_H
#define W_SCORE_H

#include "net/infer.h"

struct w_score {
    double nats;                    /* the sum of the losses of all targets, by the network alone */
    double nats_counts, nats_mixed; /* by the counts and by the mixture; 0: none */
    u64 tokens;                     /* targets */
    /* of the text; 0: not known */
    u64 bytes, words, lines;
};

/* Count bytes, words (separated by ASCII white space) and lines (ended by a newline) of the
 * text. */
void w_score_count(struct w_score *, const char *text, size_t size);

/* How to make the generator that scores: several windows in a pass. */
struct w_plan_decode w_score_how(enum w_type weights, u64 max_length);
/* A text: count ids, at least 1, each below vocab_size. lp (count) and ctx (count, conf.counts) are
 * what counts say of each id, or NULL. */
struct w_score_text {
    const u32 *ids;
    u64 count;
    const float *lp;
    const u8 *ctx;
};
/* Add the losses of ids[1 .. count) to nats and tokens: those of generation, in the type of its
 * weights. Its slots are used; `progress`, unless NULL, is called after every pass but the last.
 * W_NOMEM; W_CORRUPT: the loss is not finite. */
enum w_status w_score_ids(struct w_score *, struct w_infer *, const struct w_score_text *,
                          void (*progress)(u64 done, u64 all), struct w_err *) W_MUST_CHECK;

double w_score_bits(const struct w_score *);
double w_score_bits_per_byte(const struct w_score *); /* 0: the bytes are not known */
/* exp(nats / units), units being words, or words and lines; NaN for 0 units. */
double w_score_perplexity(const struct w_score *, u64 units);

#endif
