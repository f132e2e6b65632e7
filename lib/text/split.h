/* split.h - cut text into words, inside which merges happen and across which they never do.
 *
 * A rule gets any bytes at all. Rule "gpt2" is the pattern that GPT-2 published:
 *
 *     '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * that is: English contractions; runs of letters, of numbers and of other characters, each with at
 * most one space (U+0020) before it; white space, which leaves its last character to what follows. A
 * byte that is not part of valid UTF-8 is an "other" character. A word ends at W_WORD_BYTES_MAX at
 * the latest, so that one needs no more memory than that for any text. */
#ifndef W_SPLIT_H
#define W_SPLIT_H

#include "base/base.h"

enum w_split { W_SPLIT_GPT2 };

#define W_WORD_BYTES_MAX ((size_t)1 << 20) /* a character that begins before it may end behind it */

/* The name of a rule as vocabularies have it, and back. */
const char *w_split_name(enum w_split);
bool w_split_find(const char *name, enum w_split *rule);

/* The first words of a text: their ends as offsets into the text, at most room of them. Returns how
 * many; 0 only for an empty text or no room. */
size_t w_split_words(enum w_split, const u8 *text, size_t size, size_t *ends, size_t room);

/* The largest offset known to be the end of a word whatever bytes follow the size given: cutting a
 * text there changes no word. The text has to begin at the start of a word. 0 if there is none, which
 * does not happen from 2 * W_WORD_BYTES_MAX on. */
size_t w_split_cut(enum w_split, const u8 *text, size_t size);

#endif
