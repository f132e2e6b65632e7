/* Leaving out by sorting. The positions after each token are sorted as in counting, each with its
 * document, so that the occurrences of an n-gram stand together, and among them those in each
 * company. Without a document, the count of an n-gram is less by its occurrences there, at the
 * highest order; below, by the companies that no other document has. What a context loses is summed
 * over its n-grams, document by document. Nothing is looked up but in small arrays.
 *
 * From the highest order down, p is an affine function of the order below: p = a + b p_n. So a and
 * b are kept for each position. Order 1 is the same for all contexts: what a document has alone are
 * pairs of tokens, listed by document. The text is passed through twice: first for the counts of
 * counts without each document, which give its discounts, then for the probabilities. */
#include "count/count_leave_out.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/grow.h"
#include "count/count_groups.h"

enum {
    DOCUMENT = (1 << 30) - 1, /* of a mark: number of the document within the group */
    ALONE = 1 << 30,          /* no other document has this company */
    GROUP_MAX = DOCUMENT,
    ITEM_TOKENS = 1 << 16, /* positions of an item of the team */
};
#define FIRST (1u << 31) /* of its company */

struct item_u64 {
    u64 key;
    u32 at, mark; /* in the group; document and flags */
};
struct item_u128 {
    unsigned __int128 key;
    u32 at, mark;
};

/* What a document has alone of the present n-gram and context. */
struct own {
    u32 gram_stamp, count;
    u32 context_stamp, total;
    i32 classes[4]; /* change of the context's followers by count: 0, 1, 2, more */
    bool noted;
};

/* A pair of tokens that a document has alone: the second one. */
struct own_pair {
    u32 document, word;
};

/* Of a worker. */
struct leaving {
    void *items, *spare;
    u32 *document;   /* of the documents of a group, over all */
    struct own *own; /* by document of the group */
    u32 *counts;     /* without its document, of each item */
    double *a, *b;   /* by position of the group */
    u8 (*ctx)[W_COUNT_FEATURES];
    u32 gram_stamp, context_stamp;
    u32 *unigrams; /* [vocab] different tokens before */
    i32 *lost;     /* [vocab] of them, in the present document */
    u64 spectrum[W_COUNT_ORDER_MAX + 1][W_COUNT_SPECTRUM];
    struct own_pair *pairs;
    size_t pair_count, pair_room;
    enum w_status status;
    struct w_err err;
};

struct left_out {
    const struct w_count_leave_out *text;
    const struct w_count_said *said;
    bool say; /* the second pass */
    struct w_count_groups groups;
    u32 *document; /* [count] */
    u32 *cuts;     /* [cut_count + 1] tokens before: items of the team */
    u32 cut_count;
    struct leaving *workers;
    u32 worker_count;
    float *b; /* [count]; a is in said->lp */
    u32 *unigrams;
    u64 (*spectrum)[W_COUNT_SPECTRUM];
    _Atomic i32 *change; /* [documents, order + 1, W_COUNT_SPECTRUM] of the counts of counts */
    double (*discount)[W_COUNT_ORDER_MAX + 1][4]; /* [documents] */
    u64 *first_pair;                              /* [documents + 1] */
    u32 *pair_words;
    double total1; /* of order 1 */
    u32 classes1[4];
};

/* ---- parts of a pass ---- */

static void change_spectrum(struct left_out *l, u64 document, u32 n, u32 before, u32 now)
{
    _Atomic i32 *change = l->change + (document * (l->text->order + 1) + n) * W_COUNT_SPECTRUM;

    if (before <= W_COUNT_SPECTRUM)
        atomic_fetch_sub_explicit(&change[before - 1], 1, memory_order_relaxed);
    if (now >= 1 && now <= W_COUNT_SPECTRUM)
        atomic_fetch_add_explicit(&change[now - 1], 1, memory_order_relaxed);
}

/* An n-gram's count is less without document d of the group. */
static void note(struct left_out *l, struct leaving *w, u32 n, u32 d, u32 count, u32 of_document)
{
    struct own *own = &w->own[d];

    own->noted = true;
    if (!l->say) {
        change_spectrum(l, w->document[d], n, count, count - of_document);
        return;
    }
    if (own->context_stamp != w->context_stamp) {
        own->context_stamp = w->context_stamp;
        own->total = 0;
        memset(own->classes, 0, sizeof own->classes);
    }
    own->total += of_document;
    own->classes[W_MIN(count, 3u)]--;
    own->classes[W_MIN(count - of_document, 3u)]++;
}

