/* count_documents.h - the documents of a text side by side, each with counts of its own
 * (count_document.h), which are mixed into what is said of its tokens. */
#ifndef W_COUNT_DOCUMENTS_H
#define W_COUNT_DOCUMENTS_H

#include "count/count_score.h"

struct w_count_documents;

/* For a team of so many. W_NOMEM. */
enum w_status w_count_documents_new(struct w_count_documents **, u32 eot, u32 workers,
                                    struct w_err *) W_MUST_CHECK;
void w_count_documents_free(struct w_count_documents *); /* accepts NULL */
void w_count_documents_clear(struct w_count_documents *);

/* lp (count): what w_count_score() and the like have said of a part of a text, which becomes what
 * they and the documents say. The parts of a text are to be given one after the other; the same
 * bits for any number of threads and any parts. W_NOMEM. */
enum w_status w_count_documents_say(struct w_count_documents *, struct w_team *,
                                    const struct w_count_text *, float *lp,
                                    struct w_err *) W_MUST_CHECK;

/* Where the documents of ids (count) end: after each eot. Appends to ends (*ended of them, in an
 * array of w_grow()). W_NOMEM. */
enum w_status w_count_documents_ends(const u32 *ids, u64 count, u32 eot, u64 **ends, size_t *room,
                                     u64 *ended, struct w_err *) W_MUST_CHECK;

#endif
