#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

size_t w_utf8_put(u8 *out, u32 code)
{
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const u8 mark[] = {0, 0, 0xc0, 0xe0, 0xf0}; /* of the first byte, by size */

    out[0] = (u8)(mark[size] | code >> 6 * (size - 1));
    for (size_t i = 1; i < size; i++)
        out[i] = (u8)(0x80 | (code >> 6 * (size - 1 - i) & 0x3f));
    return size;
}

/* Length in bytes of a character with this first byte; 0 if no character begins with it. */
static size_t announced(u8 first)
{
    return first < 0x80   ? 1
           : first < 0xC2 ? 0
           : first < 0xE0 ? 2
           : first < 0xF0 ? 3
           : first < 0xF5 ? 4
                          : 0;
}

size_t w_utf8_decode(const u8 *p, size_t left, u32 *code)
{
    if (p[0] < 0x80) {
        *code = p[0];
        return 1;
    }
    size_t n = announced(p[0]);
    if (n == 0 || n > left)
        return 0;
    u32 c = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    bool overlong = (n == 3 && c < 0x800) || (n == 4 && c < 0x10000);
    if (overlong || (c >= 0xD800 && c < 0xE000) || c > 0x10FFFF)
        return 0;
    *code = c;
    return n;
}

bool w_utf8_is_cut(const u8 *p, size_t left)
{
    size_t n = 1;

    while (n < left && (p[n] & 0xC0) == 0x80)
        n++;
    return n == left && n < announced(p[0]);
}

bool w_utf8_valid(const u8 *p, size_t size)
{
    u32 code;

    for (size_t i = 0, n; i < size; i += n) {
        n = w_utf8_decode(p + i, size - i, &code);
        if (n == 0)
            return false;
    }
    return true;
}

char *w_utf8_mended(const char *bytes, size_t count)
{
    char *mended = malloc(3 * count + 1), *end = mended;
    u32 code;

    for (size_t i = 0; mended && i < count;) {
        const u8 *p = (const u8 *)bytes + i;
        size_t size = *p ? w_utf8_decode(p, count - i, &code) : 0;
        memcpy(end, size ? (const char *)p : "\xEF\xBF\xBD", size ? size : 3);
        end += size ? size : 3;
        i += size ? size : 1;
    }
    if (mended)
        *end = 0;
    return mended;
}

void w_utf8_hide_controls(char *text)
{
    char *out = text;
    u32 code;

    for (size_t left = strlen(text), n; left > 0; left -= n) {
        const u8 *p = (const u8 *)text;
        n = w_utf8_decode(p, left, &code);
        bool hidden = n == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0);
        n = n ? n : 1;
        if (hidden)
            *out++ = '?';
        else
            for (size_t i = 0; i < n; i++)
                *out++ = text[i];
        text += n;
    }
    *out = 0;
}
