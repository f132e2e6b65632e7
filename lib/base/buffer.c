#include "base/buffer.h"

#include <stdlib.h>

#include "base/grow.h"
#include "base/utf8.h"

#define SMALLEST 256 /* bytes: a buffer usually holds more than a word */

bool w_buffer_grow(struct w_buffer *b, size_t more)
{
    size_t need;

    if (!b->failed && !__builtin_add_overflow(b->size, more, &need) &&
        !w_grow(&b->at, &b->room, W_MAX(need, SMALLEST), 1, "bytes", NULL))
        return true;
    b->failed = true;
    b->room = b->size; /* so the inline checks of later writes find no room and come here */
    return false;
}

void w_buffer_free(struct w_buffer *b)
{
    free(b->at);
    *b = (struct w_buffer){0};
}

void w_buffer_insert(struct w_buffer *b, size_t offset, const void *bytes, size_t size)
{
    size_t tail = b->size - offset;

    if (b->room - b->size < size && !w_buffer_grow(b, size))
        return;
    memmove(b->at + offset + size, b->at + offset, tail);
    memcpy(b->at + offset, bytes, size);
    b->size += size;
}

void w_buffer_code(struct w_buffer *b, u32 code)
{
    u8 bytes[4];

    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        code = 0xFFFD;
    w_buffer_put(b, bytes, w_utf8_put(bytes, code));
}
