/* count_image.h - an n-gram model as a file holds it: plain arrays, order by order.
 *
 * The model is a trie of contexts read backwards from the token that they predict. A context of
 * order n is n - 1 tokens; its parent, of order n - 1, lacks the oldest of them. The contexts of an
 * order stand sorted by their tokens, the newest first, so that the children of a context are
 * neighbours, and so are its followers (its n-grams, rising by token). So an array of contexts
 * needs only the oldest token of each, the number of its followers and the number of its children.
 *
 * Small numbers are codes of one byte: 0 to 254 is the number itself; 255 says that it is the next
 * one of a list of large numbers beside. */
#ifndef W_COUNT_IMAGE_H
#define W_COUNT_IMAGE_H

#include "base/buffer.h"
#include "base/status.h"

enum {
    W_COUNT_ORDER_MIN = 2,
    W_COUNT_ORDER_MAX = 6,
    W_COUNT_VOCAB_MAX = 1 << 24,
    W_COUNT_LARGE = 255,  /* the code of a number that stands in the list of large ones */
    W_COUNT_SPECTRUM = 4, /* counts of counts: how many n-grams occur 1, 2, 3, 4 times */
};

/* The arrays of an order, from 2 on. Words have id_bytes each, codes one byte, large numbers 4. */
enum w_count_array {
    W_CONTEXT_WORD,  /* [contexts] the oldest token; order 2 has none: context j is token j */
    W_CONTEXT_GRAMS, /* [contexts] codes: followers */
    W_CONTEXT_GRAMS_LARGE,
    W_CONTEXT_CHILDREN, /* [contexts] codes: contexts of the next order; none of the highest */
    W_CONTEXT_CHILDREN_LARGE,
    W_CONTEXT_PRUNED, /* [contexts] codes: sum of the counts of pruned followers; if any are */
    W_CONTEXT_PRUNED_LARGE,
    W_GRAM_WORD,  /* [followers of all contexts] the token */
    W_GRAM_COUNT, /* codes: occurrences; below the highest order, different tokens before */
    W_GRAM_COUNT_LARGE,
    W_COUNT_ARRAYS
};

struct w_count_image {
    u32 order, vocab, eot;
    u32 id_bytes;  /* 2, or 4 with a vocabulary of more than 65,536 */
    u64 tokens;    /* that were counted */
    bool document; /* what a document repeats is to be mixed in, count_document.h */
    bool pruned;   /* some n-grams were left out: there are sums of what was */
    u64 spectrum[W_COUNT_ORDER_MAX + 1][W_COUNT_SPECTRUM]; /* by order, of all n-grams counted */
    u32 *unigrams; /* [vocab] different tokens before each, in all of the text; from calloc() */
    struct w_buffer part[W_COUNT_ORDER_MAX + 1][W_COUNT_ARRAYS];
};

void w_count_image_release(struct w_count_image *); /* harmless on zeroes; leaves zeroes */
u64 w_count_image_bytes(const struct w_count_image *);

/* Append a number to codes and their large numbers, a token to words. */
static inline void w_count_put(struct w_buffer *codes, struct w_buffer *large, u32 number)
{
    if (number < W_COUNT_LARGE) {
        w_buffer_byte(codes, (u8)number);
    } else {
        w_buffer_byte(codes, W_COUNT_LARGE);
        w_buffer_put(large, &number, sizeof number);
    }
}

static inline void w_count_put_word(struct w_buffer *words, u32 id_bytes, u32 word)
{
    const u16 half = (u16)word;

    if (id_bytes == 2)
        w_buffer_put(words, &half, sizeof half);
    else
        w_buffer_put(words, &word, sizeof word);
}

#endif