/* A pair of tokens: company of the second. */
static void take_pair(struct leaving *w, u32 word, u32 mark)
{
    w->unigrams[word]++;
    if (!(mark & ALONE) || w->status)
        return;
    w->status =
        w_grow(&w->pairs, &w->pair_room, w->pair_count + 1, sizeof *w->pairs, "pairs", &w->err);
    if (!w->status)
        w->pairs[w->pair_count++] = (struct own_pair){w->document[mark & DOCUMENT], word};
}

/* What order n says of a position, its document left out. */
static void say_order(struct left_out *l, struct leaving *w, u32 n, u32 at, u32 d, u32 count,
                      u32 total, const u32 classes[4])
{
    const struct own *own = &w->own[d];
    const double *discount = l->discount[w->document[d]][n];
    u32 f[4] = {0, classes[1], classes[2], classes[3]};

    if (own->context_stamp == w->context_stamp) {
        total -= own->total;
        for (u32 k = 1; k < 4; k++)
            f[k] += (u32)own->classes[k];
    }
    if (total == 0)
        return;
    const double mass = discount[1] * f[1] + discount[2] * f[2] + discount[3] * f[3];
    w->a[at] += w->b[at] * (count - discount[W_MIN(count, 3u)]) / total;
    w->b[at] *= mass / total;
    if (n <= 5)
        w_count_features(total, (double)f[1] + f[2] + f[3], w->ctx[at] + 2 * (n - 2));
}

static void begin_saying(struct leaving *w, u32 count)
{
    for (u32 i = 0; i < count; i++)
        w->a[i] = 0, w->b[i] = 1;
    memset(w->ctx, 0, count * sizeof *w->ctx);
}

static void end_saying(struct left_out *l, struct leaving *w, const u32 *positions, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        l->said->lp[positions[i]] = (float)w->a[i];
        l->b[positions[i]] = (float)w->b[i];
        memcpy(l->said->ctx + (u64)W_COUNT_FEATURES * positions[i], w->ctx[i], sizeof w->ctx[i]);
    }
}

#define KEY u64
#define ITEM struct item_u64
#define KEY_OF(item) ((item).key)
#define sort_items sort_items_u64
#define sort_followers sort_followers_u64
#define take_gram take_gram_u64
#define take_order take_order_u64
#define take_word take_word_u64
#include "count/count_sort_body.h"
#define ITEM struct item_u64
#include "count/count_leave_out_body.h"
#undef ITEM

#define KEY unsigned __int128
#define ITEM struct item_u128
#define KEY_OF(item) ((item).key)
#define sort_items sort_items_u128
#define sort_followers sort_followers_u128
#define take_gram take_gram_u128
#define take_order take_order_u128
#define take_word take_word_u128
#include "count/count_sort_body.h"
#define ITEM struct item_u128
#include "count/count_leave_out_body.h"
#undef ITEM

static void take_words(void *context, u64 item, u32 worker)
{
    struct left_out *l = context;

    for (u32 word = l->cuts[item]; word < l->cuts[item + 1]; word++) {
        if (l->groups.first[word] == l->groups.first[word + 1])
            continue;
        if (l->groups.key_bytes == sizeof(u64))
            take_word_u64(l, &l->workers[worker], word);
        else
            take_word_u128(l, &l->workers[worker], word);
    }
}

/* ---- memory ---- */

static enum w_status new_workers(struct left_out *l, u32 threads, struct w_err *err)
{
    const u64 room = W_MAX(l->groups.largest, 1u);
    const size_t item_bytes =
        l->groups.key_bytes == 8 ? sizeof(struct item_u64) : sizeof(struct item_u128);

    l->worker_count = threads;
    l->workers = calloc(threads, sizeof *l->workers);
    bool ok = l->workers != NULL;
    for (u32 t = 0; t < threads && ok; t++) {
        struct leaving *w = &l->workers[t];
        w->items = aligned_alloc(32, w_round_up(room * item_bytes, 32));
        w->spare = aligned_alloc(32, w_round_up(room * item_bytes, 32));
        w->document = malloc(room * sizeof *w->document);
        w->own = malloc(room * sizeof *w->own);
        w->counts = malloc(room * sizeof *w->counts);
        w->a = malloc(room * sizeof *w->a);
        w->b = malloc(room * sizeof *w->b);
        w->ctx = malloc(room * sizeof *w->ctx);
        w->unigrams = calloc(l->text->vocab, sizeof *w->unigrams);
        w->lost = calloc(l->text->vocab, sizeof *w->lost);
        ok = w->items && w->spare && w->document && w->own && w->counts && w->a && w->b && w->ctx &&
             w->unigrams && w->lost;
    }
    return ok ? W_DONE : w_fail(err, W_NOMEM, "no memory to leave documents out");
}

