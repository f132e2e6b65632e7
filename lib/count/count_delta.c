/* Differences in three sets of keys: n-grams by context and token, contexts by number, and contexts
 * that the counts lack by their parent and oldest token. */
#include "count/count_delta.h"

#include <stdlib.h>

#include "base/grow.h"
#include "count/count_keys.h"

enum {
    NEW_CONTEXTS = 1u << 31, /* from here on: numbers of contexts that the counts lack */
};

struct gram_entry {
    u32 word, before, now;
    u32 next; /* of the same context + 1; 0: the last */
};

struct context_entry {
    i32 total, n[4]; /* followers by count: 0, 1, 2, more; those of 0 are of no use */
    u32 first_gram;  /* + 1 */
};

struct w_count_delta {
    const struct w_counts *counts;
    u32 order;
    struct w_count_keys gram_keys, context_keys, edge_keys;
    struct gram_entry *grams;
    struct context_entry *contexts;
    size_t gram_room, context_room;
};

/* ---- life ---- */

enum w_status w_count_delta_new(struct w_count_delta **out, const struct w_counts *counts,
                                struct w_err *err)
{
    struct w_count_delta *d = *out = calloc(1, sizeof *d);
    enum w_status status = d ? W_DONE : w_fail(err, W_NOMEM, "no memory for changed counts");

    if (!status) {
        d->counts = counts;
        d->order = w_counts_facts(counts)->order;
        status = w_count_keys_new(&d->gram_keys, err);
    }
    if (!status)
        status = w_count_keys_new(&d->context_keys, err);
    if (!status)
        status = w_count_keys_new(&d->edge_keys, err);
    if (status) {
        w_count_delta_free(d);
        *out = NULL;
    }
    return status;
}

void w_count_delta_free(struct w_count_delta *d)
{
    if (!d)
        return;
    w_count_keys_free(&d->gram_keys);
    w_count_keys_free(&d->context_keys);
    w_count_keys_free(&d->edge_keys);
    free(d->grams);
    free(d->contexts);
    free(d);
}

void w_count_delta_clear(struct w_count_delta *d)
{
    w_count_keys_clear(&d->gram_keys);
    w_count_keys_clear(&d->context_keys);
    w_count_keys_clear(&d->edge_keys);
}

/* ---- reading ---- */

/* Add the differences of a node for a token to what the counts have. */
static void update_node(const struct w_count_delta *d, struct w_count_node *node, u32 word)
{
    u32 entry = w_count_keys_find(&d->context_keys, node->context);

    if (entry == W_COUNT_NO_ENTRY)
        return; /* no count of it has changed */
    const struct context_entry *context = &d->contexts[entry];
    node->total += (u32)context->total;
    for (u32 k = 0; k < 3; k++)
        node->n[k] += (u32)context->n[k + 1];
    entry = w_count_keys_find(&d->gram_keys, w_count_key(node->context, word));
    if (entry != W_COUNT_NO_ENTRY)
        node->count = d->grams[entry].now;
}

void w_count_delta_walk(const struct w_count_delta *d, const u32 *ids, u64 at,
                        struct w_count_walk *walk)
{
    const u32 deepest = (u32)W_MIN(at + 1, (u64)d->order);

    for (u32 n = 1; n <= walk->depth; n++)
        update_node(d, &walk->node[n - 1], ids[at]);
    while (walk->depth < deepest && d->edge_keys.count) {
        struct w_count_node *node = &walk->node[walk->depth];
        u32 entry =
            w_count_keys_find(&d->edge_keys, w_count_key(node[-1].context, ids[at - walk->depth]));
        if (entry == W_COUNT_NO_ENTRY)
            break;
        *node = (struct w_count_node){.context = NEW_CONTEXTS + entry};
        update_node(d, node, ids[at]);
        walk->depth++;
    }
}

bool w_count_delta_next(const struct w_count_delta *d, u32 context, u32 *at,
                        struct w_count_change *change)
{
    if (*at == 0) {
        u32 entry = w_count_keys_find(&d->context_keys, context);
        *at = entry == W_COUNT_NO_ENTRY ? 0 : d->contexts[entry].first_gram;
    } else {
        *at = d->grams[*at - 1].next;
    }
    if (*at == 0)
        return false;
    const struct gram_entry *gram = &d->grams[*at - 1];
    *change = (struct w_count_change){gram->word, gram->before, gram->now};
    return true;
}

bool w_count_delta_is_new(u32 context)
{
    return context >= NEW_CONTEXTS;
}

/* ---- changing ---- */

/* Count a token once more after a context. */
static enum w_status add(struct w_count_delta *d, const struct w_count_node *node, u32 word,
                         struct w_err *err)
{
    const u32 before = node->count, now = before + 1;
    u32 c = 0, g = 0;
    bool fresh = false;

    enum w_status status = w_count_keys_enter(&d->context_keys, node->context, &c, &fresh, err);
    if (!status && fresh) {
        status = w_grow(&d->contexts, &d->context_room, c + 1ull, sizeof *d->contexts,
                        "changed contexts", err);
        if (!status)
            d->contexts[c] = (struct context_entry){0};
    }
    if (!status)
        status =
            w_count_keys_enter(&d->gram_keys, w_count_key(node->context, word), &g, &fresh, err);
    if (!status && fresh) {
        status =
            w_grow(&d->grams, &d->gram_room, g + 1ull, sizeof *d->grams, "changed counts", err);
        if (!status) {
            d->grams[g] = (struct gram_entry){word, before, before, d->contexts[c].first_gram};
            d->contexts[c].first_gram = g + 1;
        }
    }
    if (status)
        return status;
    struct context_entry *context = &d->contexts[c];
    d->grams[g].now = now;
    context->total++;
    context->n[W_MIN(before, 3u)]--;
    context->n[W_MIN(now, 3u)]++;
    return W_DONE;
}

enum w_status w_count_delta_add(struct w_count_delta *d, const u32 *ids, u64 at,
                                const struct w_count_walk *walk, struct w_err *err)
{
    const u32 deepest = (u32)W_MIN(at + 1, (u64)d->order);
    struct w_count_walk all = *walk;
    enum w_status status = W_DONE;

    for (u32 n = walk->depth + 1; n <= deepest && !status; n++) {
        struct w_count_node *node = &all.node[n - 1];
        u32 entry = 0;
        bool fresh;
        status = w_count_keys_enter(&d->edge_keys, w_count_key(node[-1].context, ids[at - (n - 1)]),
                                    &entry, &fresh, err);
        *node = (struct w_count_node){.context = NEW_CONTEXTS + entry};
    }
    for (u32 n = deepest; n >= 1 && !status; n--) {
        status = add(d, &all.node[n - 1], ids[at], err);
        if (all.node[n - 1].count > 0)
            break;
    }
    return status;
}
