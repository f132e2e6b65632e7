/* byte_letters.h - bytes written as printable characters, as in the vocabulary of GPT-2 and its
 * successors.
 *
 * The bytes 33 to 126, 161 to 172 and 174 to 255 are the characters of those numbers; the other 68
 * are, in their order, U+0100 to U+0143. So a blank is U+0120 and a newline U+010A. */
#ifndef W_BYTE_LETTERS_H
#define W_BYTE_LETTERS_H

#include "base/base.h"

#define W_BYTE_LETTER_MAX 2 /* bytes of one letter in UTF-8 */

/* Write bytes as letters: 1 to 2 bytes of UTF-8 for each. Returns how many. */
size_t w_bytes_to_letters(const u8 *bytes, size_t size, char *letters);

/* Letters back to bytes, at most as many as the letters have. False if there is another
 * character. */
bool w_letters_to_bytes(const char *letters, size_t size, u8 *bytes, size_t *count);

#endif
