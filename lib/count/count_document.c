/* Contexts are the nodes of a tree: each has that without its oldest token above it. Two sets of
 * keys: contexts by the one above and the oldest token, followers by context and token. */
#include "count/count_document.h"

#include <math.h>
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

/* ---- a text ---- */

struct worker {
    struct w_count_document *document;
    enum w_status status;
    struct w_err err;
};

struct w_count_documents {
    u32 eot, workers;
    struct w_count_document *open; /* that goes on in the next part */
    struct worker *worker;         /* [workers] */
    u64 *ends;                     /* [ended] the documents of a part, from the first end on */
    size_t end_room;
};

enum w_status w_count_documents_new(struct w_count_documents **out, u32 eot, u32 workers,
                                    struct w_err *err)
{
    struct w_count_documents *d = *out = calloc(1, sizeof *d);

    if (!d || !(d->worker = calloc(workers, sizeof *d->worker))) {
        w_count_documents_free(d);
        *out = NULL;
        return w_fail(err, W_NOMEM, "no memory for documents");
    }
    d->eot = eot;
    d->workers = workers;
    enum w_status status = w_count_document_new(&d->open, eot, err);
    for (u32 i = 0; i < workers && !status; i++)
        status = w_count_document_new(&d->worker[i].document, eot, err);
    if (status) {
        w_count_documents_free(d);
        *out = NULL;
    }
    return status;
}

void w_count_documents_free(struct w_count_documents *d)
{
    if (!d)
        return;
    for (u32 i = 0; d->worker && i < d->workers; i++)
        w_count_document_free(d->worker[i].document);
    w_count_document_free(d->open);
    free(d->worker);
    free(d->ends);
    free(d);
}

void w_count_documents_clear(struct w_count_documents *d)
{
    w_count_document_clear(d->open);
}

static enum w_status say(struct w_count_document *document, const u32 *ids, float *lp, u64 count,
                         struct w_err *err)
{
    enum w_status status = W_DONE;

    for (u64 i = 0; i < count && !status; i++) {
        double p = exp((double)lp[i]);
        status = w_count_document_next(document, ids[i], &p, err);
        lp[i] = (float)fmin(log(p), 0); /* 1 may be rounded up */
    }
    return status;
}

struct saying {
    struct w_count_documents *documents;
    const u32 *ids;
    float *lp;
};

/* A whole document, from one end to the next. */
static void say_document(void *context, u64 item, u32 worker)
{
    const struct saying *s = context;
    struct worker *w = &s->documents->worker[worker];
    const u64 from = s->documents->ends[item], to = s->documents->ends[item + 1];

    if (!w->status)
        w->status = say(w->document, s->ids + from, s->lp + from, to - from, &w->err);
}

enum w_status w_count_document_ends(const u32 *ids, u64 count, u32 eot, u64 **ends, size_t *room,
                                    u64 *ended, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (u64 i = 0; i < count && !status; i++)
        if (ids[i] == eot) {
            status = w_grow(ends, room, *ended + 1, sizeof **ends, "documents", err);
            if (!status)
                (*ends)[(*ended)++] = i + 1;
        }
    return status;
}

enum w_status w_count_documents_say(struct w_count_documents *d, struct w_team *team,
                                    const struct w_count_text *text, float *lp, struct w_err *err)
{
    const u32 *ids = text->ids + text->from;
    struct saying saying = {d, ids, lp};
    u64 ended = 0;

    enum w_status status =
        w_count_document_ends(ids, text->count, d->eot, &d->ends, &d->end_room, &ended, err);
    if (status)
        return status;
    /* The document that is open goes on to the first end, and one begins after the last. */
    const u64 first = ended ? d->ends[0] : text->count, last = ended ? d->ends[ended - 1] : first;
    status = say(d->open, ids, lp, first, err);
    if (!status && ended > 1)
        w_team_for(team, ended - 1, say_document, &saying);
    for (u32 i = 0; i < d->workers && !status; i++)
        if (d->worker[i].status) {
            status = d->worker[i].status;
            if (err)
                *err = d->worker[i].err;
        }
    if (!status)
        status = say(d->open, ids + last, lp + last, text->count - last, err);
    return status;
}
