/* word_merge.h - apply the merges of a vocabulary inside one word: repeatedly the adjacent pair of
 * lowest rank, the leftmost of equals, until no pair has a merge. At worst O(n log n) in the bytes
 * of the word. Functions fail with W_NOMEM alone. */
#ifndef W_WORD_MERGE_H
#define W_WORD_MERGE_H

#include "text/vocab.h"

struct w_merger;

/* The vocabulary has to outlive the merger. */
enum w_status w_merger_new(struct w_merger **, const struct w_vocab *, struct w_err *) W_MUST_CHECK;
void w_merger_free(struct w_merger *); /* accepts NULL */

/* The ids of a word of size > 0 bytes; ids has room for as many. */
enum w_status w_merge_word(struct w_merger *, const u8 *word, size_t size, u32 *ids, size_t *count,
                           struct w_err *) W_MUST_CHECK;
/* The same by merges alone, in a vocabulary that takes whole words too; *last is the rank of the
 * last merge, if one was done. */
enum w_status w_merge_bytes(struct w_merger *, const u8 *word, size_t size, u32 *ids, size_t *count,
                            u32 *last, struct w_err *) W_MUST_CHECK;

#endif
