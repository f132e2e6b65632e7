/* draft.h - text that grows: where a stop text ends it, and how much of it may be shown already. */
#ifndef W_DRAFT_H
#define W_DRAFT_H

#include "base/status.h"

struct w_draft {
    char *bytes; /* owned; begin with zeroes, free(bytes) at the end */
    size_t count, room;
};

/* Append bytes. W_NOMEM. */
enum w_status w_draft_append(struct w_draft *, const void *bytes, size_t size,
                             struct w_err *) W_MUST_CHECK;

/* Cut the text before the first stop text in it that ends after byte `from`; true if there is one.
 * Stops are not empty. */
bool w_draft_stop(struct w_draft *, size_t from, const char *const *stops, size_t stop_count);

/* How many bytes from the start are settled: whatever is appended, they are not part of a stop text
 * and do not end inside a character. */
size_t w_draft_settled(const struct w_draft *, const char *const *stops, size_t stop_count);

#endif
