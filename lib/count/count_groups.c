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

struct counting {
    struct w_count_groups *groups;
    const u32 *ids;
    const u64 *ends;
};

static void count_part(void *context, u64 part, u32 worker)
{
    const struct counting *c = context;
    u32 *counts = w_count_places(c->groups, part + 1);

    (void)worker;
    for (u64 i = w_count_part_begin(c->ends, part); i < c->ends[part]; i++)
        counts[c->ids[i - 1]]++;
}

enum w_status w_count_groups_make(struct w_count_groups *g, const u32 *ids, const u64 *ends,
                                  u32 parts, u32 order, u32 vocab, struct w_team *team,
                                  struct w_err *err)
{
    struct counting counting = {g, ids, ends};
    u32 place = 0;

    *g = (struct w_count_groups){.row = vocab + 1};
    g->places = calloc((parts + 1ull) * g->row, sizeof *g->places);
    if (!g->places)
        return w_fail(err, W_NOMEM, "no memory for the groups of %u ids", vocab);
    while (1u << g->word_bits <= vocab)
        g->word_bits++;
    g->key_bytes = g->word_bits * (order - 1) <= 64 ? 8 : 16;
    w_team_for(team, parts, count_part, &counting);
    for (u32 word = 0; word <= vocab; word++) {
        g->places[word] = place;
        for (u32 part = 1; part <= parts; part++) {
            u32 *of_part = w_count_places(g, part) + word;
            const u32 count = *of_part;
            *of_part = place;
            place += count;
        }
        g->largest = W_MAX(g->largest, place - g->places[word]);
    }
    return W_DONE;
}

void w_count_groups_release(struct w_count_groups *g)
{
    free(g->places);
}
