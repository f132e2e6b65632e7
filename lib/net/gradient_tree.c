/* Blocks trade places, so that no sum is copied: the one that batches add to becomes the sum of a
 * level, or takes in the one that waits there. */
#include "net/gradient_tree.h"

#include <string.h>

/* Floats of an item of the team. */
#define ITEM_FLOATS 16384

/* Floats of an exchange: at least so many that its time is not that of its messages' way, and at
 * most so many that one is added up while the next is on its way. Of a large model they are more,
 * so that there are fewer exchanges than W_PEERS_JOBS. */
static u64 piece_min(u64 floats)
{
    return W_MAX((u64)1 << 16, floats / 2048);
}

static u64 piece_max(u64 floats)
{
    return W_MAX((u64)1 << 19, floats / 1024);
}

u64 w_gradient_piece(u64 floats, u64 sent, u64 from)
{
    const u64 ready = sent - from;

    return from == 0 || ready >= piece_min(floats) ? W_MIN(ready, piece_max(floats)) : 0;
}

u32 w_gradient_parts(const struct w_conf *conf)
{
    u32 parts = 1;

    if (conf->local_steps)
        return parts;
    while (parts < 1u << W_GRADIENT_LEVELS && 2 * parts <= conf->max_ranks &&
           conf->accumulate % (2 * parts) == 0)
        parts *= 2;
    return parts;
}

u32 w_gradient_ranks(const struct w_conf *conf)
{
    const u64 divides = conf->accumulate & -conf->accumulate; /* the largest such power of two */

    return conf->local_steps ? (u32)W_MIN(divides, W_PEERS_MAX) : w_gradient_parts(conf);
}

static u32 log2_of(u32 power)
{
    return (u32)__builtin_ctz(power);
}

/* x += y, or x = 0 without y; a range of a block */
struct range {
    const struct w_engine *engine;
    float *x;
    const float *y;
    u64 n;
};

static void work_on(void *context, u64 item, u32 worker)
{
    const struct range *r = context;
    const u64 at = item * ITEM_FLOATS, n = W_MIN(ITEM_FLOATS, r->n - at);

    (void)worker;
    if (r->y)
        r->engine->kern->add(r->x + at, r->y + at, n);
    else
        memset(r->x + at, 0, n * sizeof *r->x);
}

static void on_range(const struct w_gradient_tree *tree, float *x, const float *y, u64 n)
{
    struct range range = {tree->engine, x, y, n};
    w_team_for(tree->engine->team, w_ceil_div(n, ITEM_FLOATS), work_on, &range);
}

void w_gradient_tree_init(struct w_gradient_tree *tree, const struct w_engine *engine,
                          const struct w_conf *conf, float *block, float *levels, u64 floats)
{
    *tree = (struct w_gradient_tree){.engine = engine, .floats = floats, .block = block};
    for (u32 i = 0; i < log2_of(w_gradient_parts(conf)); i++)
        tree->levels[i] = levels + i * floats;
    w_gradient_tree_share(tree, conf, &(struct w_peer_sum){0}, NULL);
}

void w_gradient_tree_share(struct w_gradient_tree *tree, const struct w_conf *conf,
                           struct w_peer_sum *sum, const struct w_deal *deal)
{
    const u64 accumulate = W_MAX(conf->accumulate, 1);
    const u32 parts = w_gradient_parts(conf);

    tree->sum = sum->peers && !conf->local_steps ? sum : NULL;
    tree->deal = deal;
    tree->batches = accumulate / w_peers_size(sum->peers);
    tree->part = accumulate / parts;
    tree->height = log2_of(parts / (tree->sum ? w_peers_size(sum->peers) : 1));
    w_gradient_tree_reset(tree);
}

void w_gradient_tree_reset(struct w_gradient_tree *tree)
{
    tree->done = 0;
    tree->added = tree->sent = tree->floats;
    tree->spans = 0;
}

bool w_gradient_tree_is_last(const struct w_gradient_tree *tree)
{
    return tree->done + 1 == tree->batches;
}

void w_gradient_tree_batch(struct w_gradient_tree *tree)
{
    tree->done++;
    if (tree->done % tree->part || tree->done >= tree->batches)
        return;
    u32 level = 0;
    for (u64 part = tree->done / tree->part - 1; part >> level & 1; level++)
        on_range(tree, tree->block, tree->levels[level], tree->floats);
    float *next = tree->levels[level];
    tree->levels[level] = tree->block;
    tree->block = next;
    on_range(tree, next, NULL, tree->floats);
}

float *w_gradient_tree_scratch(const struct w_gradient_tree *tree)
{
    return tree->levels[tree->height];
}

/* The spans that are final. */
static void send_spans(struct w_gradient_tree *tree, u64 from)
{
    for (; tree->spans < tree->deal->count; tree->spans++) {
        const struct w_deal_span *span = &tree->deal->spans[tree->spans];
        const u64 at = span->tensor->offset + span->begin, n = span->end - span->begin;
        if (at < from)
            break;
        if (span->owner == W_DEAL_ALL)
            w_peer_sum_send(tree->sum, at, n);
        else
            w_peer_sum_send_to(tree->sum, span->owner, at, n);
        tree->sent = at;
    }
}

static void send(struct w_gradient_tree *tree, u64 from)
{
    u64 n;

    if (tree->sent == tree->floats)
        w_peer_sum_begin(tree->sum, tree->block, w_gradient_tree_scratch(tree), tree->floats, true);
    if (tree->deal->count > 0) {
        send_spans(tree, from);
        return;
    }
    while ((n = w_gradient_piece(tree->floats, tree->sent, from)) > 0) {
        tree->sent -= n;
        w_peer_sum_send(tree->sum, tree->sent, n);
    }
}

void w_gradient_tree_final(struct w_gradient_tree *tree, u64 from)
{
    for (u32 level = 0; level < tree->height; level++)
        on_range(tree, tree->block + from, tree->levels[level] + from, tree->added - from);
    tree->added = from;
    if (tree->sum)
        send(tree, from);
}
