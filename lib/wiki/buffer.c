#include "wiki/buffer.h"

#include <stdlib.h>

bool w_buffer_grow(struct w_buffer *b, size_t more)
{
    u64 room = (u64)b->size + more + b->room + 256;
    u8 *bigger = b->failed || room > SIZE_MAX / 2 ? NULL : realloc(b->at, (size_t)room);

    if (!bigger) {
        b->failed = true;
        b->room = b->size; /* the quick path of a write finds no room either */
        return false;
    }
    b->at = bigger;
    b->room = (size_t)room;
    return true;
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
    size_t size;

    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        code = 0xFFFD;
    if (code < 0x80) {
        bytes[0] = (u8)code;
        size = 1;
    } else if (code < 0x800) {
        bytes[0] = (u8)(0xC0 | code >> 6);
        size = 2;
    } else if (code < 0x10000) {
        bytes[0] = (u8)(0xE0 | code >> 12);
        size = 3;
    } else {
        bytes[0] = (u8)(0xF0 | code >> 18);
        size = 4;
    }
    for (size_t i = 1; i < size; i++)
        bytes[i] = (u8)(0x80 | (code >> 6 * (size - 1 - i) & 0x3F));
    w_buffer_put(b, bytes, size);
}
