/* wsample_documents.h - the documents of --score: of text in one of the formats that wtok reads, or
 * of a token stream. */
#ifndef W_WSAMPLE_DOCUMENTS_H
#define W_WSAMPLE_DOCUMENTS_H

#include "text/draft.h"
#include "tools/wsample.h"

struct documents;

/* It is closed, whatever this returns. W_MISMATCH: a token stream of another vocabulary; else as
 * reading text or a stream. */
enum w_status wsample_documents_open(struct documents **, const struct settings *,
                                     const struct loaded_model *, struct w_err *) W_MUST_CHECK;
void wsample_documents_close(struct documents *); /* accepts NULL */
/* The next one: its ids after the end id, and its text. W_END after the last; else as above. */
enum w_status wsample_documents_next(struct documents *, struct w_ids *, struct w_draft *text,
                                     struct w_err *) W_MUST_CHECK;

#endif
