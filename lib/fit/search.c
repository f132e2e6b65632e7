/* The search tries every candidate of a grid: 11 widths, 6 depths, 3 vocabularies and 4 numbers of
 * tokens in a step, 792 at most, with two fits each. The change tries one kind after the other,
 * smaller by one step at a time. */
#include "fit/search.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit/scaling_law.h"

/* Divided by the tokens for a parameter, the rank of a candidate that has fewer than
 * W_TOKENS_LEAST: the law knows nothing of it, so all others come first, then those with most
 * tokens. */
#define TOO_FEW 1e3

/* The bits of a candidate outside of the law's runs count for more: of two that are as good, the
 * one of whose kind there were runs is the surer. */
#define UNKNOWN 1.01

/* ---- the best within a budget ---- */

static const u32 widths[] = {64, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768};
static const u32 depths[] = {2, 3, 4, 5, 6, 8};
static const u32 vocabularies[] = {4096, 8192, 16384};
static const u32 step_tokens[] = {1024, 2048, 4096, 8192}; /* of w_recipe.step_tokens */

/* A candidate: heads of 64 columns, or of 32 where these do not fill the width; d_ff is 4
 * d_model. */
static struct w_conf candidate(const struct w_conf *base, u64 d, u64 layers, u64 vocab, u64 tokens)
{
    const struct w_recipe *recipe = w_recipe_of(base);
    struct w_conf conf = *base;

    conf.d_model = d;
    conf.num_heads = d / (d % 64 ? 32 : 64);
    conf.num_layers = layers;
    conf.d_ff = 4 * d;
    conf.vocab_size = vocab;
    conf.batch_size = W_MAX(tokens / conf.max_length, 1);
    conf.accumulate = 1;
    conf.steps = 0;
    conf.schedule = recipe->schedule;
    conf.min_lr_ratio = recipe->min_lr_ratio;
    conf.learning_rate = w_recipe_rate(recipe, d, conf.batch_size * conf.max_length);
    if (recipe->muon_rate > 0)
        conf.muon_learning_rate = recipe->muon_rate * conf.learning_rate;
    return conf;
}

/* The keys that follow from the number of steps. */
static void suit_steps(struct w_conf *conf, double tokens, bool keep_decay)
{
    const struct w_recipe *recipe = w_recipe_of(conf);
    const double steps = tokens / (double)(conf->batch_size * conf->max_length);

    conf->warmup_steps = (u64)(recipe->warmup_part * steps);
    if (recipe->warmup_steps > 0)
        conf->warmup_steps = W_MIN(conf->warmup_steps, recipe->warmup_steps);
    if (!keep_decay)
        conf->weight_decay =
            fmin(conf->weight_decay, w_recipe_decay(recipe, conf->muon_learning_rate, steps));
}

static void lengthen(struct w_conf *conf, u64 length)
{
    conf->batch_size = W_MAX(conf->batch_size * conf->max_length / length, 1);
    conf->max_length = length;
}

/* A candidate after the time of the limits. Tokens beyond W_TOKENS_ENOUGH do not count: the law was
 * fitted to runs with fewer, and would promise an improvement without end. *rated becomes true
 * where a rate is known. W_NO: it needs too much memory, or is no configuration, or nothing is
 * known. */
static enum w_status judge(struct w_found *f, struct w_conf conf, const struct w_machine *m,
                           const struct w_fit_ask *asked, const struct w_search_limits *limits,
                           bool *rated, struct w_err *err)
{
    static struct w_fit fit;
    const struct w_recipe *recipe = w_recipe_of(&conf);
    struct w_fit_ask ask = *asked;
    enum w_status status = w_fit_make(&fit, &conf, m, &ask, err);

    if (!status && !limits->keep_length &&
        w_fit_value(&fit, "predict.tok_s") * limits->seconds >= recipe->long_tokens) {
        lengthen(&conf, recipe->long_length);
        status = w_fit_make(&fit, &conf, m, &ask, err);
    }
    if (status)
        return status == W_USAGE ? W_NO : status;
    double tok_s = w_fit_value(&fit, "predict.tok_s"), tokens = tok_s * limits->seconds;
    *rated |= tok_s > 0;
    ask.tokens = W_MIN(tokens, W_TOKENS_ENOUGH * w_fit_value(&fit, "params"));
    if (!(w_fit_value(&fit, "memory.resident") <= limits->bytes) || !(tokens > 0))
        return W_NO;
    status = w_fit_make(&fit, &conf, m, &ask, err);
    if (status)
        return status;
    suit_steps(&conf, tokens, limits->keep_decay);
    *f = (struct w_found){.conf = conf,
                          .tok_s = tok_s,
                          .tokens = tokens,
                          .bits = w_fit_value(&fit, "predict.bits"),
                          .resident = w_fit_value(&fit, "memory.resident"),
                          .outside = w_recipe_outside(&conf)};
    const double per_parameter = w_fit_value(&fit, "tokens_per_param");
    f->outside |= per_parameter < W_TOKENS_LEAST || tokens > W_TOKENS_MOST;
    f->rank = per_parameter < W_TOKENS_LEAST ? TOO_FEW / per_parameter
              : f->outside                   ? f->bits * UNKNOWN
                                             : f->bits;
    return isfinite(f->bits) ? W_DONE : W_NO;
}

/* Keep the list sorted, best first. */
static void insert(struct w_found *list, u32 room, u32 *count, const struct w_found *f)
{
    u32 i = W_MIN(*count, room);

    while (i > 0 && f->rank < list[i - 1].rank)
        i--;
    if (i == room)
        return;
    *count = W_MIN(*count + 1, room);
    memmove(list + i + 1, list + i, (*count - i - 1) * sizeof *list);
    list[i] = *f;
}

