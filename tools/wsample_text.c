#include "tools/wsample_text.h"

#include <stdlib.h>
#include <string.h>

enum w_status text_append(struct text *text, const void *bytes, size_t size, struct w_err *err)
{
    if (text->room - text->count < size) {
        size_t room = 2 * text->room + size + 256;
        char *bigger = realloc(text->bytes, room);
        if (!bigger)
            return w_fail(err, W_NOMEM, "no memory for the text");
        text->bytes = bigger;
        text->room = room;
    }
    if (size)
        memcpy(text->bytes + text->count, bytes, size);
    text->count += size;
    return W_DONE;
}

bool text_stop(struct text *text, size_t from, const struct w_text_list *stops)
{
    size_t cut = text->count + 1;

    for (size_t i = 0; i < stops->count; i++) {
        size_t size = strlen(stops->items[i]), begin = from >= size ? from - size + 1 : 0;
        const char *found = NULL;
        if (begin < text->count)
            found = memmem(text->bytes + begin, text->count - begin, stops->items[i], size);
        if (found)
            cut = W_MIN(cut, (size_t)(found - text->bytes));
    }
    if (cut > text->count)
        return false;
    text->count = cut;
    return true;
}

/* What stands at p: the bytes of a character (RFC 3629), or 0 if none can begin so. A character that
 * the text ends within has its `left` bytes. */
static size_t character(const u8 *p, size_t left, bool *whole)
{
    size_t size = p[0] < 0x80   ? 1
                  : p[0] < 0xc2 ? 0
                  : p[0] < 0xe0 ? 2
                  : p[0] < 0xf0 ? 3
                  : p[0] < 0xf5 ? 4
                                : 0;

    for (size_t i = 1; i < size && i < left; i++) {
        u8 low = 0x80, high = 0xbf;
        if (i == 1) { /* no overlong forms, no surrogates, nothing above U+10FFFF */
            low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : low;
            high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : high;
        }
        if (p[i] < low || p[i] > high)
            return 0;
    }
    *whole = size <= left;
    return W_MIN(size, left);
}

size_t text_settled(const struct text *text, const struct w_text_list *stops)
{
    size_t settled = text->count;

    /* Hold back the longest end of the text that is the beginning of a stop text. */
    for (size_t i = 0; i < stops->count; i++) {
        size_t size = strlen(stops->items[i]), n = W_MIN(size - 1, text->count);
        while (n && memcmp(text->bytes + text->count - n, stops->items[i], n) != 0)
            n--;
        settled = W_MIN(settled, text->count - n);
    }
    /* A character is at most 4 bytes: look for its first byte among the last 3. */
    for (size_t back = 1; back <= 3 && back <= settled; back++) {
        const u8 *p = (const u8 *)text->bytes + settled - back;
        bool whole = true;
        if ((*p & 0xc0) == 0x80)
            continue;
        if (character(p, back, &whole) == back && !whole)
            settled -= back;
        break;
    }
    return settled;
}

char *text_utf8(const char *bytes, size_t count)
{
    char *out = malloc(3 * count + 1), *end = out;

    for (size_t i = 0; out && i < count;) {
        const u8 *p = (const u8 *)bytes + i;
        bool whole = true;
        size_t size = *p ? character(p, count - i, &whole) : 0;
        if (size && whole) {
            memcpy(end, p, size);
            end += size;
        } else {
            memcpy(end, "\xef\xbf\xbd", 3);
            end += 3;
            size = 1;
        }
        i += size;
    }
    if (out)
        *end = 0;
    return out;
}
