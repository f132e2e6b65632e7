/* Leaving out by sorting. The positions after each token are sorted as in counting, each with its
 * document, so that the occurrences of an n-gram stand together, and among them those in each
 * company. Without a document, the count of an n-gram is less by its occurrences there, at the
 * highest order; below, by the companies that no other document has. What a context loses is summed
 * over its n-grams, document by document. Nothing is looked up but in small arrays.
 *
 * From the highest order down, p is an affine function of the order below: p = a + b p_n. So a and
 * b are kept for each position. Order 1 is the same for all contexts: what a document has alone are
 * pairs of tokens, listed by document. The groups are passed through twice: first for the counts of
 * counts without each document, which give its discounts, then for the probabilities.
 *
 * Memory is never read or written at random over the whole text: the text is put into the groups,
 * and what is said of it taken out of them again, in its order, so that each group is read and
 * written from its beginning to its end. */
#include "count/count_leave_out.h"

#include <math.h>
#include <stdlib.h>

#include "base/grow.h"
#include "count/count_groups.h"

enum {
    DOCUMENT = (1 << 30) - 1, /* of a mark: number of the document */
    ALONE = 1 << 30,          /* no other document has this company */
    ITEM_TOKENS = 1 << 16,    /* positions of an item of the team */
    AHEAD = 24,               /* positions whose memory is asked for beforehand */
    PARTS = 32,               /* of the text, for as many items of the team */
};
#define FIRST (1u << 31) /* of its company */

/* A position. In the second pass `at` is that of its saying. */
struct item_u64 {
    u64 key;
    u32 at, mark; /* which one of the group in the order of the text; document and flags */
};
struct item_u128 {
    unsigned __int128 key;
    u32 at, mark;
};

/* What a document has alone of the present n-gram and context. */
struct own {
    u64 gram_stamp, context_stamp; /* gram_stamp + 1: noted in the context */
    u32 count, total;
    i32 classes[4]; /* change of the context's followers by count: 0, 1, 2, more */
};

/* What the orders so far, from the highest down, say of a position. */
struct saying {
    double a, b;
    u8 ctx[W_COUNT_FEATURES];
};

/* What all of them but order 1 say. It takes the place of an item. */
struct answer {
    float a, b;
    u8 ctx[W_COUNT_FEATURES];
};
_Static_assert(sizeof(struct answer) <= sizeof(struct item_u64), "more than an item");

/* A pair of tokens that a document has alone: the second one. */
struct own_pair {
    u32 document, word;
};

/* Of a worker. Arrays without a size have room for the largest group. */
struct leaving {
    void *items, *spare;
    struct own *own;        /* [documents] */
    u32 *counts;            /* without its document, of each item */
    u32 *sorted;            /* where the items are, in the order of the text */
    struct saying *sayings; /* by item as they were sorted for the highest order */
    u64 gram_stamp, context_stamp;
    u32 *unigrams; /* [vocab] different tokens before */
    i32 *lost;     /* [vocab] of them, in the present document */
    u64 spectrum[W_COUNT_ORDER_MAX + 1][W_COUNT_SPECTRUM];
    i32 *change; /* [documents, order + 1, W_COUNT_SPECTRUM] of the counts of counts */
    struct own_pair *pairs;
    size_t pair_count, pair_room;
    enum w_status status;
    struct w_err err;
};

struct left_out {
    const struct w_count_leave_out *text;
    const struct w_count_said *said;
    bool say;                                      /* the second pass */
    u64 part_document[PARTS + 1], part_end[PARTS]; /* the first document of each part; tokens */
    struct w_count_groups groups;
    const u32 *first; /* [vocab + 1] of each group */
    void *items;      /* [count - 1] group by group; in the end answers, an item apart */
    size_t item_bytes;
    u32 *cuts; /* [cut_count + 1] tokens before: items of the team */
    u32 cut_count;
    struct leaving *workers;
    u32 worker_count;
    u32 *unigrams;
    u64 (*spectrum)[W_COUNT_SPECTRUM];
    double (*discount)[W_COUNT_ORDER_MAX + 1][4]; /* [documents] */
    u64 *first_pair;                              /* [documents + 1] */
    u32 *pair_words;
    double total1; /* of order 1 */
    u32 classes1[4];
};

/* ---- parts of a pass ---- */

static i32 *changes(const struct left_out *l, const struct leaving *w, u64 document, u32 n)
{
    return w->change + (document * (l->text->order + 1) + n) * W_COUNT_SPECTRUM;
}

/* An n-gram's count is less without document d. */
static void note(struct left_out *l, struct leaving *w, u32 n, u32 d, u32 count, u32 of_document)
{
    struct own *own = &w->own[d];
    const u32 now = count - of_document;

    if (!l->say) {
        i32 *change = changes(l, w, d, n);
        if (count <= W_COUNT_SPECTRUM)
            change[count - 1]--;
        if (now >= 1 && now <= W_COUNT_SPECTRUM)
            change[now - 1]++;
        return;
    }
    if (own->context_stamp != w->context_stamp) {
        own->context_stamp = w->context_stamp;
        own->total = 0;
        memset(own->classes, 0, sizeof own->classes);
    }
    own->total += of_document;
    own->classes[W_MIN(count, 3u)]--;
    own->classes[W_MIN(now, 3u)]++;
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
        w->pairs[w->pair_count++] = (struct own_pair){mark & DOCUMENT, word};
}

