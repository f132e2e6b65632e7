#include "count/count_score.h"

#include <math.h>

enum {
    CHUNK = 1 << 12, /* tokens of an item of the team */
    SOME = 64,       /* places walked together */
};

typedef double discounts[4];

void w_count_features(u32 total, double followers, u8 two[2])
{
    two[0] = (u8)W_MIN(12 * log2(1 + (double)total), 255.0);
    two[1] = (u8)W_MIN(255 * followers / total, 255.0);
}

static void features(const struct w_count_walk *walk, u8 *ctx)
{
    memset(ctx, 0, W_COUNT_FEATURES);
    for (u32 n = 2; n <= 5 && n <= walk->depth; n++) {
        const struct w_count_node *node = &walk->node[n - 1];
        if (node->total > 0)
            w_count_features(node->total,
                             (double)node->n[0] + node->n[1] + node->n[2] + node->pruned,
                             ctx + 2 * (n - 2));
    }
}

/* Write what a walk says of token i of a text. */
static void say(const struct w_counts *counts, const discounts *discount,
                const struct w_count_walk *walk, const struct w_count_said *said, u64 i)
{
    said->lp[i] = (float)fmin(log(w_count_p(counts, discount, walk)), 0); /* 1 may be rounded up */
    if (said->ctx)
        features(walk, said->ctx + W_COUNT_FEATURES * i);
}

/* ---- as they are ---- */

struct scoring {
    const struct w_counts *counts;
    const struct w_count_text *text;
    const struct w_count_said *said;
};

static void score_chunk(void *context, u64 item, u32 worker)
{
    const struct scoring *s = context;
    const u64 begin = item * CHUNK, end = W_MIN(begin + CHUNK, s->text->count);
    struct w_count_walk walk[SOME];

    (void)worker;
    for (u64 i = begin; i < end; i += SOME) {
        const u32 some = (u32)W_MIN(end - i, (u64)SOME);
        w_counts_walk(s->counts, s->text->ids, s->text->from + i, some, walk);
        for (u32 k = 0; k < some; k++)
            say(s->counts, w_counts_facts(s->counts)->discount, &walk[k], s->said, i + k);
    }
}

void w_count_score(const struct w_counts *counts, struct w_team *team,
                   const struct w_count_text *text, const struct w_count_said *said)
{
    struct scoring s = {counts, text, said};

    w_team_for(team, w_ceil_div(text->count, CHUNK), score_chunk, &s);
}

/* ---- counting on ---- */

enum w_status w_count_score_on(const struct w_counts *counts, struct w_count_delta *delta,
                               const struct w_count_text *text, const struct w_count_said *said,
                               struct w_err *err)
{
    const struct w_count_facts *facts = w_counts_facts(counts);
    struct w_count_walk walk[SOME];
    enum w_status status = W_DONE;

    for (u64 i = 0; i < text->count && !status; i += SOME) {
        const u32 some = (u32)W_MIN(text->count - i, (u64)SOME);
        w_counts_walk(counts, text->ids, text->from + i, some, walk);
        for (u32 k = 0; k < some && !status; k++) {
            const u64 at = text->from + i + k;
            w_count_delta_walk(delta, text->ids, at, &walk[k]);
            say(counts, facts->discount, &walk[k], said, i + k);
            status = w_count_delta_add(delta, text->ids, at, &walk[k], err);
        }
    }
    return status;
}

/* ---- all tokens ---- */

/* p += scale * what one order says of each follower. */
static void scatter(const struct w_counts *counts, const struct w_count_delta *delta, u32 order,
                    const struct w_count_node *node, double scale, double *p)
{
    const double *discount = w_counts_facts(counts)->discount[order];
    struct w_count_follower follower;
    struct w_count_change change;

    if (!w_count_delta_is_new(node->context)) {
        struct w_count_range range = w_counts_followers(counts, order, node->context);
        while (w_counts_next(counts, &range, &follower))
            p[follower.word] += scale * w_count_discounted(discount, follower.count);
    }
    for (u32 at = 0; delta && w_count_delta_next(delta, node->context, &at, &change);) {
        /* Added once as it was before: the difference. */
        p[change.word] += scale * (w_count_discounted(discount, change.now) -
                                   w_count_discounted(discount, change.before));
    }
}

void w_count_distribution(const struct w_counts *counts, const struct w_count_delta *delta,
                          const u32 *ids, u64 count, double *p, u8 *ctx)
{
    const struct w_count_facts *facts = w_counts_facts(counts);
    u32 last[W_COUNT_ORDER_MAX] = {0}; /* the context, and any token after it */
    const u32 context = (u32)W_MIN(count, (u64)facts->order - 1);
    struct w_count_walk walk;
    double rest = 1; /* what is left for the order below */
    u32 depth = 0;

    if (context)
        memcpy(last, ids + (count - context), context * sizeof *last);
    w_counts_walk(counts, last, context, 1, &walk);
    if (delta)
        w_count_delta_walk(delta, last, context, &walk);
    if (ctx)
        features(&walk, ctx);
    for (u32 word = 0; word < facts->vocab; word++)
        p[word] = 0;
    while (depth < walk.depth && walk.node[depth].total)
        depth++;
    for (u32 n = depth; n >= 1; n--) {
        const struct w_count_node *node = &walk.node[n - 1];
        scatter(counts, delta, n, node, rest / node->total, p);
        rest *= (w_count_mass(facts->discount[n], node->n) + node->pruned) / node->total;
    }
    for (u32 word = 0; word < facts->vocab; word++)
        p[word] += rest / facts->vocab;
}
