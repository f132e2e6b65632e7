#include "sys/utf16.h"

#include "base/utf8.h"

size_t w_utf16_convert(struct w_utf16 *u, const u8 *bytes, size_t size, u8 *out)
{
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        if (!u->has_byte) {
            u->byte = bytes[i];
            u->has_byte = true;
            continue;
        }
        u->has_byte = false;
        u16 unit = (u16)(u->big_endian ? u->byte << 8 | bytes[i] : bytes[i] << 8 | u->byte);
        bool is_low = unit >= 0xdc00 && unit < 0xe000;
        if (u->high && is_low) {
            used += w_utf8_put(out + used,
                               0x10000 + ((u32)(u->high - 0xd800) << 10) + (u32)(unit - 0xdc00));
            u->high = 0;
            continue;
        }
        if (u->high)
            used += w_utf8_put(out + used, u->high);
        u->high = unit >= 0xd800 && unit < 0xdc00 ? unit : 0;
        if (!u->high)
            used += w_utf8_put(out + used, unit);
    }
    return used;
}
