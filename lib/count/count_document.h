/* count_document.h - what a document so far says of its next token.
 *
 * A text repeats its own names and phrases far more often than counts of other texts can know. So
 * each document has counts of its own, of every token after each context of 0 to 3 tokens, and the
 * probability p of a token by other means is mixed with what they say, from the shortest context to
 * the longest:
 *
 *     p = (1 - w) p + w count / total
 *     w = w_count_document_weights[n] / (1 + 9 (different / total)^2)
 *
 * count: of the token after the context of n tokens; total: of all tokens after it, of which so
 * many are different. A context that the document has not had says nothing. The constants are those
 * under which 400,000 tokens of Wikipedia, with the counts of all its other articles, are most
 * probable; the ratio that measures how repetitive a context is goes back to Witten and Bell (The
 * zero-frequency problem, 1991), the mixture to the cache of Kuhn and De Mori (1990).
 *
 *     w_count_document_new(&document, eot, &err)
 *     w_count_document_next(document, id, &p, &err)   // for each token of the text in turn
 *     w_count_document_mix(document, p, vocab)        // for all that may come next
 *     w_count_document_free(document) */
#ifndef W_COUNT_DOCUMENT_H
#define W_COUNT_DOCUMENT_H

#include "base/status.h"

/* By the tokens of the context. */
#define W_COUNT_DOCUMENT_DEPTH 3
extern const double w_count_document_weights[W_COUNT_DOCUMENT_DEPTH + 1];

/* Of a longer document only the tokens since the last multiple of this are counted, so that memory
 * is bounded: 100 MB. */
#define W_COUNT_DOCUMENT_TOKENS (1u << 18)

struct w_count_document;

/* A document of which nothing is known yet. W_NOMEM. */
enum w_status w_count_document_new(struct w_count_document **, u32 eot,
                                   struct w_err *) W_MUST_CHECK;
void w_count_document_free(struct w_count_document *); /* accepts NULL */
void w_count_document_clear(struct w_count_document *);

/* The next token: p, unless NULL, its probability by other means, becomes that by both; then it is
 * counted. After eot, the end of a document, nothing is known. W_NOMEM. */
enum w_status w_count_document_next(struct w_count_document *, u32 id, double *p,
                                    struct w_err *) W_MUST_CHECK;

/* p (vocab): the probabilities of all tokens by other means, which become those by both. Every
 * token of the document is below vocab. */
void w_count_document_mix(const struct w_count_document *, double *p, u32 vocab);

#endif
