/* plain_encoding.h - encoding by the definition of BPE, and a vocabulary for it. */
#ifndef W_TEST_PLAIN_ENCODING_H
#define W_TEST_PLAIN_ENCODING_H

#include <stdlib.h>
#include <string.h>

#include "text/vocab.h"

/* A vocabulary with merges that overlap in every way: runs, pairs with a space, bytes of UTF-8
 * characters. NULL without memory. */
static inline struct w_vocab *sample_vocab(enum w_split split)
{
    static const struct w_merge merges[] = {
        {'a', 'a'},   {'a', 'b'}, {256, 256},   {' ', 'a'}, {'b', 'a'}, {257, 257}, {259, 'b'},
        {0xc3, 0xa9}, {256, 'b'}, {' ', 0xc3},  {' ', ' '}, {266, 266}, {'s', 's'}, {268, 's'},
        {'!', '!'},   {'l', 'l'}, {'\'', 271},  {258, 258}, {0, 0xff},  {'b', 'b'}, {275, 275},
        {267, 267},   {270, 270}, {0xff, 0xff}, {273, 273}, {280, 280},
    };
    static const char *const specials[] = {"<|endoftext|>"};
    struct w_vocab *v = NULL;
    struct w_err err;
    return w_vocab_new(&v, split, merges, W_COUNTOF(merges), specials, 1, &err) ? NULL : v;
}

/* The definition: in each word, do the merge of lowest rank, the leftmost first, until none is
 * left. For vocabularies in which no merge makes a merge of lower rank possible. ids has room for
 * size. */
static inline size_t encode_plainly(const struct w_vocab *v, const u8 *text, size_t size, u32 *ids)
{
    const struct w_merge *merges = w_vocab_merges(v);
    size_t total = 0;
    for (size_t from = 0, n; from < size; from += n) {
        u32 *word = ids + total;
        if (w_split_words(w_vocab_split(v), text + from, size - from, &n, 1) != 1)
            abort();
        size_t left = n;
        for (size_t i = 0; i < n; i++)
            word[i] = w_vocab_byte_ids(v)[text[from + i]];
        for (u32 rank = 0; rank < w_vocab_merge_count(v); rank++)
            for (size_t i = 0; i + 1 < left; i++)
                if (word[i] == merges[rank].left && word[i + 1] == merges[rank].right) {
                    word[i] = w_vocab_merged_ids(v)[rank];
                    left--;
                    memmove(word + i + 1, word + i + 2, (left - i - 1) * sizeof *word);
                }
        total += left;
    }
    return total;
}

/* Do these ids, none of them special, decode to the text? */
static inline bool decodes_to(const struct w_vocab *v, const u32 *ids, size_t count, const u8 *text,
                              size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        u32 n;
        const u8 *bytes = w_vocab_bytes(v, ids[i], &n);
        if (!bytes || w_vocab_is_special(v, ids[i]) || n > size - at || memcmp(bytes, text + at, n))
            return false;
        at += n;
    }
    return at == size;
}

#endif
