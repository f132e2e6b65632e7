/* Counting by sorting. The positions of the text are grouped by the token before them; the n-grams
 * of a group are sorted as keys of all their tokens, which fit a cache, and counted in runs, from
 * the highest order down (count_learn_body.h). Groups are jobs, taken back in the order of the
 * tokens, so that the arrays of all groups are appended to each other as they come: no trie is ever
 * built. The cost is that of sorting: about 10 passes over 8 bytes for each different n-gram of
 * each order; no table is looked up at random. */
#include "count/count_learn.h"

#include <stdlib.h>

#include "count/count_groups.h"
#include "sys/ordered.h"
#include "wire/token_header.h"

/* Positions of a job, but for a token that has more by itself. */
#define JOB_TOKENS (1u << 16)

/* What a job writes, to be appended. */
struct count_job {
    u32 from, to; /* the tokens before: [from, to) */
    u64 spectrum[W_COUNT_ORDER_MAX + 1][W_COUNT_SPECTRUM];
    struct w_buffer part[W_COUNT_ORDER_MAX + 1][W_COUNT_ARRAYS];
};

/* Of a worker: keys of the largest group, and the company of each token. */
struct count_scratch {
    void *keys, *spare, *below;
    u32 *unigrams;
};

struct learning {
    struct w_count_image *image;
    const struct w_count_learn_options *options;
    const u32 *ids;
    u64 count;
    struct w_count_groups groups;
    const u32 *first; /* [vocab + 1] of each group */
    u32 *positions;   /* [count - 1] after token 0, token 1 ..., rising */
    u32 slots;
    struct count_job *jobs;        /* by slot */
    struct count_scratch *scratch; /* by worker */
    struct w_ordered *ordered;
};

#define KEY u64
#define ITEM KEY
#define KEY_OF(item) (item)
#define sort_items sort_items_u64
#define sort_followers sort_followers_u64
#define write_order write_order_u64
#define count_word count_word_u64
#include "count/count_sort_body.h"
#include "count/count_learn_body.h"

#define KEY unsigned __int128
#define ITEM KEY
#define KEY_OF(item) (item)
#define sort_items sort_items_u128
#define sort_followers sort_followers_u128
#define write_order write_order_u128
#define count_word count_word_u128
#include "count/count_sort_body.h"
#include "count/count_learn_body.h"

static void run_job(void *context, u32 slot, u32 worker)
{
    struct learning *l = context;
    struct count_job *job = &l->jobs[slot];

    memset(job->spectrum, 0, sizeof job->spectrum);
    for (u32 n = 2; n <= l->image->order; n++)
        for (u32 a = 0; a < W_COUNT_ARRAYS; a++)
            job->part[n][a].size = 0;
    for (u32 word = job->from; word < job->to; word++) {
        if (l->first[word] == l->first[word + 1]) { /* every token is a context of order 2 */
            w_buffer_byte(&job->part[2][W_CONTEXT_GRAMS], 0);
            if (l->image->order > 2)
                w_buffer_byte(&job->part[2][W_CONTEXT_CHILDREN], 0);
        } else if (l->groups.key_bytes == sizeof(u64)) {
            count_word_u64(l, job, &l->scratch[worker], word);
        } else {
            count_word_u128(l, job, &l->scratch[worker], word);
        }
    }
}

static enum w_status make_groups(struct learning *l, struct w_err *err)
{
    enum w_status status = w_count_groups_make(&l->groups, l->ids, &l->count, 1, l->image->order,
                                               l->image->vocab, NULL, err);
    if (status)
        return status;
    l->first = w_count_places(&l->groups, 0);
    l->positions = malloc(l->count * sizeof *l->positions);
    if (!l->positions)
        return w_fail(err, W_NOMEM, "no memory for the places of %llu tokens",
                      (unsigned long long)l->count);
    u32 *next = w_count_places(&l->groups, 1);
    for (u64 i = 1; i < l->count; i++)
        l->positions[next[l->ids[i - 1]]++] = (u32)i;
    return W_DONE;
}

static enum w_status start(struct learning *l, struct w_err *err)
{
    const u32 threads = W_MAX(l->options->threads, 1u);
    const u64 room = W_MAX(l->groups.largest, 1u);

