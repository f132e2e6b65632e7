/* utf16.h - UTF-16, in chunks cut anywhere, to UTF-8. */
#ifndef W_UTF16_H
#define W_UTF16_H

#include "base/base.h"

struct w_utf16 {
    bool big_endian;
    u8 byte; /* the first of two, if the bytes so far are odd in number */
    bool has_byte;
    u16 high; /* the first of two surrogates, or 0 */
};

/* Most bytes that `size` bytes can give. */
#define W_UTF16_ROOM(size) (2 * (size) + 8)

/* Convert; returns the bytes written. A surrogate without its other half gives three bytes that are
 * not valid UTF-8, which a check of the output then finds. */
size_t w_utf16_convert(struct w_utf16 *, const u8 *bytes, size_t size, u8 *out);

#endif
