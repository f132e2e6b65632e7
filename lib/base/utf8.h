/* utf8.h - a character as UTF-8. */
#ifndef W_UTF8_H
#define W_UTF8_H

#include "base/base.h"

/* Write a code below 0x110000 as 1 to 4 bytes; returns how many. Surrogates get the three bytes that no
 * UTF-8 has. */
size_t w_utf8_put(u8 *out, u32 code);

#endif
