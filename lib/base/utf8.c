#include "base/utf8.h"

size_t w_utf8_put(u8 *out, u32 code)
{
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const u8 mark[] = {0, 0, 0xc0, 0xe0, 0xf0}; /* of the first byte, by size */

    out[0] = (u8)(mark[size] | code >> 6 * (size - 1));
    for (size_t i = 1; i < size; i++)
        out[i] = (u8)(0x80 | (code >> 6 * (size - 1 - i) & 0x3f));
    return size;
}
