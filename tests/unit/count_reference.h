/* count_reference.h - modified Kneser-Ney from its definition, by lists of n-grams that are sorted
 * and searched from end to end: slow, and as plain as possible. Also texts to count. */
#ifndef W_COUNT_REFERENCE_H
#define W_COUNT_REFERENCE_H

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "count/counts.h"

enum { REFERENCE_ROOM = 1 << 13 };

/* An n-gram: the oldest token first, the others 0. */
struct reference_gram {
    u32 id[W_COUNT_ORDER_MAX], count;
};

struct reference {
    u32 order, vocab;
    u32 count[W_COUNT_ORDER_MAX + 1];
    struct reference_gram gram[W_COUNT_ORDER_MAX + 1][REFERENCE_ROOM];
    double discount[W_COUNT_ORDER_MAX + 1][4];
    u32 min_count[W_COUNT_ORDER_MAX + 1]; /* lower counts are pruned */
};

static inline int reference_compare(const void *a, const void *b)
{
    const struct reference_gram *x = a, *y = b;

    for (u32 i = 0; i < W_COUNT_ORDER_MAX; i++)
        if (x->id[i] != y->id[i])
            return x->id[i] < y->id[i] ? -1 : 1;
    return 0;
}

static inline void reference_append(struct reference *r, u32 n, const u32 *ids)
{
    struct reference_gram *gram = &r->gram[n][r->count[n]++];

    assert_true(r->count[n] <= REFERENCE_ROOM);
    memset(gram, 0, sizeof *gram);
    memcpy(gram->id, ids, n * sizeof *ids);
}

/* Join equal n-grams of an order to one with a count. */
static inline void reference_join(struct reference *r, u32 n)
{
    struct reference_gram *gram = r->gram[n];
    u32 joined = 0;

    qsort(gram, r->count[n], sizeof *gram, reference_compare);
    for (u32 i = 0; i < r->count[n]; i++) {
        if (joined && reference_compare(&gram[joined - 1], &gram[i]) == 0) {
            gram[joined - 1].count++;
        } else {
            gram[joined] = gram[i];
            gram[joined++].count = 1;
        }
    }
    r->count[n] = joined;
}

/* Count the positions of some texts, all but [without, until) of the first one. */
static inline void reference_count(struct reference *r, u32 order, u32 vocab,
                                   const u32 *const *texts, const u32 *lengths, u32 text_count,
                                   u32 without, u32 until)
{
    r->order = order;
    r->vocab = vocab;
    memset(r->count, 0, sizeof r->count);
    for (u32 n = order; n >= 1; n--) {
        for (u32 t = 0; t < text_count; t++)
            for (u32 i = n - 1; i < (n == order ? lengths[t] : n); i++)
                if (i < lengths[t] && (t > 0 || i < without || i >= until))
                    reference_append(r, n, texts[t] + i + 1 - n);
        for (u32 i = 0; n < order && i < r->count[n + 1]; i++)
            reference_append(r, n, r->gram[n + 1][i].id + 1); /* one of its companies */
        reference_join(r, n);
        u64 spectrum[W_COUNT_SPECTRUM] = {0};
        for (u32 i = 0; i < r->count[n]; i++)
            if (r->gram[n][i].count <= W_COUNT_SPECTRUM)
                spectrum[r->gram[n][i].count - 1]++;
        w_count_discounts(spectrum, r->discount[n]);
    }
}

/* p of ids[at], with the `discount`; and the totals and followers of the contexts, by order. */
static inline double reference_p(const struct reference *r, const double (*discount)[4],
                                 const u32 *ids, u32 at, u32 *totals, u32 *followers)
{
    double p = 1.0 / r->vocab;

    memset(totals, 0, (W_COUNT_ORDER_MAX + 1) * sizeof *totals);
    memset(followers, 0, (W_COUNT_ORDER_MAX + 1) * sizeof *followers);
    for (u32 n = 1; n <= r->order && n <= at + 1; n++) {
        double total = 0, mass = 0, kept = 0;
        for (u32 i = 0; i < r->count[n]; i++) {
            const struct reference_gram *gram = &r->gram[n][i];
            const double d = discount[n][W_MIN(gram->count, 3u)];
            if (memcmp(gram->id, ids + at + 1 - n, (n - 1) * sizeof *ids) != 0)
                continue;
            followers[n]++;
            totals[n] += gram->count;
            total += gram->count;
            mass += gram->count < r->min_count[n] ? gram->count : d;
            if (gram->id[n - 1] == ids[at] && gram->count >= r->min_count[n])
                kept = gram->count - d;
        }
        if (total > 0)
            p = kept / total + mass / total * p;
    }
    return p;
}

/* Ids that repeat themselves, in documents of 5 to 60; `spacing` between them, the last id ends a
 * document. */
static inline void reference_text(u32 *ids, u32 count, u32 vocab, u32 spacing, u64 seed)
{
    struct w_rng rng = {.seed = seed};
    u32 left = 5;

    for (u32 i = 0; i < count; i++) {
        if (left-- == 0) {
            ids[i] = vocab - 1;
            left = 5 + (u32)w_rng_below(&rng, 55);
        } else if (i > 40 && w_rng_below(&rng, 4) > 0) {
            ids[i] = ids[i - 1 - w_rng_below(&rng, 3) * 13]; /* as the text did before */
            ids[i] = ids[i] == vocab - 1 ? 0 : ids[i];
        } else {
            ids[i] = spacing * (u32)(w_rng_below(&rng, 8) * w_rng_below(&rng, 5));
        }
    }
}

#endif
