#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_ROOM 256

bool w_bytes_reserve(struct w_bytes *b, size_t more)
{
    size_t room = W_MAX(b->room, LEAST_ROOM);

    if (more <= b->room - b->size)
        return true;
    if (more > SIZE_MAX / 4 - b->size)
        return false;
    while (room < b->size + more)
        room *= 2;
    u8 *at = realloc(b->at, room);
    if (!at)
        return false;
    b->at = at;
    b->room = room;
    return true;
}

bool w_bytes_add(struct w_bytes *b, const void *bytes, size_t size)
{
    if (!w_bytes_reserve(b, size))
        return false;
    if (size > 0)
        memcpy(b->at + b->size, bytes, size);
    b->size += size;
    return true;
}

bool w_bytes_add_text(struct w_bytes *b, const char *text)
{
    return w_bytes_add(b, text, strlen(text));
}

void w_bytes_free(struct w_bytes *b)
{
    free(b->at);
    *b = (struct w_bytes){0};
}
