/* Only as many candidates are sorted as top_k or top_p keep: a heap gives them best first. For
 * top_p it holds only ids that can be among them; most are too improbable. The rest of the work is
 * a few passes over the ids, and their exponentials in vectors. */
#include "net/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define NO_PLACE UINT32_MAX

struct candidate {
    double value; /* first its logit, then its probability up to a common factor */
    u32 id;
};

struct w_sampler {
    struct w_sampler_options options;
    u32 id_count, drawable;
    const struct w_kern *kern;
    u32 *ids;                 /* that can be drawn, in ascending order */
    u32 *places;              /* of each id among them, or NO_PLACE */
    float *values;            /* of each of them: its logit, then its probability */
    struct candidate *heap;   /* room for all of them */
    struct candidate *sorted; /* taken from the heap, best first */
    bool *seen;               /* by id; all false between calls */
};

enum w_status w_sampler_new(struct w_sampler **sampler, u32 count, const bool *suppressed,
                            const struct w_sampler_options *options, const struct w_kern *kern,
                            struct w_err *err)
{
    struct w_sampler *s = *sampler = calloc(1, sizeof *s);

    if (s) {
        s->options = *options;
        s->id_count = count;
        s->kern = kern;
        s->ids = malloc(count * sizeof *s->ids);
        s->places = malloc(count * sizeof *s->places);
        s->values = malloc(count * sizeof *s->values);
        s->heap = malloc(count * sizeof *s->heap);
        s->sorted = malloc(count * sizeof *s->sorted);
        s->seen = calloc(count, sizeof *s->seen);
    }
    if (!s || !s->ids || !s->places || !s->values || !s->heap || !s->sorted || !s->seen) {
        w_sampler_free(s);
        *sampler = NULL;
        return w_fail(err, W_NOMEM, "no memory to sample from %u ids", count);
    }
    for (u32 id = 0; id < count; id++) {
        const bool draws = !suppressed || !suppressed[id];
        s->places[id] = draws ? s->drawable : NO_PLACE;
        if (draws)
            s->ids[s->drawable++] = id;
    }
    return W_DONE;
}

