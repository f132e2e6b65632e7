/* Contexts are the nodes of a tree: each has that without its oldest token above it. Two sets of
 * keys: contexts by the one above and the oldest token, followers by context and token. */
#include "count/count_document.h"

#include <stdlib.h>

#include "base/grow.h"
#include "count/count_keys.h"

enum { DEPTH = W_COUNT_DOCUMENT_DEPTH };

const double w_count_document_weights[DEPTH + 1] = {0.17, 0.82, 0.83, 0.97};

struct context {
    u32 total, different; /* tokens after it */
    u32 first;            /* follower + 1; 0: none */
};

struct follower {
    u32 id, count;
    u32 next; /* of the same context + 1; 0: the last */
};

struct w_count_document {
    u32 eot;
    struct w_count_keys context_keys, follower_keys;
    struct context *contexts; /* [0] of no tokens; key number k is [k + 1] */
    struct follower *followers;
    size_t context_room, follower_room;
    u32 last[DEPTH]; /* the last tokens, the newest first */
    u32 tokens;
};

/* ---- life ---- */

enum w_status w_count_document_new(struct w_count_document **out, u32 eot, struct w_err *err)
{
    struct w_count_document *d = *out = calloc(1, sizeof *d);
    enum w_status status = d ? W_DONE : w_fail(err, W_NOMEM, "no memory for a document");

    if (!status)
        status = w_count_keys_new(&d->context_keys, err);
    if (!status)
        status = w_count_keys_new(&d->follower_keys, err);
    if (!status)
        status = w_grow(&d->contexts, &d->context_room, 1, sizeof *d->contexts, "contexts", err);
    if (status) {
        w_count_document_free(d);
        *out = NULL;
        return status;
    }
    d->eot = eot;
    d->contexts[0] = (struct context){0};
    return W_DONE;
}

void w_count_document_free(struct w_count_document *d)
{
    if (!d)
        return;
    w_count_keys_free(&d->context_keys);
    w_count_keys_free(&d->follower_keys);
    free(d->contexts);
    free(d->followers);
    free(d);
}

void w_count_document_clear(struct w_count_document *d)
{
    w_count_keys_clear(&d->context_keys);
    w_count_keys_clear(&d->follower_keys);
    d->contexts[0] = (struct context){0};
    d->tokens = 0;
}

/* ---- what is said ---- */

/* How far a context of n tokens is trusted. */
static double weight(const struct context *context, u32 n)
{
    const double ratio = (double)context->different / context->total;
    return w_count_document_weights[n] / (1 + 9 * ratio * ratio);
}

void w_count_document_mix(const struct w_count_document *d, double *p, u32 vocab)
{
    const struct context *known[DEPTH + 1];
    double share[DEPTH + 1], rest = 1;
    u32 depth = 0;

    for (u32 node = 0; depth <= DEPTH && d->contexts[node].total;) {
        known[depth++] = &d->contexts[node];
        if (depth > W_MIN(d->tokens, (u32)DEPTH))
            break;
        node = w_count_keys_find(&d->context_keys, w_count_key(node, d->last[depth - 1])) + 1;
        if (node == 0) /* W_COUNT_NO_ENTRY + 1 */
            break;
    }
    for (u32 n = depth; n-- > 0;) {
        share[n] = rest * weight(known[n], n);
        rest -= share[n];
    }
    for (u32 id = 0; id < vocab; id++)
        p[id] *= rest;
    for (u32 n = 0; n < depth; n++)
        for (u32 at = known[n]->first; at; at = d->followers[at - 1].next) {
            const struct follower *f = &d->followers[at - 1];
            p[f->id] += share[n] * f->count / known[n]->total;
        }
}

/* ---- counting ---- */

/* The context above one of n tokens is node; it is entered if it is new. */
static enum w_status enter_context(struct w_count_document *d, u32 n, u32 *node, struct w_err *err)
{
    u32 entry = 0;
    bool fresh = false;
    enum w_status status = w_count_keys_enter(&d->context_keys, w_count_key(*node, d->last[n - 1]),
                                              &entry, &fresh, err);

    if (!status && fresh) {
        status = w_grow(&d->contexts, &d->context_room, entry + 2ull, sizeof *d->contexts,
                        "contexts", err);
        if (!status)
            d->contexts[entry + 1] = (struct context){0};
    }
    *node = entry + 1;
    return status;
}

static enum w_status enter_follower(struct w_count_document *d, u32 node, u32 id, u32 *entry,
                                    struct w_err *err)
{
    struct context *context = &d->contexts[node];
    bool fresh = false;
    enum w_status status =
        w_count_keys_enter(&d->follower_keys, w_count_key(node, id), entry, &fresh, err);

    if (!status && fresh) {
        status = w_grow(&d->followers, &d->follower_room, *entry + 1ull, sizeof *d->followers,
                        "followers", err);
        if (!status) {
            d->followers[*entry] = (struct follower){id, 0, context->first};
            context->first = *entry + 1;
        }
    }
    return status;
}

enum w_status w_count_document_next(struct w_count_document *d, u32 id, double *p,
                                    struct w_err *err)
{
    const u32 depth = W_MIN(d->tokens, (u32)DEPTH);
    enum w_status status = W_DONE;

    for (u32 n = 0, node = 0, at = 0; n <= depth && !status; n++) {
        if (n)
            status = enter_context(d, n, &node, err);
        if (!status)
            status = enter_follower(d, node, id, &at, err);
        if (status)
            break;
        struct context *context = &d->contexts[node];
        struct follower *follower = &d->followers[at];
        if (p && context->total) {
            const double w = weight(context, n);
            *p += w * ((double)follower->count / context->total - *p);
        }
        context->total++;
        context->different += follower->count++ == 0;
    }
    for (u32 n = DEPTH - 1; n > 0; n--)
        d->last[n] = d->last[n - 1];
    d->last[0] = id;
    if (++d->tokens == W_COUNT_DOCUMENT_TOKENS || id == d->eot)
        w_count_document_clear(d);
    return status;
}