    l->slots = w_ordered_slots(threads);
    l->jobs = calloc(l->slots, sizeof *l->jobs);
    l->scratch = calloc(threads, sizeof *l->scratch);
    bool ok = l->jobs && l->scratch;
    for (u32 t = 0; t < threads && ok; t++) {
        struct count_scratch *s = &l->scratch[t];
        s->keys = aligned_alloc(16, w_round_up(room * l->groups.key_bytes, 16));
        s->spare = aligned_alloc(16, w_round_up(room * l->groups.key_bytes, 16));
        s->below = aligned_alloc(16, w_round_up(room * l->groups.key_bytes, 16));
        s->unigrams = calloc(l->image->vocab, sizeof *s->unigrams);
        ok = s->keys && s->spare && s->below && s->unigrams;
    }
    if (!ok)
        return w_fail(err, W_NOMEM, "no memory to sort %u n-grams on %u threads", l->groups.largest,
                      threads);
    return w_ordered_new(&l->ordered, threads, l->slots, run_job, l, err);
}

static void stop(struct learning *l)
{
    w_ordered_free(l->ordered);
    for (u32 i = 0; i < l->slots && l->jobs; i++)
        for (u32 n = 0; n <= W_COUNT_ORDER_MAX; n++)
            for (u32 a = 0; a < W_COUNT_ARRAYS; a++)
                w_buffer_free(&l->jobs[i].part[n][a]);
    for (u32 t = 0; t < W_MAX(l->options->threads, 1u) && l->scratch; t++) {
        free(l->scratch[t].keys);
        free(l->scratch[t].spare);
        free(l->scratch[t].below);
        free(l->scratch[t].unigrams);
    }
    free(l->jobs);
    free(l->scratch);
    free(l->positions);
    w_count_groups_release(&l->groups);
}

static enum w_status append(struct w_count_image *image, const struct count_job *job,
                            struct w_err *err)
{
    bool failed = false;

    for (u32 n = 2; n <= image->order; n++) {
        for (u32 k = 0; k < W_COUNT_SPECTRUM; k++)
            image->spectrum[n][k] += job->spectrum[n][k];
        for (u32 a = 0; a < W_COUNT_ARRAYS; a++) {
            w_buffer_put(&image->part[n][a], job->part[n][a].at, job->part[n][a].size);
            failed |= job->part[n][a].failed || image->part[n][a].failed;
        }
    }
    return failed ? w_fail(err, W_NOMEM, "no memory for the counts: %.0f MB so far",
                           (double)w_count_image_bytes(image) / 1e6)
                  : W_DONE;
}

static enum w_status count_groups(struct learning *l, struct w_err *err)
{
    const u32 vocab = l->image->vocab;
    enum w_status status = W_DONE;
    u32 next = 0, slot;

    while (!status) {
        while (next < vocab && w_ordered_next(l->ordered, &slot)) {
            struct count_job *job = &l->jobs[slot];
            job->from = next++;
            while (next < vocab && l->first[next + 1] - l->first[job->from] <= JOB_TOKENS)
                next++;
            job->to = next;
            w_ordered_submit(l->ordered);
        }
        if (!w_ordered_take(l->ordered, &slot))
            return W_DONE;
        status = append(l->image, &l->jobs[slot], err);
        const u64 done = l->first[l->jobs[slot].to];
        w_ordered_return(l->ordered);
        if (!status && l->options->go_on && !l->options->go_on(l->options->context, done))
            status = w_fail(err, W_SIGNAL, "stopped by a signal");
    }
    return status;
}

/* Order 1: the company of each token, the text's beginning included. */
static void sum_unigrams(struct learning *l)
{
    u32 *sums = l->image->unigrams;

    sums[l->ids[0]]++;
    for (u32 t = 0; t < W_MAX(l->options->threads, 1u); t++)
        for (u32 word = 0; word < l->image->vocab; word++)
            sums[word] += l->scratch[t].unigrams[word];
    for (u32 word = 0; word < l->image->vocab; word++)
        if (sums[word] >= 1 && sums[word] <= W_COUNT_SPECTRUM)
            l->image->spectrum[1][sums[word] - 1]++;
}

enum w_status w_count_learn(struct w_count_image *image, const u32 *ids, u64 count,
                            const struct w_count_learn_options *options, struct w_err *err)
{
    struct learning l = {.image = image, .options = options, .ids = ids, .count = count};

    memset(image, 0, sizeof *image);
    enum w_status status = w_count_check(count, options->order, options->vocab, err);
    if (status)
        return status;
    image->order = options->order;
    image->vocab = options->vocab;
    image->eot = options->eot;
    image->id_bytes = w_id_bytes(options->vocab);
    image->tokens = count;
    image->unigrams = calloc(options->vocab, sizeof *image->unigrams);
    status = image->unigrams ? W_DONE : w_fail(err, W_NOMEM, "no memory for counts");
    if (!status)
        status = make_groups(&l, err);
    if (!status)
        status = start(&l, err);
    if (!status)
        status = count_groups(&l, err);
    if (!status)
        sum_unigrams(&l);
    stop(&l);
    return status;
}
