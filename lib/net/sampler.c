/* Each step is a few passes over the values of all ids, in vectors; no ids are sorted. */
#include "net/sampler.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

struct w_sampler {
    struct w_sampler_options options;
    u32 id_count;
    u32 first; /* id that can be drawn: the choice where all logits are NaN */
    const struct w_kern *kern;
    u32 *suppressed; /* ids, suppressed_count of them */
    u32 suppressed_count;
    bool *seen;    /* by id; all false between calls */
    float *values; /* by id: its logit, then its probability */
    float least;   /* probability of those that are in */
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
        s->suppressed = malloc(count * sizeof *s->suppressed);
        s->seen = calloc(count, sizeof *s->seen);
        s->values = malloc(count * sizeof *s->values);
    }
    if (!s || !s->suppressed || !s->seen || !s->values) {
        w_sampler_free(s);
        *sampler = NULL;
        return w_fail(err, W_NOMEM, "no memory to sample from %u ids", count);
    }
    for (u32 id = 0; suppressed && id < count; id++)
        if (suppressed[id])
            s->suppressed[s->suppressed_count++] = id;
    while (suppressed && s->first + 1 < count && suppressed[s->first])
        s->first++;
    return W_DONE;
}

void w_sampler_free(struct w_sampler *s)
{
    if (s) {
        free(s->suppressed);
        free(s->seen);
        free(s->values);
    }
    free(s);
}

/* ---- the steps, in the order of the header ---- */

static void suppress(struct w_sampler *s, float value)
{
    for (u32 i = 0; i < s->suppressed_count; i++)
        s->values[s->suppressed[i]] = value;
}

/* Logits into the values, penalised. */
static void penalise(struct w_sampler *s, const float *logits, const u32 *text, u64 count)
{
    const double penalty = s->options.penalty;
    const u64 first = count - W_MIN(count, s->options.repeat_last_n);

    memcpy(s->values, logits, s->id_count * sizeof *logits);
    for (u64 t = first; t < count && penalty != 1; t++)
        if (text[t] < s->id_count && !s->seen[text[t]]) {
            float *value = &s->values[text[t]];
            *value = (float)(*value > 0 ? (double)*value / penalty : (double)*value * penalty);
            s->seen[text[t]] = true;
        }
    for (u64 t = first; t < count && penalty != 1; t++)
        if (text[t] < s->id_count)
            s->seen[text[t]] = false;
    suppress(s, -INFINITY);
}

/* Ids are searched by blocks. */
#define BLOCK 512

/* Those of one block that are at least `least`. */
static struct w_part block_from(const struct w_sampler *s, u32 first, float least)
{
    return s->kern->at_least(s->values + first, least, W_MIN(BLOCK, s->id_count - first));
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
    const float largest = largest_of(s->values, s->id_count);
    u32 id = 0;

    if (!(largest > -INFINITY))
        return s->first;
    while (block_from(s, id, largest).count == 0)
        id += BLOCK;
    while (!(s->values[id] >= largest))
        id++;
    return id;
}

static void soften(struct w_sampler *s)
{
    const float factor = (float)W_MIN(1 / s->options.temperature, (double)FLT_MAX);

    s->kern->softmax(s->values, factor, s->id_count);
    suppress(s, 0); /* softmax leaves them a trace */
    s->least = FLT_MIN;
}

enum measure { NUMBER, SUM };

static double measured(struct w_part part, enum measure measure)
{
    return measure == NUMBER ? (double)part.count : (double)part.sum;
}

static bool reaches(struct w_part part, enum measure measure, double wanted)
{
    return part.count > 0 && measured(part, measure) >= wanted;
}

/* Those that are in. */
static struct w_part kept_of(const struct w_sampler *s)
{
    return s->kern->at_least(s->values, s->least, s->id_count);
}

/* Keep the fewest whose number, or sum, is at least `wanted`; the largest, of equals those with the
 * lower ids. The smallest number that is kept is found by bisection of its bits: as many passes as
 * halve the ids until one is left, and more only where some are equal. */
static void keep_largest(struct w_sampler *s, enum measure measure, double wanted)
{
    const float most = 2; /* more than any probability */
    u32 low = w_bits_of(s->least), high = w_bits_of(most);
    struct w_part kept = kept_of(s), above = {0};

    if (!reaches(kept, measure, wanted))
        return;
    while (high - low > 1 && kept.count - above.count > 1) {
        const u32 middle = low + (high - low) / 2;
        const struct w_part part = s->kern->at_least(s->values, w_from_bits(middle), s->id_count);
        if (reaches(part, measure, wanted))
            low = middle, kept = part;
        else
            high = middle, above = part;
    }
    s->least = w_from_bits(low);
    /* What is left below `high` is one id, or some with the same value. One stays, even where
     * nothing is wanted. */
    const double missing = wanted - measured(above, measure);
    const double needed = measure == NUMBER ? missing : ceil(missing / (double)s->least);
    u64 equal = kept.count - above.count;
    for (u32 id = s->id_count; equal > 1 && (double)equal > needed && id-- > 0;)
        if (s->values[id] >= s->least && s->values[id] < w_from_bits(high)) {
            s->values[id] = 0;
            equal--;
        }
}

static void keep_top_p(struct w_sampler *s, double p)
{
    const struct w_part all = kept_of(s);
    const double sum = (double)all.sum;
    /* What is smaller is not needed to reach p, even if all of it were as large as this. */
    const float needless = (float)(0.999 * (1 - p) * sum / (double)W_MAX(all.count, 1));

    s->least = W_MAX(s->least, needless);
    keep_largest(s, SUM, p * sum);
}

/* The id at which the sum of the probabilities, in the order of ids, exceeds `unit` of all. */
static u32 draw(const struct w_sampler *s, double unit)
{
    double sum = 0, point;
    u32 first = 0, drawn = s->first;

    for (u32 id = 0; id < s->id_count; id += BLOCK)
        sum += (double)block_from(s, id, s->least).sum;
    point = unit * sum;
    for (u32 id = 0; id < s->id_count; id += BLOCK) {
        const double block_sum = (double)block_from(s, id, s->least).sum;
        if (block_sum <= 0)
            continue;
        first = id;
        if (point < block_sum)
            break;
        point -= block_sum;
    }
    /* The last one that is in, where rounding leads to the end of the block. */
    for (u32 id = first; id < W_MIN(first + BLOCK, s->id_count) && point >= 0; id++)
        if (s->values[id] >= s->least) {
            drawn = id;
            point -= (double)s->values[id];
        }
    return drawn;
}

u32 w_sampler_sample(struct w_sampler *s, const float *logits, const u32 *text, u64 count,
                     u64 sample, u64 position)
{
    const struct w_sampler_options *o = &s->options;
    struct w_rng rng = {.seed = o->seed, .stream = sample, .counter = position};

    penalise(s, logits, text, count);
    if (o->temperature <= 0)
        return best_of(s);
    soften(s);
    if (o->top_k)
        keep_largest(s, NUMBER, (double)o->top_k);
    if (o->top_p < 1)
        keep_top_p(s, o->top_p);
    if (o->min_p > 0)
        s->least = W_MAX(s->least, (float)o->min_p * largest_of(s->values, s->id_count));
    return draw(s, w_rng_unit(&rng));
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
