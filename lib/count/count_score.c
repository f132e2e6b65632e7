/* Scoring text by counts. Without a delta, places are independent, and chunks of them are shared out.
 * Leaving out, a worker takes a whole document out of the counts by a delta of its own, scores the
 * document, and forgets the delta: the counts themselves never change, so that documents are
 * independent, too. The walks of a document are kept between the two passes over it. */
#include "count/count_score.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    CHUNK = 1 << 12,      /* tokens of an item of the team */
    WALKS_KEPT = 1 << 14, /* of a document, between removing it and scoring it */
    SOME = 64,            /* places walked together */
};

typedef double discounts[4];

static void features(const struct w_count_walk *walk, u8 *ctx)
{
    for (u32 n = 2; n <= 5; n++, ctx += 2) {
        const struct w_count_node *node = &walk->node[n - 1];
        ctx[0] = ctx[1] = 0;
        if (n > walk->depth || node->total == 0)
            continue;
        double known = 12 * log2(1 + (double)node->total);
        double followers = (double)node->n[0] + node->n[1] + node->n[2] + node->pruned;
        ctx[0] = (u8)W_MIN(known, 255.0);
        ctx[1] = (u8)W_MIN(255 * followers / node->total, 255.0);
    }
}

/* Write what a walk says of token i of a text. */
static void say(const struct w_counts *counts, const discounts *discount,
                const struct w_count_walk *walk, const struct w_count_said *said, u64 i)
{
    said->lp[i] = (float)log(w_count_p(counts, discount, walk));
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

    w_team_for(team, (text->count + CHUNK - 1) / CHUNK, score_chunk, &s);
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

/* ---- without the document ---- */

/* Of a worker. */
struct leaving {
    struct w_count_delta *delta;
    struct w_count_walk *walks; /* [WALKS_KEPT] */
};

struct leaving_out {
    struct scoring s;
    const u64 *ends;
    struct leaving *workers;
    struct w_err *errors; /* by worker: of its first failure */
    _Atomic bool failed;
};

/* Walk tokens [begin, begin + WALKS_KEPT) of a document as far as it goes. */
static u32 walk_some(const struct leaving_out *l, struct leaving *w, u64 begin, u64 end)
{
    const u32 some = (u32)W_MIN(end - begin, (u64)WALKS_KEPT);

    w_counts_walk(l->s.counts, l->s.text->ids, begin, some, w->walks);
    return some;
}

static void leave_out_document(void *context, u64 item, u32 worker)
{
    struct leaving_out *l = context;
    struct leaving *w = &l->workers[worker];
    const u32 *ids = l->s.text->ids;
    const u64 begin = item ? l->ends[item - 1] : l->s.text->from, end = l->ends[item];
    double discount[W_COUNT_ORDER_MAX + 1][4] = {0};
    enum w_status status = W_DONE;
    u32 some;

    if (atomic_load_explicit(&l->failed, memory_order_relaxed))
        return;
    w_count_delta_clear(w->delta);
    for (u64 i = begin; i < end && !status; i += some) {
        some = walk_some(l, w, i, end);
        for (u32 k = 0; k < some && !status; k++) {
            struct w_count_walk walk = w->walks[k];
            w_count_delta_walk(w->delta, ids, i + k, &walk);
            status = w_count_delta_remove(w->delta, ids, i + k, &walk, &l->errors[worker]);
        }
    }
    w_count_delta_discounts(w->delta, discount);
    for (u64 i = begin; i < end && !status; i += some) {
        some = end - begin <= WALKS_KEPT ? (u32)(end - begin) : walk_some(l, w, i, end);
        for (u32 k = 0; k < some; k++) {
            w_count_delta_walk(w->delta, ids, i + k, &w->walks[k]);
            say(l->s.counts, discount, &w->walks[k], l->s.said, i + k - l->s.text->from);
        }
    }
    if (status)
        atomic_store(&l->failed, true);
}

static enum w_status new_workers(struct leaving_out *l, u32 threads, struct w_err *err)
{
    l->workers = calloc(threads, sizeof *l->workers);
    l->errors = calloc(threads, sizeof *l->errors);
    enum w_status status =
        l->workers && l->errors ? W_DONE : w_fail(err, W_NOMEM, "no memory to leave documents out");
    for (u32 t = 0; t < threads && !status; t++) {
        l->workers[t].walks = malloc(WALKS_KEPT * sizeof(struct w_count_walk));
        status = l->workers[t].walks ? w_count_delta_new(&l->workers[t].delta, l->s.counts, err)
                                     : w_fail(err, W_NOMEM, "no memory to leave documents out");
    }
    return status;
}

enum w_status w_count_score_left_out(const struct w_counts *counts, struct w_team *team,
                                     const struct w_count_text *text, const u64 *ends,
                                     u64 documents, const struct w_count_said *said,
                                     struct w_err *err)
{
    const struct w_count_facts *facts = w_counts_facts(counts);
    const u32 threads = w_team_size(team);
    struct leaving_out l = {.s = {counts, text, said}, .ends = ends};

    if (facts->pruned)
        return w_fail(err, W_MISMATCH,
                      "these counts are pruned, so that no document can be taken out of them: use "
                      "the whole counts");
    enum w_status status = new_workers(&l, threads, err);
    if (!status)
        w_team_for(team, documents, leave_out_document, &l);
    for (u32 t = 0; t < threads && !status; t++)
        if (l.errors[t].status) {
            status = l.errors[t].status;
            if (err)
                *err = l.errors[t];
        }
    for (u32 t = 0; t < threads && l.workers; t++) {
        w_count_delta_free(l.workers[t].delta);
        free(l.workers[t].walks);
    }
    free(l.workers);
    free(l.errors);
    return status;
}

/* ---- all tokens ---- */

static double kept(const discounts discount, u32 count)
{
    return count - discount[W_MIN(count, 3u)];
}

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
            p[follower.word] += scale * kept(discount, follower.count);
    }
    for (u32 at = 0; delta && w_count_delta_next(delta, node->context, &at, &change);) {
        /* Added once as it was before: the difference. */
        p[change.word] += scale * (kept(discount, change.now) - kept(discount, change.before));
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
        const double *d = facts->discount[n];
        scatter(counts, delta, n, node, rest / node->total, p);
        rest *= (d[1] * node->n[0] + d[2] * node->n[1] + d[3] * node->n[2] + node->pruned) /
                node->total;
    }
    for (u32 word = 0; word < facts->vocab; word++)
        p[word] += rest / facts->vocab;
}
