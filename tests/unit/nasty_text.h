/* nasty_text.h - random text of the characters on which splitting and encoding depend. */
#ifndef W_TEST_NASTY_TEXT_H
#define W_TEST_NASTY_TEXT_H

#include <string.h>

#include "base/rng.h"

/* The first ones are ASCII, which is split in blocks. */
static const char *const nasty_pieces[] = {
    "a", "b", "S", "'", "'s", "'ll", "VE", "'re", "word",
    "abcdefghijklmnop",                                         /* letters, contractions */
    " ", " ", "  ", "\n", "\r", "\t", "\x0b",                   /* spaces */
    "7", "42", "123", "!", "(", "@", "[", "`", "{", "\x1c", "", /* numbers, others; NUL */
    "zZA", "QRS", "0", "9", "/", ":", "\x08", "\x0e", "\x7f",   /* where ranges begin and end */
    /* plain ones: 37 */
    "'\xc5\xbf", "\xc5\xbf", "\xc3\xa9", "\xe4\xb8\xad\xe6\x96\x87",
    "\xf0\x9d\x94\xb8",                                                 /* letters */
    "\xc2\x85", "\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\xa8",             /* spaces */
    "\xd9\xa3", "\xe2\x85\xa7", "\xc2\xb2", "\xf0\x9d\x9f\x98",         /* numbers */
    "\xc3\x89", "\xc7\x85", "\xca\xb0", "\xe3\x82\xab", "\xe9\xbe\xa6", /* of other kinds */
    "\xe2\x82\xac", "\xe2\x80\x94", "\xe3\x80\x8c",                     /* signs */
    "\xcc\x81", "\xe2\x80\x8b", "\xe1\xa0\x8e", "\xf0\x9f\x98\x80",     /* others */
    "\xff", "\xc2", "\xe4\xb8", "\xed\xa0\x80", "\xc0\xaf", "\x80",     /* invalid */
};
#define PLAIN_PIECES 37

/* Text of all pieces, of the plain ones with a few others, or of few pieces, so that they meet each
 * other often. */
static inline void nasty_text(u8 *text, size_t size, u64 seed)
{
    struct w_rng rng = {.seed = seed};
    u64 some = 2 + w_rng_below(&rng, 8), first = w_rng_u64(&rng);
    for (size_t i = 0; i < size;) {
        u64 which = w_rng_below(&rng, W_COUNTOF(nasty_pieces));
        if (seed % 4 < 2 && w_rng_below(&rng, 40) > 0)
            which %= PLAIN_PIECES;
        else if (seed % 4 == 2)
            which = (first + 7 * (which % some)) % W_COUNTOF(nasty_pieces);
        size_t n = W_MAX(strlen(nasty_pieces[which]), 1u);
        for (size_t k = 0; k < n && i < size; k++)
            text[i++] = (u8)nasty_pieces[which][k];
    }
}

#endif
