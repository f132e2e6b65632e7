/* word_merge.h - the merges of a vocabulary, done in one word: of the pairs that may merge, the one of
 * lowest rank, the leftmost first, until none is left. At worst O(n log n) in the bytes of the word. */
#ifndef W_WORD_MERGE_H
#define W_WORD_MERGE_H

#include "text/vocab.h"

struct w_merger;

/* The vocabulary has to live as long. */
enum w_status w_merger_new(struct w_merger **, const struct w_vocab *, struct w_err *) W_MUST_CHECK;
void w_merger_free(struct w_merger *); /* accepts NULL */

/* The ids of a word of size > 0 bytes; ids has room for as many. */
enum w_status w_merge_word(struct w_merger *, const u8 *word, size_t size, u32 *ids, size_t *count,
                           struct w_err *) W_MUST_CHECK;

#endif
