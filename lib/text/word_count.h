/* word_count.h - how often each word occurs: all that training needs to know of a text.
 *
 * Memory follows the number of different words, not the length of the text. A word longer than
 * W_COUNTED_BYTES counts as several, since one endless word (a run of dashes, encoded data) would
 * otherwise make every merge walk through it. A table is for one thread; tables of several threads are
 * added up. */
#ifndef W_WORD_COUNT_H
#define W_WORD_COUNT_H

#include "text/split.h"
#include "base/status.h"

#define W_COUNTED_BYTES 1024u

struct w_word {
    u64 hash;
    u64 offset; /* of its bytes, in the table's */
    u64 count;
    u32 size; /* bytes */
};

struct w_word_count {
    struct w_word *words;
    u32 count, room;
    u8 *bytes;
    u64 bytes_used, bytes_room;
    u32 *table; /* index + 1 into words; 0 is free; at most half full */
    u64 table_size;
    u64 total; /* occurrences of all words */
};

void w_word_count_release(struct w_word_count *); /* harmless on zeroes, as is adding to them */

/* Count the words of a text that begins and ends where words do. */
enum w_status w_word_count_text(struct w_word_count *, enum w_split, const u8 *text, size_t size,
                                struct w_err *) W_MUST_CHECK;

/* Count one word `times` more. */
enum w_status w_word_count_add(struct w_word_count *, const u8 *word, size_t size, u64 times,
                               struct w_err *) W_MUST_CHECK;

/* Add the counts of another table. */
enum w_status w_word_count_merge(struct w_word_count *, const struct w_word_count *other,
                                 struct w_err *) W_MUST_CHECK;

#endif
