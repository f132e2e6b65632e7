/* counts.h - a model by modified Kneser-Ney smoothing in memory, and what it knows of a place.
 *
 *     w_counts_open(&counts, &image, &err)      // takes over the image's arrays; or, from a file,
 *     w_counts_load(&counts, &header, path, &err)                      // count/count_file.h
 *     w_counts_walk(counts, ids, from, n, walk) // contexts and counts of n places of a text
 *     p = w_count_p(counts, &walk[i])           // or with a delta over it: count/count_delta.h
 *     w_counts_free(counts)
 *
 * The probability of token w after a context c of order n - 1 tokens (Chen and Goodman, 1998, with
 * the discounts of their section 3.1; interpolated):
 *
 *     p_n(w | c) = (k - D(k) + (pruned + D1 n1 + D2 n2 + D3 n3) p_n-1(w | c')) / total
 *
 * k counts w after c, n1, n2, n3 the followers of c that have counts of 1, 2 and more, total all
 * counts after c, c' is c without its oldest token, p_0 is 1 / vocabulary. `pruned` is the sum of
 * the counts of followers that are not kept: their whole mass goes to the shorter context, so that
 * the probabilities sum to 1 whatever is pruned. A context that is not known leaves p to the
 * shorter one. */
#ifndef W_COUNTS_H
#define W_COUNTS_H

#include "count/count_image.h"

struct w_counts;

/* Take over the arrays of an image, which is left empty, also after a failure, and check all of
 * them: W_CORRUPT names the order and what is wrong; W_LIMIT: 2^31 contexts, 2^32 n-grams, or 2^31
 * counts of a context; W_NOMEM. */
enum w_status w_counts_open(struct w_counts **, struct w_count_image *,
                            struct w_err *) W_MUST_CHECK;
void w_counts_free(struct w_counts *); /* accepts NULL */

struct w_count_facts {
    u32 order, vocab, eot, id_bytes;
    u64 tokens; /* that were counted */
    bool document, pruned;
    u64 spectrum[W_COUNT_ORDER_MAX + 1][W_COUNT_SPECTRUM];
    double discount[W_COUNT_ORDER_MAX + 1]
                   [4]; /* by order and count, 3 for 3 and more; [.][0] is 0 */
    u32 contexts[W_COUNT_ORDER_MAX + 1], grams[W_COUNT_ORDER_MAX + 1];
    u64 image_bytes, memory_bytes; /* of the image that was opened; of what it became */
};
const struct w_count_facts *w_counts_facts(const struct w_counts *);

/* D1, D2, D3 from how many n-grams occur 1, 2, 3 and 4 times (Chen and Goodman); fixed ones where
 * these are too few to say, or say what is no discount. [0] is 0. */
void w_count_discounts(const u64 spectrum[W_COUNT_SPECTRUM], double discount[4]);

/* k - D(k) of the formula above, by the discounts of the order. */
static inline double w_count_discounted(const double discount[4], u32 count)
{
    return count - discount[W_MIN(count, 3u)];
}

/* D1 n1 + D2 n2 + D3 n3: what a context's followers leave to the shorter context. */
static inline double w_count_mass(const double discount[4], const u32 n[3])
{
    return discount[1] * n[0] + discount[2] * n[1] + discount[3] * n[2];
}

/* What one order knows of a place. */
struct w_count_node {
    u32 context; /* its number, over all orders; 0 is the empty one */
    u32 count;   /* of the token of the place */
    u32 total;   /* counts of all followers, pruned ones too */
    u32 n[3];    /* followers kept, by count: 1, 2, more */
    u32 pruned;  /* counts of those that are not kept */
};

/* A place of a text: node[n - 1] of order n, up to the highest whose context is known. */
struct w_count_walk {
    u32 depth;
    struct w_count_node node[W_COUNT_ORDER_MAX];
};

/* walk[i] for the tokens ids[from + i], with the tokens before from ids[0] on as contexts; all
 * below the vocabulary. Several places at a time cost less than one by one: memory is read
 * ahead. */
void w_counts_walk(const struct w_counts *, const u32 *ids, u64 from, u32 count,
                   struct w_count_walk *walk);

/* What a context of order n, counted from the first of that order, has: its node without a
 * count. */
void w_counts_context(const struct w_counts *, u32 order, u32 context, struct w_count_node *);

/* p of the token of a place; `discount` as in the facts. */
double w_count_p(const struct w_counts *, const double (*discount)[4], const struct w_count_walk *);

/* The context of order n, node[n - 1] of the walk of any token after it, follower by follower: for
 * order 1 every token that has a count. */
struct w_count_follower {
    u32 word, count;
};
struct w_count_range {
    u32 order, at, end;
};
struct w_count_range w_counts_followers(const struct w_counts *, u32 order, u32 context);
bool w_counts_next(const struct w_counts *, struct w_count_range *, struct w_count_follower *);

/* The arrays, to write them or to make smaller ones of them. Order 2 and up; start of a context's
 * followers, and of its children, in those of the order and of the next; [contexts] is the end. */
struct w_count_level {
    u32 contexts, grams;
    u32 base;              /* the number of its first context, over all orders */
    struct w_buffer words; /* [contexts] the oldest token; empty: context j is token j */
    u32 *first_gram, *first_child;
    struct w_buffer gram_words, gram_codes;
    struct w_buffer large; /* counts that have no code, and where */
    u32 *large_at;
    u32 large_count;
    u32 *pruned;                /* [contexts], or NULL */
    struct w_count_long *longs; /* hash table of the sums of contexts with many followers */
    u32 long_mask;
};
const struct w_count_level *w_counts_level(const struct w_counts *, u32 order);
u32 w_counts_gram_count(const struct w_counts *, u32 order, u32 gram);
const u32 *w_counts_unigrams(const struct w_counts *);

/* The token at an index of an array of words. */
static inline u32 w_count_word(const struct w_buffer *words, u32 id_bytes, u32 index)
{
    if (id_bytes == 2)
        return ((const u16 *)(const void *)words->at)[index];
    return ((const u32 *)(const void *)words->at)[index];
}

#endif