static enum w_status begin(struct left_out *l, u32 threads, struct w_err *err)
{
    const struct w_count_leave_out *t = l->text;
    const u64 changes = t->documents * (t->order + 1) * W_COUNT_SPECTRUM;

    enum w_status status =
        w_count_groups_make(&l->groups, t->ids, t->count, t->order, t->vocab, err);
    if (!status && l->groups.largest > GROUP_MAX)
        status = w_fail(err, W_LIMIT, "more than 2^30 occurrences of one token");
    if (status)
        return status;
    l->document = malloc(t->count * sizeof *l->document);
    l->cuts = malloc((t->vocab + 1ull) * sizeof *l->cuts);
    l->b = malloc(t->count * sizeof *l->b);
    l->unigrams = calloc(t->vocab, sizeof *l->unigrams);
    l->change = calloc(changes, sizeof *l->change);
    l->discount = malloc(t->documents * sizeof *l->discount);
    l->first_pair = calloc(t->documents + 2, sizeof *l->first_pair);
    if (!l->document || !l->cuts || !l->b || !l->unigrams || !l->change || !l->discount ||
        !l->first_pair)
        return w_fail(err, W_NOMEM, "no memory to leave out %llu documents of %llu tokens",
                      (unsigned long long)t->documents, (unsigned long long)t->count);
    for (u64 d = 0, i = 0; d < t->documents; d++)
        for (; i < t->ends[d]; i++)
            l->document[i] = (u32)d;
    for (u32 word = 0; word < t->vocab; l->cuts[++l->cut_count] = word) {
        const u32 first = l->groups.first[word++];
        l->cuts[0] = 0;
        while (word < t->vocab && l->groups.first[word + 1] - first <= ITEM_TOKENS)
            word++;
    }
    return new_workers(l, threads, err);
}

static void end(struct left_out *l)
{
    for (u32 t = 0; t < l->worker_count && l->workers; t++) {
        struct leaving *w = &l->workers[t];
        free(w->items), free(w->spare), free(w->document), free(w->own), free(w->counts);
        free(w->a), free(w->b), free(w->ctx), free(w->unigrams), free(w->lost), free(w->pairs);
    }
    w_count_groups_release(&l->groups);
    free(l->workers);
    free(l->document);
    free(l->cuts);
    free(l->b);
    free(l->unigrams);
    free((void *)l->change);
    free(l->discount);
    free(l->first_pair);
    free(l->pair_words);
}

/* ---- between the passes ---- */

/* Order 1, and the counts of counts, of the whole text. */
static void sum_up(struct left_out *l)
{
    l->unigrams[l->text->ids[0]]++; /* the beginning of the text is one more company */
    for (u32 t = 0; t < l->worker_count; t++) {
        for (u32 word = 0; word < l->text->vocab; word++)
            l->unigrams[word] += l->workers[t].unigrams[word];
        for (u32 n = 2; n <= l->text->order; n++)
            for (u32 k = 0; k < W_COUNT_SPECTRUM; k++)
                l->spectrum[n][k] += l->workers[t].spectrum[n][k];
    }
    for (u32 word = 0; word < l->text->vocab; word++) {
        const u32 count = l->unigrams[word];
        l->total1 += count;
        l->classes1[W_MIN(count, 3u)]++;
        if (count >= 1 && count <= W_COUNT_SPECTRUM)
            l->spectrum[1][count - 1]++;
    }
}

/* The pairs of each document, together. */
static enum w_status list_pairs(struct left_out *l, struct w_err *err)
{
    u64 count = 1; /* the beginning of the text with the first token is the first document's */
    u64 *next = l->first_pair + 1;

    next[1]++;
    for (u32 t = 0; t < l->worker_count; t++) {
        if (l->workers[t].status) {
            if (err)
                *err = l->workers[t].err;
            return l->workers[t].status;
        }
        count += l->workers[t].pair_count;
        for (u64 i = 0; i < l->workers[t].pair_count; i++)
            next[l->workers[t].pairs[i].document + 1]++;
    }
    l->pair_words = malloc(count * sizeof *l->pair_words);
    if (!l->pair_words)
        return w_fail(err, W_NOMEM, "no memory for %llu pairs", (unsigned long long)count);
    for (u64 d = 1; d <= l->text->documents; d++)
        next[d] += next[d - 1];
    l->pair_words[next[0]++] = l->text->ids[0];
    for (u32 t = 0; t < l->worker_count; t++)
        for (u64 i = 0; i < l->workers[t].pair_count; i++)
            l->pair_words[next[l->workers[t].pairs[i].document]++] = l->workers[t].pairs[i].word;
    return W_DONE;
}