enum w_status w_search_best(struct w_found *list, u32 room, u32 *count, const struct w_conf *base,
                            const struct w_machine *m, const struct w_fit_ask *ask,
                            const struct w_search_limits *limits, struct w_err *err)
{
    enum w_status status = W_DONE;
    bool rated = false;

    *count = 0;
    for (size_t d = 0; d < W_COUNTOF(widths); d++)
        for (size_t l = 0; l < W_COUNTOF(depths); l++)
            for (size_t v = 0; v < (limits->vocab ? 1 : W_COUNTOF(vocabularies)); v++)
                for (size_t b = 0; b < W_COUNTOF(step_tokens); b++) {
                    const u64 vocab = limits->vocab ? limits->vocab : vocabularies[v];
                    struct w_conf conf =
                        candidate(base, widths[d], depths[l], vocab, step_tokens[b]);
                    struct w_found f;
                    /* with long sequences several numbers of tokens give the same batch */
                    if (b && conf.batch_size == W_MAX(step_tokens[b - 1] / conf.max_length, 1))
                        continue;
                    status = judge(&f, conf, m, ask, limits, &rated, err);
                    if (!status)
                        insert(list, room, count, &f);
                    else if (status != W_NO)
                        return status;
                }
    if (*count == 0)
        return w_fail(err, W_NO,
                      rated ? "no configuration keeps to these limits"
                            : "no rate can be predicted: wcachefit calibrate first");
    return W_DONE;
}

/* ---- making it fit ---- */

enum kind { LENGTH, LAYERS, WIDTH, KINDS };

/* Smaller by one step of one kind; false: that is not possible. */
static bool shrink(struct w_conf *c, const struct w_conf *from, enum kind kind)
{
    u64 width = c->d_model / c->num_heads;

    switch (kind) {
    case LENGTH: c->max_length /= 2; return c->max_length >= 16;
    case LAYERS: return --c->num_layers >= 1;
    default:
        c->num_heads--;
        c->d_model = c->num_heads * width;
        c->d_ff = W_MAX(from->d_ff * c->num_heads / from->num_heads, 1);
        return c->num_heads >= 1;
    }
}

/* A smaller batch with accumulation to the same step. W_NO: one sequence is too much. */
static enum w_status fit_batch(struct w_change *change, const struct w_conf *conf, enum w_type type,
                               u32 threads, double bytes, struct w_err *err)
{
    struct w_conf *c = &change->conf;
    enum w_status status =
        w_plan_largest_batch(conf, type, threads, bytes, conf->batch_size, &c->batch_size, err);
    if (status || c->batch_size == 0)
        return status ? status : W_NO;
    while (conf->batch_size % c->batch_size)
        c->batch_size--;
    c->accumulate = conf->accumulate * (conf->batch_size / c->batch_size);
    c->max_ranks = 1; /* ranks would take memory */
    snprintf(change->flags, sizeof change->flags,
             "--set batch_size=%llu --set accumulate=%llu --set max_ranks=1",
             (unsigned long long)c->batch_size, (unsigned long long)c->accumulate);
    return w_plan_fits(c, type, threads, bytes, &change->bytes, err);
}

/* One sequence at a time, and smaller by as many steps of one kind as it takes. */
static enum w_status fit_smaller(struct w_change *change, const struct w_conf *conf, enum kind kind,
                                 enum w_type type, u32 threads, double bytes, struct w_err *err)
{
    static const char *const keys[KINDS] = {"max_length", "num_layers", "d_model"};
    struct w_conf *c = &change->conf;
    char *flags = change->flags;
    const size_t size = sizeof change->flags;
    enum w_status status = W_NO;

    *c = *conf;
    c->batch_size = 1;
    c->accumulate = conf->accumulate * conf->batch_size;
    c->max_ranks = 1;
    while (status == W_NO && shrink(c, conf, kind))
        status = w_plan_fits(c, type, threads, bytes, &change->bytes, err);
    const u64 values[KINDS] = {c->max_length, c->num_layers, c->d_model};
    int n = snprintf(
        flags, size, "--set batch_size=1 --set accumulate=%llu --set max_ranks=1 --set %s=%llu",
        (unsigned long long)c->accumulate, keys[kind], (unsigned long long)values[kind]);
    if (kind == WIDTH && n > 0 && (size_t)n < size)
        snprintf(flags + n, size - (size_t)n, " --set num_heads=%llu --set d_ff=%llu",
                 (unsigned long long)c->num_heads, (unsigned long long)c->d_ff);
    return status;
}

enum w_status w_search_fit(struct w_change *change, const struct w_conf *conf, enum w_type type,
                           u32 threads, double bytes, struct w_err *err)
{
    *change = (struct w_change){.conf = *conf};
    enum w_status status = w_plan_largest_batch(conf, type, threads, bytes,
                                                INT32_MAX / conf->max_length, &change->batch, err);
    if (!status)
        status = w_plan_fits(conf, type, threads, bytes, &change->bytes, err);
    if (status == W_NO)
        status = fit_batch(change, conf, type, threads, bytes, err);
    for (enum kind kind = LENGTH; kind < KINDS && status == W_NO; kind++)
        status = fit_smaller(change, conf, kind, type, threads, bytes, err);
    if (status == W_NO)
        return w_fail(err, W_NO, "%s: no variant of it fits into %.0f bytes", conf->name, bytes);
    change->lost = 1 - w_arch_matrices(&change->conf) / w_arch_matrices(conf);
    return status;
}
