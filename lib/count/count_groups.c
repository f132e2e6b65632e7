#include "count/count_groups.h"

#include <stdlib.h>

#include "count/count_image.h"

enum w_status w_count_check(u64 count, u32 order, u32 vocab, struct w_err *err)
{
    if (order < W_COUNT_ORDER_MIN || order > W_COUNT_ORDER_MAX)
        return w_fail(err, W_USAGE, "order %u: from %d to %d", order, W_COUNT_ORDER_MIN,
                      W_COUNT_ORDER_MAX);
    if (vocab == 0 || vocab > W_COUNT_VOCAB_MAX)
        return w_fail(err, W_USAGE, "a vocabulary of %u ids: at most %d", vocab, W_COUNT_VOCAB_MAX);
    if (count == 0)
        return w_fail(err, W_CORRUPT, "no tokens to count");
    if (count > INT32_MAX)
        return w_fail(err, W_LIMIT, "%llu tokens: fewer than 2^31 can be counted",
                      (unsigned long long)count);
    return W_DONE;
}

enum w_status w_count_groups_make(struct w_count_groups *g, const u32 *ids, u64 count, u32 order,
                                  u32 vocab, struct w_err *err)
{
    *g = (struct w_count_groups){.first = calloc(vocab + 2ull, sizeof *g->first),
                                 .positions = malloc(count * sizeof *g->positions)};
    if (!g->first || !g->positions)
        return w_fail(err, W_NOMEM, "no memory for the places of %llu tokens",
                      (unsigned long long)count);
    while (1u << g->word_bits <= vocab)
        g->word_bits++;
    g->key_bytes = g->word_bits * (order - 1) <= 64 ? 8 : 16;
    u32 *next = g->first + 1; /* begins as the first of the token before, ends as the first */
    for (u64 i = 1; i < count; i++)
        next[ids[i - 1] + 1]++;
    for (u32 word = 1; word <= vocab; word++) {
        g->largest = g->largest < next[word] ? next[word] : g->largest;
        next[word] += next[word - 1];
    }
    for (u64 i = 1; i < count; i++)
        g->positions[next[ids[i - 1]]++] = (u32)i;
    return W_DONE;
}

void w_count_groups_release(struct w_count_groups *g)
{
    free(g->first);
    free(g->positions);
}
