#include "net/softmax_sample.h"

#include <math.h>

#include "base/rng.h"
#include "kern/kern.h"

/* Each use of random numbers has a stream of its own. */
#define SAMPLE_STREAM 0x736f6674 /* "soft" */

/* A set has so many ids at least for each target. */
#define PER_TARGET 1.125

u64 w_softmax_sample_size(const struct w_conf *conf, u64 targets)
{
    const u64 least = W_MAX(conf->softmax_sample, targets + targets / 8);
    return W_MIN(conf->vocab_size, w_round_up(least, W_TILE_COLS_MAX));
}

static void find_targets(struct w_softmax_sample *s, const struct w_conf *conf,
                         const struct w_batch *batch)
{
    const u64 length = conf->max_length;

    w_id_set_clear(&s->targets);
    for (u64 b = 0; b < conf->batch_size; b++)
        for (u64 t = 1; t <= length; t++)
            w_id_set_add(&s->targets, batch->ids[b * (length + 1) + t]);
}

/* n of the ids that are no targets. Where that is more than half of them, those that are left out
 * are drawn instead, so that few draws hit what was drawn before. */
static void draw_others(struct w_softmax_sample *s, u64 n, u64 seed, u64 number)
{
    const u64 others = s->targets.limit - s->target_count;
    const bool left_out = n > others - n;
    struct w_rng rng = {.seed = seed, .stream = (u64)SAMPLE_STREAM << 32, .counter = number << 32};

    w_id_set_clear(&s->drawn);
    for (u64 left = left_out ? others - n : n; left > 0;) {
        const u64 id = w_rng_below(&rng, s->targets.limit);
        if (w_id_set_has(&s->targets, id) || w_id_set_has(&s->drawn, id))
            continue;
        w_id_set_add(&s->drawn, id);
        left--;
    }
    if (left_out)
        w_id_set_neither(&s->drawn, &s->targets);
}

/* log((1 - u)^(M - 1)) for each id is `others` times log1p(-u). In double precision, since 1 - u is
 * near 1. */
static void correct(struct w_softmax_sample *s, const struct w_conf *conf, double part_drawn)
{
    const double vocab = (double)conf->vocab_size, left_out = log1p(-part_drawn);
    const double others = (double)(conf->batch_size * conf->max_length) - 1;
    double total = vocab;

    for (u64 id = 0; id < conf->vocab_size; id++)
        total += (double)s->seen[id];
    for (u64 i = 0; i < s->count; i++) {
        const double frequency = ((double)s->seen[s->ids[i]] + 1) / total;
        s->correction[i] = (float)-log(-expm1(others * log1p(-frequency) + left_out));
    }
}

void w_softmax_sample_draw(struct w_softmax_sample *s, const struct w_conf *conf,
                           const struct w_batch *batch)
{
    find_targets(s, conf, batch);
    s->target_count = w_id_set_list(&s->targets, s->ids);
    s->count = w_softmax_sample_size(conf, s->target_count);
    const u64 drawn = s->count - s->target_count, others = conf->vocab_size - s->target_count;
    draw_others(s, drawn, conf->seed, batch->number);
    w_id_set_list(&s->drawn, s->ids + s->target_count);
    for (u64 i = 0; i < s->count; i++)
        s->columns[s->ids[i]] = (u32)i;
    correct(s, conf, others ? (double)drawn / (double)others : 1);
}

/* ---- what to expect ---- */

/* Heaps' law with a limit: fitted to batches of 256 to 16384 tokens of Wikipedia, cut by BPE with
 * 2048 to 40000 ids, where it is off by 6 % at most. */
double w_softmax_sample_targets(const struct w_conf *conf, double tokens)
{
    const double unlimited = tokens / (1 + 0.075 * pow(tokens, 0.33));
    return unlimited / pow(1 + pow(unlimited / (double)conf->vocab_size, 1.25), 0.8);
}

double w_softmax_sample_expected(const struct w_conf *conf)
{
    const double vocab = (double)conf->vocab_size, tile = W_TILE_COLS_MAX;
    const double tokens = (double)conf->batch_size * (double)conf->max_length;

    if (!w_softmax_is_sampled(conf))
        return vocab;
    const double least =
        fmax((double)conf->softmax_sample, PER_TARGET * w_softmax_sample_targets(conf, tokens));
    return fmin(vocab, tile * ceil(least / tile));
}

/* As if the batches of a step had nothing in common: they share the frequent targets, so with
 * `accumulate` above 1 this is a little too many. */
double w_softmax_sample_rows(const struct w_conf *conf)
{
    const double vocab = (double)conf->vocab_size;
    const double part = w_softmax_sample_expected(conf) / vocab;

    if (!w_softmax_has_lazy_rows(conf))
        return vocab;
    return vocab * (1 - pow(1 - part, (double)conf->accumulate));
}