/* What order n says of a position, its document left out. */
static void say_order(struct left_out *l, struct leaving *w, u32 n, u32 at, u32 d, u32 count,
                      u32 total, const u32 classes[4])
{
    const struct own *own = &w->own[d];
    const double *discount = l->discount[d][n];
    u32 f[4] = {0, classes[1], classes[2], classes[3]};

    if (own->context_stamp == w->context_stamp) {
        total -= own->total;
        for (u32 k = 1; k < 4; k++)
            f[k] += (u32)own->classes[k];
    }
    if (total == 0)
        return;
    struct saying *s = &w->sayings[at];
    s->a += s->b * w_count_discounted(discount, count) / total;
    s->b *= w_count_mass(discount, f + 1) / total;
    if (n <= 5)
        w_count_features(total, (double)f[1] + f[2] + f[3], s->ctx + 2 * (n - 2));
}

static void begin_saying(struct leaving *w, u32 count)
{
    for (u32 i = 0; i < count; i++)
        w->sayings[i] = (struct saying){.b = 1};
}

static void end_saying(const struct left_out *l, const struct leaving *w, u32 first, u32 count)
{
    u8 *to = (u8 *)l->items + first * l->item_bytes;

    for (u32 i = 0; i < count; i++, to += l->item_bytes) {
        const struct saying *s = &w->sayings[w->sorted[i]];
        struct answer answer = {.a = (float)s->a, .b = (float)s->b};
        memcpy(answer.ctx, s->ctx, sizeof answer.ctx);
        memcpy(to, &answer, sizeof answer);
    }
}

#define KEY u64
#define ITEM struct item_u64
#define KEY_OF(item) ((item).key)
#define sort_items sort_items_u64
#define take_gram take_gram_u64
#define take_context take_context_u64
#define take_order take_order_u64
#define fill_part fill_part_u64
#define take_word take_word_u64
#include "count/count_sort_body.h"
#define ITEM struct item_u64
#include "count/count_leave_out_body.h"

#define KEY unsigned __int128
#define ITEM struct item_u128
#define KEY_OF(item) ((item).key)
#define sort_items sort_items_u128
#define take_gram take_gram_u128
#define take_context take_context_u128
#define take_order take_order_u128
#define fill_part fill_part_u128
#define take_word take_word_u128
#include "count/count_sort_body.h"
#define ITEM struct item_u128
#include "count/count_leave_out_body.h"

static void take_words(void *context, u64 item, u32 worker)
{
    struct left_out *l = context;

    for (u32 word = l->cuts[item]; word < l->cuts[item + 1]; word++) {
        if (l->first[word] == l->first[word + 1])
            continue;
        if (l->item_bytes == sizeof(struct item_u64))
            take_word_u64(l, &l->workers[worker], word);
        else
            take_word_u128(l, &l->workers[worker], word);
    }
}

/* ---- memory ---- */

static enum w_status new_workers(struct left_out *l, u32 threads, struct w_err *err)
{
    const u64 room = W_MAX(l->groups.largest, 1u);
    const u64 changes = l->text->documents * (l->text->order + 1) * W_COUNT_SPECTRUM;

    l->worker_count = threads;
    l->workers = calloc(threads, sizeof *l->workers);
    bool ok = l->workers != NULL;
    for (u32 t = 0; t < threads && ok; t++) {
        struct leaving *w = &l->workers[t];
        w->items = aligned_alloc(32, w_round_up(room * l->item_bytes, 32));
        w->spare = aligned_alloc(32, w_round_up(room * l->item_bytes, 32));
        w->own = calloc(l->text->documents, sizeof *w->own);
        w->sorted = malloc(room * sizeof *w->sorted);
        w->counts = malloc(room * sizeof *w->counts);
        w->sayings = malloc(room * sizeof *w->sayings);
        w->change = calloc(changes, sizeof *w->change);
        w->unigrams = calloc(l->text->vocab, sizeof *w->unigrams);
        w->lost = calloc(l->text->vocab, sizeof *w->lost);
        ok = w->items && w->spare && w->own && w->sorted && w->counts && w->sayings && w->change &&
             w->unigrams && w->lost;
    }
    return ok ? W_DONE : w_fail(err, W_NOMEM, "no memory to leave documents out");
}

/* Parts of whole documents, of about as many tokens. */
static void cut_text(struct left_out *l)
{
    const struct w_count_leave_out *t = l->text;
    u64 d = 0;

    for (u32 part = 0; part < PARTS; part++) {
        while (d < t->documents && (d ? t->ends[d - 1] : 0) < t->count * (part + 1) / PARTS)
            d++;
        l->part_document[part + 1] = d;
        l->part_end[part] = d ? t->ends[d - 1] : 0;
    }
}

