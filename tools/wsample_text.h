/* wsample_text.h - the text of a sample as it grows byte by byte: where it stops, and how much of it
 * can already be shown. */
#ifndef W_WSAMPLE_TEXT_H
#define W_WSAMPLE_TEXT_H

#include "base/status.h"
#include "conf/option.h"

struct text {
    char *bytes; /* owned; begin with zeroes, free(bytes) at the end */
    size_t count, room;
};

enum w_status text_append(struct text *, const void *bytes, size_t size,
                          struct w_err *) W_MUST_CHECK;

/* Cut the text before the first stop text in it that ends behind byte `from`. True if there was one.
 */
bool text_stop(struct text *, size_t from, const struct w_text_list *stops);

/* How many bytes from the start are settled: no further bytes can make them part of a stop text, or
 * complete a UTF-8 character in which they end. */
size_t text_settled(const struct text *, const struct w_text_list *stops);

/* A copy as a NUL-terminated string of valid UTF-8: every byte that is NUL or part of no character
 * becomes U+FFFD. The caller frees it; NULL without memory. */
char *text_utf8(const char *bytes, size_t count);

#endif