void w_sampler_free(struct w_sampler *s)
{
    if (s) {
        free(s->ids);
        free(s->places);
        free(s->values);
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

/* Logits of the ids that can be drawn, penalised, into s->values. */
static void penalise(struct w_sampler *s, const float *logits, const u32 *text, u64 count)
{
    const double penalty = s->options.penalty;
    const u64 first = count - W_MIN(count, s->options.repeat_last_n);

    for (u32 i = 0; i < s->drawable; i++)
        s->values[i] = logits[s->ids[i]];
    for (u64 t = first; t < count && penalty != 1; t++)
        if (text[t] < s->id_count && s->places[text[t]] != NO_PLACE && !s->seen[text[t]]) {
            float *value = &s->values[s->places[text[t]]];
            *value = (float)(*value > 0 ? (double)*value / penalty : (double)*value * penalty);
            s->seen[text[t]] = true;
        }
    for (u64 t = first; t < count && penalty != 1; t++)
        if (text[t] < s->id_count)
            s->seen[text[t]] = false;
}

/* -INFINITY if all are NaN. In lanes, since each comparison waits for the one before. */
static float largest_of(const float *x, u32 count)
{
    enum { WIDTH = 16 };
    float max[WIDTH], largest = -INFINITY;
    u32 i = 0;

    for (u32 l = 0; l < WIDTH; l++)
        max[l] = -INFINITY;
    for (; i + WIDTH <= count; i += WIDTH)
        for (u32 l = 0; l < WIDTH; l++)
            max[l] = x[i + l] > max[l] ? x[i + l] : max[l];
    for (; i < count; i++)
        largest = x[i] > largest ? x[i] : largest;
    for (u32 l = 0; l < WIDTH; l++)
        largest = max[l] > largest ? max[l] : largest;
    return largest;
}

static u32 best_of(const struct w_sampler *s)
{
    const float largest = largest_of(s->values, s->drawable);

    for (u32 i = 0; i < s->drawable; i++)
        if (s->values[i] >= largest)
            return s->ids[i];
    return s->ids[0];
}

/* The k best into s->sorted, with their probabilities relative to the best one's; returns their
 * sum. */
static double keep_top_k(struct w_sampler *s, u32 k)
{
    u32 in_heap = s->drawable;
    double sum = 0, best = -INFINITY;

    for (u32 i = 0; i < s->drawable; i++)
        s->heap[i] = (struct candidate){(double)s->values[i], s->ids[i]};
    heap_make(s->heap, in_heap);
    for (u32 i = 0; i < k; i++) {
        s->sorted[i] = heap_pop(s->heap, &in_heap);
        best = W_MAX(best, s->sorted[i].value);
    }
    for (u32 i = 0; i < k; i++) {
        s->sorted[i].value = exp((s->sorted[i].value - best) / s->options.temperature);
        sum += s->sorted[i].value;
    }
    return sum;
}

/* Values become probabilities relative to the best one's; returns their sum. */
static double soften(struct w_sampler *s)
{
    const float best = largest_of(s->values, s->drawable);
    const float factor = (float)(1 / s->options.temperature);
    float base, sum;

    for (u32 i = 0; i < s->drawable; i++)
        s->values[i] = (s->values[i] - best) * factor;
    s->kern->exp_sum(s->values, &base, &sum, s->drawable);
    return (double)sum;
}

/* Candidates with at least `least` into the heap, in the order of ids; returns their number, 1 at
 * least. */
static u32 gather(struct w_sampler *s, double least)
{
    u32 count = 0;

    for (u32 i = 0; i < s->drawable; i++)
        if ((double)s->values[i] >= least)
            s->heap[count++] = (struct candidate){(double)s->values[i], s->ids[i]};
    if (!count) /* all are NaN */
        s->heap[count++] = (struct candidate){1, s->ids[0]};
    return count;
}

/* Larger probabilities have larger bits: the exponent and 3 more. 1 has bucket 1016. */
#define BUCKETS 1024

static u32 bucket_of(double value)
{
    const float x = (float)value;
    u32 bits;

    memcpy(&bits, &x, sizeof bits);
    return W_MIN(bits >> 20, BUCKETS - 1);
}

/* Move the fewest candidates that reach p of the sum to s->sorted; returns their number. Only those
 * of the bucket in which p is reached have to be sorted. */
static u32 keep_top_p(struct w_sampler *s, double sum, u32 count)
{
    double sums[BUCKETS] = {0}, reached = 0;
    const double wanted = s->options.top_p * sum;
    u32 last = BUCKETS - 1, kept = 0, in_heap = 0;

    for (u32 i = 0; i < count; i++)
        sums[bucket_of(s->heap[i].value)] += s->heap[i].value;
    for (; last > 0 && !(sums[last] > 0 && reached + sums[last] >= wanted); last--)
        reached += sums[last];
    for (u32 i = 0; i < count; i++) {
        const u32 bucket = bucket_of(s->heap[i].value);
        if (bucket > last)
            s->sorted[kept++] = s->heap[i];
        else if (bucket == last)
            s->heap[in_heap++] = s->heap[i];
    }
    heap_make(s->heap, in_heap);
    /* At least the best one, even where top_p is 0 or NaN makes every comparison false. */
    while ((kept == 0 || reached < wanted) && in_heap) {
        s->sorted[kept] = heap_pop(s->heap, &in_heap);
        reached += s->sorted[kept++].value;
    }
    return kept;
}

/* The same for candidates that are sorted already. */
static u32 keep_sorted(const struct w_sampler *s, double sum, u32 count)
{
    const double wanted = s->options.top_p * sum;
    double reached = 0;
    u32 kept = 0;

    while ((kept == 0 || reached < wanted) && kept < count)
        reached += s->sorted[kept++].value;
    return kept;
}

u32 w_sampler_sample(struct w_sampler *s, const float *logits, const u32 *text, u64 count,
                     u64 sample, u64 position)
{
    const struct w_sampler_options *o = &s->options;
    struct w_rng rng = {.seed = o->seed, .stream = sample, .counter = position};
    const bool top_k = o->top_k && o->top_k < s->drawable;
    u32 in_heap = 0, in_sorted = 0;

    penalise(s, logits, text, count);
    if (o->temperature <= 0)
        return best_of(s);
    double sum = top_k ? keep_top_k(s, (u32)o->top_k) : soften(s);
    if (top_k)
        in_sorted = (u32)o->top_k;
    else /* what is left out would not be needed to reach p, even if it were all as large as that */
        in_heap = gather(s, 0.999 * (1 - o->top_p) * sum / s->drawable);
    struct candidate *all = in_heap ? s->heap : s->sorted;
    u32 kept = in_heap + in_sorted;
    if (o->top_p < 1) {
        kept = top_k ? keep_sorted(s, sum, in_sorted) : keep_top_p(s, sum, in_heap);
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

double w_log_probability(const struct w_kern *kern, const float *logits, u32 vocab_size, u32 id)
{
    float some[1024];
    double best = -INFINITY, sum = 0; /* of the exponentials, divided by exp(best) */

    for (u32 i = 0; i < vocab_size; i += W_COUNTOF(some)) {
        const u32 count = W_MIN(vocab_size - i, (u32)W_COUNTOF(some));
        float base, part;
        memcpy(some, logits + i, count * sizeof *some);
        kern->exp_sum(some, &base, &part, count);
        const double larger = fmax(best, (double)base);
        sum = (sum > 0 ? sum * exp(best - larger) : 0) + (double)part * exp((double)base - larger);
        best = larger;
    }
    return (double)logits[id] - best - log(sum);
}
