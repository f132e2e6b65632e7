/* utf8.h - characters as UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
#ifndef W_UTF8_H
#define W_UTF8_H

#include "base/base.h"

/* Write a code below 0x110000 as 1 to 4 bytes; returns how many. Surrogates get three bytes that
 * are not valid UTF-8. */
size_t w_utf8_put(u8 *out, u32 code);

/* Decode one character at p, where left > 0 bytes are available. Returns its length in bytes, or 0
 * if they do not begin with valid UTF-8. */
size_t w_utf8_decode(const u8 *p, size_t left, u32 *code);

/* Are these left > 0 bytes the first part of a longer character, judging by its lead byte and its
 * continuation bytes? w_utf8_decode() gives 0 for it. */
bool w_utf8_is_cut(const u8 *p, size_t left);

/* Is all of it valid? */
bool w_utf8_valid(const u8 *p, size_t size);

/* A copy of bytes as a string of valid UTF-8 for JSON: what is not, and NUL, becomes U+FFFD. The
 * caller frees it; NULL: no memory. */
char *w_utf8_mended(const char *bytes, size_t count);

/* Control characters of a text (below U+0020, DEL, U+0080 to U+009F) and bytes that are not UTF-8
 * become '?', in place: a terminal obeys them. */
void w_utf8_hide_controls(char *text);

#endif