/* Groups that are worked on together. */
static void cut_groups(struct left_out *l)
{
    const u32 vocab = l->text->vocab;

    for (u32 word = 0; word < vocab; l->cuts[++l->cut_count] = word) {
        const u32 first = l->first[word++];
        l->cuts[0] = 0;
        while (word < vocab && l->first[word + 1] - first <= ITEM_TOKENS)
            word++;
    }
}

static enum w_status begin(struct left_out *l, struct w_team *team, struct w_err *err)
{
    const struct w_count_leave_out *t = l->text;

    if (t->documents > DOCUMENT)
        return w_fail(err, W_LIMIT, "2^30 documents or more");
    cut_text(l);
    enum w_status status =
        w_count_groups_make(&l->groups, t->ids, l->part_end, PARTS, t->order, t->vocab, team, err);
    if (status)
        return status;
    l->first = w_count_places(&l->groups, 0);
    const bool small = l->groups.key_bytes == sizeof(u64);
    l->item_bytes = small ? sizeof(struct item_u64) : sizeof(struct item_u128);
    l->items = aligned_alloc(32, w_round_up(t->count * l->item_bytes, 32));
    l->cuts = malloc((t->vocab + 1ull) * sizeof *l->cuts);
    l->unigrams = calloc(t->vocab, sizeof *l->unigrams);
    l->discount = malloc(t->documents * sizeof *l->discount);
    l->first_pair = calloc(t->documents + 2, sizeof *l->first_pair);
    if (!l->items || !l->cuts || !l->unigrams || !l->discount || !l->first_pair)
        return w_fail(err, W_NOMEM, "no memory to leave out %llu documents of %llu tokens",
                      (unsigned long long)t->documents, (unsigned long long)t->count);
    w_team_for(team, PARTS, small ? fill_part_u64 : fill_part_u128, l);
    cut_groups(l);
    return new_workers(l, w_team_size(team), err);
}

static void end(struct left_out *l)
{
    for (u32 t = 0; t < l->worker_count && l->workers; t++) {
        struct leaving *w = &l->workers[t];
        free(w->items), free(w->spare), free(w->own), free(w->counts), free(w->sorted);
        free(w->sayings), free(w->change), free(w->unigrams), free(w->lost), free(w->pairs);
    }
    w_count_groups_release(&l->groups);
    free(l->workers);
    free(l->items);
    free(l->cuts);
    free(l->unigrams);
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

/* places: where the answer to the next position stands in the group of each token. */
static void finish_document(struct left_out *l, struct leaving *w, u64 d, u32 *places)
{
    const u32 *ids = l->text->ids;
    const u8 *answers = l->items;
    double total;
    u32 classes[4];

    order_1_of(l, w, d, &total, classes);
    const double *discount = l->discount[d][1], none = 1.0 / l->text->vocab;
    const double mass = w_count_mass(discount, classes + 1);
    for (u64 i = d ? l->text->ends[d - 1] : 0; i < l->text->ends[d]; i++) {
        const u32 count = l->unigrams[ids[i]] - (u32)-w->lost[ids[i]];
        const double p =
            total > 0 ? (w_count_discounted(discount, count) + mass * none) / total : none;
        struct answer answer = {.b = 1}; /* position 0 has no context */
        if (i + AHEAD < l->text->ends[d])
            __builtin_prefetch(answers + places[ids[i + AHEAD - 1]] * l->item_bytes);
        if (i > 0)
            memcpy(&answer, answers + places[ids[i - 1]]++ * l->item_bytes, sizeof answer);
        l->said->lp[i] = (float)fmin(log((double)answer.a + (double)answer.b * p), 0);
        memcpy(l->said->ctx + W_COUNT_FEATURES * i, answer.ctx, sizeof answer.ctx);
    }
    for (u64 i = l->first_pair[d]; i < l->first_pair[d + 1]; i++)
        w->lost[l->pair_words[i]] = 0;
}

static void finish_part(void *context, u64 part, u32 worker)
{
    struct left_out *l = context;

    for (u64 d = l->part_document[part]; d < l->part_document[part + 1]; d++)
        finish_document(l, &l->workers[worker], d, w_count_places(&l->groups, part));
}

static void find_discounts(struct left_out *l)
{
    const u32 order = l->text->order;

    for (u64 d = 0; d < l->text->documents; d++)
        for (u32 n = 2; n <= order; n++) {
            u64 spectrum[W_COUNT_SPECTRUM];
            memcpy(spectrum, l->spectrum[n], sizeof spectrum);
            for (u32 t = 0; t < l->worker_count; t++)
                for (u32 k = 0; k < W_COUNT_SPECTRUM; k++)
                    spectrum[k] += (u64)(i64)changes(l, &l->workers[t], d, n)[k];
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
        status = begin(&l, team, err);
    if (!status) {
        w_team_for(team, l.cut_count, take_words, &l);
        sum_up(&l);
        status = list_pairs(&l, err);
    }
    if (!status) {
        find_discounts(&l);
        l.say = true;
        w_team_for(team, l.cut_count, take_words, &l);
        w_team_for(team, PARTS, finish_part, &l);
    }
    end(&l);
    return status;
}
