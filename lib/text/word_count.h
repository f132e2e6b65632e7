/* word_count.h - how often each word occurs: all that training needs to know of a text.
 *
 * Memory follows the number of different words, not the length of the text; where even that is too
 * much, the rarest are pruned. A word longer than W_COUNTED_BYTES counts as several, because every
 * merge would walk through an endless one (a run of dashes, encoded data).
 *
 * A table is for one thread. On several threads, each batch of text is counted in a small table of
 * its own, which stays in the cache. These are added in the order of the text to a large one: its
 * words are in the order in which they first occur, and the same ones are pruned for any number of
 * threads. */
#ifndef W_WORD_COUNT_H
#define W_WORD_COUNT_H

#include "text/split.h"
#include "base/status.h"

#define W_COUNTED_BYTES 2048u

/* The key of a word of up to 16 bytes is these bytes, little-endian, padded with zeroes; that of a
 * longer word is a hash, then the offset of its bytes in the table's. */
struct w_word {
    u64 key[2];
    u64 count;
    u32 size; /* bytes */
};

struct w_word_count {
    struct w_word *words;
    u32 count, room;
    u8 *bytes; /* of the words of more than 16 bytes, in their order */
    size_t bytes_used, bytes_room;
    u32 *table; /* index + 1 into words; 0 is free; at most half full */
    u32 shift;  /* 64 - log2 of the size of the table */
    u64 total;  /* occurrences of all words, pruned ones included */
};

void w_word_count_release(struct w_word_count *); /* harmless on zeroes, as is adding to them */
/* Remove all words and keep the memory. */
void w_word_count_clear(struct w_word_count *);

/* Count the words of a text that begins and ends where words do. W_NOMEM. */
enum w_status w_word_count_text(struct w_word_count *, enum w_split, const u8 *text, size_t size,
                                struct w_err *) W_MUST_CHECK;

/* Count one word `times` more. W_LIMIT, with nothing counted, where all occurrences together
 * would not fit into 64 bits; W_NOMEM. */
enum w_status w_word_count_add(struct w_word_count *, const u8 *word, size_t size, u64 times,
                               struct w_err *) W_MUST_CHECK;

/* Add the counts of another table. W_NOMEM. */
enum w_status w_word_count_merge(struct w_word_count *, const struct w_word_count *other,
                                 struct w_err *) W_MUST_CHECK;

/* What has been pruned: how many times, how many words (one that came again counts again), and
 * their occurrences. No count is too low by more than `floor`: it is the sum of the limits, each
 * time the highest count that was pruned. */
struct w_pruned {
    u64 times, words, occurrences, floor;
};

/* Prune the rarest words, all of one count together, so that at most `keep` are left. Adds to
 * *pruned. W_NOMEM. */
enum w_status w_word_count_prune(struct w_word_count *, u32 keep, struct w_pruned *,
                                 struct w_err *) W_MUST_CHECK;

/* The bytes of a word of this table. */
static inline const u8 *w_word_bytes(const struct w_word_count *t, const struct w_word *w)
{
    return w->size <= sizeof w->key ? (const u8 *)w->key : t->bytes + w->key[1];
}

#endif
