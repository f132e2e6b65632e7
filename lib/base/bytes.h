/* bytes.h - a run of bytes that grows at its end and is used again.
 *
 *     struct w_bytes b = {0};
 *     if (!w_bytes_add(&b, text, size)) ...      // no memory; b is what it was
 *     b.size = 0;                                // empty again, the room stays
 *     w_bytes_free(&b);
 */
#ifndef W_BYTES_H
#define W_BYTES_H

#include "base/base.h"

struct w_bytes {
    u8 *at;
    size_t size, room;
};

/* Make room for `more` bytes behind the end. False without memory, and nothing has changed. */
bool w_bytes_reserve(struct w_bytes *, size_t more) W_MUST_CHECK;
bool w_bytes_add(struct w_bytes *, const void *bytes, size_t size) W_MUST_CHECK;
bool w_bytes_add_text(struct w_bytes *, const char *text) W_MUST_CHECK;
void w_bytes_free(struct w_bytes *); /* harmless on zeroes; leaves zeroes */

#endif
