/* buffer.h - bytes that grow at the end.
 *
 * A buffer that could not grow reports it once, at the end: `failed` is set, and every later write
 * does nothing. So a page is written without a check after each of its thousands of writes.
 *
 *     struct w_buffer b = {0};
 *     w_buffer_put(&b, bytes, size);
 *     if (b.failed) ...
 *     w_buffer_free(&b); */
#ifndef W_BUFFER_H
#define W_BUFFER_H

#include <string.h>

#include "base/base.h"

struct w_buffer {
    u8 *at;
    size_t size, room;
    bool failed;
};

/* Make room for `more` bytes; false (and nothing may be written) without memory. */
bool w_buffer_grow(struct w_buffer *, size_t more);
void w_buffer_free(struct w_buffer *); /* harmless on zeroes; leaves zeroes */

/* Make sure that `more` bytes can be written. False without memory. */
static inline W_MUST_CHECK bool w_buffer_room(struct w_buffer *b, size_t more)
{
    return b->room - b->size >= more || w_buffer_grow(b, more);
}

/* Insert bytes at an offset, at most the size; those after it move up. */
void w_buffer_insert(struct w_buffer *, size_t offset, const void *bytes, size_t size);

/* Append a code point as UTF-8; surrogates and codes above U+10FFFF become U+FFFD. */
void w_buffer_code(struct w_buffer *, u32 code);

static inline void w_buffer_put(struct w_buffer *b, const void *bytes, size_t size)
{
    if (b->room - b->size < size && !w_buffer_grow(b, size))
        return;
    if (size)
        memcpy(b->at + b->size, bytes, size);
    b->size += size;
}

static inline void w_buffer_text(struct w_buffer *b, const char *text)
{
    w_buffer_put(b, text, strlen(text));
}

static inline void w_buffer_byte(struct w_buffer *b, u8 byte)
{
    if (b->size == b->room && !w_buffer_grow(b, 1))
        return;
    b->at[b->size++] = byte;
}

/* The last byte, or 0. */
static inline u8 w_buffer_last(const struct w_buffer *b)
{
    return b->size ? b->at[b->size - 1] : 0;
}

#endif
