/* Only as many candidates are sorted as top_k or top_p keep: a heap over V ids gives them best
 * first, O(V + n log V) for n of them. The rest of the work is one pass over the ids and their
 * exponentials. */
#include "net/sampler.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"

struct candidate {
    double value; /* first its logit, then its probability up to a common factor */
    u32 id;
};

struct w_sampler {
    struct w_sampler_options options;
    u32 id_count, drawable;
    u32 *ids;                 /* that can be drawn, in ascending order */
    struct candidate *heap;   /* room for all of them */
    struct candidate *sorted; /* taken from the heap, best first */
    bool *seen;               /* by id; all false between calls */
};

enum w_status w_sampler_new(struct w_sampler **sampler, u32 count, const bool *suppressed,
                            const struct w_sampler_options *options, struct w_err *err)
{
    struct w_sampler *s = *sampler = calloc(1, sizeof *s);

    if (s) {
        s->options = *options;
        s->id_count = count;
        s->ids = malloc(count * sizeof *s->ids);
        s->heap = malloc(count * sizeof *s->heap);
        s->sorted = malloc(count * sizeof *s->sorted);
        s->seen = calloc(count, sizeof *s->seen);
    }
    if (!s || !s->ids || !s->heap || !s->sorted || !s->seen) {
        w_sampler_free(s);
        *sampler = NULL;
        return w_fail(err, W_NOMEM, "no memory to sample from %u ids", count);
    }
    for (u32 id = 0; id < count; id++)
        if (!suppressed || !suppressed[id])
            s->ids[s->drawable++] = id;
    return W_DONE;
}

void w_sampler_free(struct w_sampler *s)
{
    if (s) {
        free(s->ids);
        free(s->heap);
        free(s->sorted);
        free(s->seen);
    }
    free(s);
}

/* ---- the heap ---- */

static bool is_better(struct candidate a, struct candidate b)
{
    return a.value > b.value || (a.value == b.value && a.id < b.id);
}

static void sift_down(struct candidate *heap, u32 count, u32 i)
{
    struct candidate moved = heap[i];

    for (u32 child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && is_better(heap[child + 1], heap[child]))
            child++;
        if (!is_better(heap[child], moved))
            break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

static void heap_make(struct candidate *heap, u32 count)
{
    for (u32 i = count / 2; i-- > 0;)
        sift_down(heap, count, i);
}

static struct candidate heap_pop(struct candidate *heap, u32 *count)
{
    struct candidate best = heap[0];

    heap[0] = heap[--*count];
    if (*count)
        sift_down(heap, *count, 0);
    return best;
}

/* ---- the steps, in the order of the header ---- */

static void mark_seen(struct w_sampler *s, const u32 *text, u64 count, bool seen)
{
    u64 n = W_MIN(count, s->options.repeat_last_n);

    for (u64 i = count - n; i < count; i++)
        if (text[i] < s->id_count)
            s->seen[text[i]] = seen;
}

static void penalise(struct w_sampler *s, const float *logits, const u32 *text, u64 count)
{
    double penalty = s->options.penalty;

    mark_seen(s, text, count, true);
    for (u32 i = 0; i < s->drawable; i++) {
        u32 id = s->ids[i];
        double logit = (double)logits[id];
        if (s->seen[id])
            logit = logit > 0 ? logit / penalty : logit * penalty;
        s->heap[i] = (struct candidate){logit, id};
    }
    mark_seen(s, text, count, false);
}

static u32 best_of(const struct candidate *all, u32 count)
{
    struct candidate best = all[0];

    for (u32 i = 1; i < count; i++)
        if (is_better(all[i], best))
            best = all[i];
    return best.id;
}

/* Sort the k best into s->sorted, or without top_k leave all of them in the heap. Probabilities are
 * relative to the best one's; their sum is returned. */
static double soften(struct w_sampler *s, u32 *in_heap, u32 *in_sorted)
{
    double temperature = s->options.temperature, sum = 0, best = -INFINITY;
    u64 k = s->options.top_k;
    u32 count = s->drawable;
    struct candidate *all = s->heap;

    *in_heap = count, *in_sorted = 0;
    if (k && k < count) {
        heap_make(s->heap, count);
        while (*in_sorted < k)
            s->sorted[(*in_sorted)++] = heap_pop(s->heap, in_heap);
        *in_heap = 0;
        all = s->sorted;
        count = (u32)k;
    }
    for (u32 i = 0; i < count; i++)
        best = W_MAX(best, all[i].value);
    for (u32 i = 0; i < count; i++) {
        all[i].value = exp((all[i].value - best) / temperature);
        sum += all[i].value;
    }
    return sum;
}

/* Move the fewest candidates that reach p of the sum to s->sorted; returns their number. */
static u32 keep_top_p(struct w_sampler *s, double sum, u32 in_heap, u32 in_sorted)
{
    double wanted = s->options.top_p * sum, reached = 0;
    u32 kept = 0;

    if (in_heap)
        heap_make(s->heap, in_heap);
    /* At least the best one, even where top_p is 0 or NaN makes every comparison false. */
    while ((kept == 0 || reached < wanted) && (in_heap || kept < in_sorted)) {
        if (in_heap)
            s->sorted[kept] = heap_pop(s->heap, &in_heap);
        reached += s->sorted[kept++].value;
    }
    return kept;
}

u32 w_sampler_sample(struct w_sampler *s, const float *logits, const u32 *text, u64 count,
                     u64 sample, u64 position)
{
    const struct w_sampler_options *o = &s->options;
    struct w_rng rng = {.seed = o->seed, .stream = sample, .counter = position};
    u32 in_heap, in_sorted;

    penalise(s, logits, text, count);
    if (o->temperature <= 0)
        return best_of(s->heap, s->drawable);
    double sum = soften(s, &in_heap, &in_sorted);
    struct candidate *all = in_heap ? s->heap : s->sorted;
    u32 kept = in_heap + in_sorted;
    if (o->top_p < 1) {
        kept = keep_top_p(s, sum, in_heap, in_sorted);
        all = s->sorted;
    }
    sum = 0;
    for (u32 i = 0; i < kept; i++) {
        /* The best one's value is exp(0) = 1: min_p is a bound on the values. */
        if (all[i].value < o->min_p)
            all[i].value = 0;
        sum += all[i].value;
    }
    double point = w_rng_unit(&rng) * sum;
    u32 last = 0;
    for (u32 i = 0; i < kept; i++) {
        if (all[i].value <= 0)
            continue;
        last = i;
        point -= all[i].value;
        if (point < 0)
            break;
    }
    return all[last].id;
}

double w_log_probability(const float *logits, u32 vocab_size, u32 id)
{
    float best = logits[0];
    double sum = 0;

    for (u32 i = 1; i < vocab_size; i++)
        best = W_MAX(best, logits[i]);
    for (u32 i = 0; i < vocab_size; i++)
        sum += exp((double)logits[i] - (double)best);
    return (double)logits[id] - (double)best - log(sum);
}