/* ---- the last pass: document by document ---- */

/* Order 1 without document d: the sums, and how much each token loses, negative, in w->lost. */
static void order_1_of(struct left_out *l, struct leaving *w, u64 d, double *total, u32 classes[4])
{
    u64 spectrum[W_COUNT_SPECTRUM];

    *total = l->total1;
    memcpy(classes, l->classes1, sizeof l->classes1);
    memcpy(spectrum, l->spectrum[1], sizeof spectrum);
    for (u64 i = l->first_pair[d]; i < l->first_pair[d + 1]; i++)
        w->lost[l->pair_words[i]]++;
    for (u64 i = l->first_pair[d]; i < l->first_pair[d + 1]; i++) {
        const u32 word = l->pair_words[i], count = l->unigrams[word];
        const u32 lost = (u32)w->lost[word];
        if (w->lost[word] < 0)
            continue; /* looked at */
        w->lost[word] = -w->lost[word];
        *total -= lost;
        classes[W_MIN(count, 3u)]--;
        classes[W_MIN(count - lost, 3u)]++;
        if (count <= W_COUNT_SPECTRUM)
            spectrum[count - 1]--;
        if (count > lost && count - lost <= W_COUNT_SPECTRUM)
            spectrum[count - lost - 1]++;
    }
    w_count_discounts(spectrum, l->discount[d][1]);
}

static void finish_document(void *context, u64 d, u32 worker)
{
    struct left_out *l = context;
    struct leaving *w = &l->workers[worker];
    double total;
    u32 classes[4];

    order_1_of(l, w, d, &total, classes);
    const double *discount = l->discount[d][1], none = 1.0 / l->text->vocab;
    const double mass =
        discount[1] * classes[1] + discount[2] * classes[2] + discount[3] * classes[3];
    for (u64 i = d ? l->text->ends[d - 1] : 0; i < l->text->ends[d]; i++) {
        const u32 word = l->text->ids[i];
        const u32 count = l->unigrams[word] - (u32)-w->lost[word];
        const double p =
            total > 0 ? (count - discount[W_MIN(count, 3u)] + mass * none) / total : none;
        l->said->lp[i] = (float)fmin(log((double)l->said->lp[i] + (double)l->b[i] * p), 0);
    }
    for (u64 i = l->first_pair[d]; i < l->first_pair[d + 1]; i++)
        w->lost[l->pair_words[i]] = 0;
}

static void find_discounts(struct left_out *l)
{
    const u32 order = l->text->order;

    for (u64 d = 0; d < l->text->documents; d++)
        for (u32 n = 2; n <= order; n++) {
            u64 spectrum[W_COUNT_SPECTRUM];
            for (u32 k = 0; k < W_COUNT_SPECTRUM; k++)
                spectrum[k] = l->spectrum[n][k] +
                              (u64)(i64)l->change[(d * (order + 1) + n) * W_COUNT_SPECTRUM + k];
            w_count_discounts(spectrum, l->discount[d][n]);
        }
}

enum w_status w_count_leave_out(const struct w_count_leave_out *text, struct w_team *team,
                                const struct w_count_said *said,
                                u64 spectrum[W_COUNT_ORDER_MAX + 1][W_COUNT_SPECTRUM],
                                struct w_err *err)
{
    struct left_out l = {.text = text, .said = said, .spectrum = spectrum};

    memset(spectrum, 0, (W_COUNT_ORDER_MAX + 1) * sizeof *spectrum);
    enum w_status status = w_count_check(text->count, text->order, text->vocab, err);
    if (!status)
        status = begin(&l, w_team_size(team), err);
    if (!status) {
        w_team_for(team, l.cut_count, take_words, &l);
        sum_up(&l);
        status = list_pairs(&l, err);
    }
    if (!status) {
        find_discounts(&l);
        said->lp[0] = 0, l.b[0] = 1; /* position 0 has no context */
        memset(said->ctx, 0, W_COUNT_FEATURES);
        l.say = true;
        w_team_for(team, l.cut_count, take_words, &l);
        w_team_for(team, text->documents, finish_document, &l);
    }
    end(&l);
    return status;
}
