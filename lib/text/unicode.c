#include "text/unicode.h"

#include "text/unicode_table.h"

size_t w_utf8_decode(const u8 *p, size_t left, u32 *code)
{
    if (p[0] < 0x80) {
        *code = p[0];
        return 1;
    }
    size_t n = p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 0;
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

enum w_char_class w_char_class(u32 code)
{
    if (code >> 8 >= PAGES)
        return W_CHAR_OTHER;
    return page_bits[page_map[code >> 8]][code >> 4 & 15] >> (code & 15) * 2 & 3;
}
