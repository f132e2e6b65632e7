#include "tools/wcachefit/hints.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "fit/scaling_law.h"

#define LANES 16                  /* floats of the widest vector, AVX-512 */
#define TLB_REACH (1536.0 * 4096) /* entries of a second-level TLB times a page */
#define SMALL_VOCABULARY 8192
#define HEAD_IS_LARGE 0.4 /* of the forward pass */
#define TOKENS_FEW 5.0    /* for each parameter */
#define RATE_FAR 4.0      /* ratio of two learning rates */
#define STEP_FAR 3.0      /* ratio of two steps: costs 0.05 bits a byte after 25 million tokens */
#define DECAY_FAR 3.0     /* ratio of two weight decays: costs 0.008 bits a byte in 6,000 steps */

static void add(struct w_hints *h, const char *format, ...) W_PRINTF(2, 3);
static void add(struct w_hints *h, const char *format, ...)
{
    va_list args;

    if (h->count == W_HINTS_MAX)
        return;
    va_start(args, format);
    vsnprintf(h->text[h->count++], sizeof h->text[0], format, args);
    va_end(args);
}

static void about_memory(struct w_hints *h, const struct w_fit *fit)
{
    double share = w_fit_value(fit, "memory.share"), batch = w_fit_value(fit, "memory.batch");

    if (share > 1 && batch >= 1)
        add(h, "The step needs more memory than is available: batch_size %.0f fits.", batch);
    else if (share > 1)
        add(h, "The step needs more memory than is available, even with one sequence.");
    else if (share > W_MEMORY_USABLE)
        add(h, "The step leaves less than %.0f %% of the memory to everything else.",
            100 * (1 - W_MEMORY_USABLE));
    if (share <= 1 && w_fit_value(fit, "plain.both") > w_fit_value(fit, "ram.bytes"))
        add(h,
            "A trainer that keeps every activation and its gradient would page on this machine.");
}

/* The nearest number of heads whose columns fill whole vectors, or 0. */
static u64 better_heads(u64 d, u64 heads)
{
    for (u64 distance = 1; distance < heads; distance++) {
        u64 fewer = heads - distance, more = heads + distance;
        if (d % fewer == 0 && d / fewer % LANES == 0)
            return fewer;
        if (d % more == 0 && d / more % LANES == 0)
            return more;
    }
    return 0;
}

static void about_shapes(struct w_hints *h, const struct w_fit *fit)
{
    u64 d = fit->conf.d_model, heads = fit->conf.num_heads, columns = d / heads;
    double share = w_fit_value(fit, "flops.head_share"), vocab = w_fit_value(fit, "V");

    if (columns % LANES && better_heads(d, heads))
        add(h,
            "A head has %llu columns, which do not fill whole vectors of %d floats: with num_heads "
            "%llu it has %llu.",
            (unsigned long long)columns, LANES, (unsigned long long)better_heads(d, heads),
            (unsigned long long)(d / better_heads(d, heads)));
    if (share > HEAD_IS_LARGE && vocab > SMALL_VOCABULARY)
        add(h,
            "The output head is %.0f %% of the work: vocab_size %d would save %.0f %% of it "
            "(then compare losses in bits per byte).",
            100 * share, SMALL_VOCABULARY, 100 * share * (1 - SMALL_VOCABULARY / vocab));
}

/* Tiles cover whole panels of columns: those beyond the vocabulary are computed and not used. */
static void about_vocabulary(struct w_hints *h, const struct w_fit *fit)
{
    u64 vocab = fit->conf.vocab_size, panel = (u64)w_fit_value(fit, "tile.cols");

    if (panel > 0 && vocab % panel)
        add(h,
            "The vocabulary of %llu ids does not fill whole tiles of %llu columns: vocab_size %llu "
            "costs no more.",
            (unsigned long long)vocab, (unsigned long long)panel,
            (unsigned long long)(w_ceil_div(vocab, panel) * panel));
}

static void about_pages(struct w_hints *h, const struct w_fit *fit, const struct w_machine *m)
{
    double plan = w_fit_value(fit, "memory.plan");

    if (m->no_huge_pages && plan > TLB_REACH)
        add(h,
            "The system gives no huge pages: a TLB of 1,536 entries reaches over 6 MiB of the "
            "%.0f MiB of a step (madvise in /sys/kernel/mm/transparent_hugepage/enabled).",
            plan / (1024 * 1024));
}

static void about_data(struct w_hints *h, const struct w_fit *fit)
{
    double per_parameter = w_fit_value(fit, "tokens_per_param");

    if (per_parameter < TOKENS_FEW)
        add(h,
            "%.2g tokens per parameter: a model of this size can use about %.0f; more text helps "
            "more than a wider model.",
            per_parameter, W_TOKENS_ENOUGH);
}

/* A rate a few times too low or too high costs more than any kernel can gain. */
bool w_hints_rate_is_far(const struct w_fit *fit)
{
    double ratio = w_fit_value(fit, "law.rate_ratio");

    return ratio < 1 / RATE_FAR || ratio > RATE_FAR;
}

static void about_learning_rate(struct w_hints *h, const struct w_fit *fit)
{
    if (w_hints_rate_is_far(fit))
        add(h,
            "learning_rate %.2g is far from the %.2g with which models of this width and step "
            "learned most with %s: predict.bits is for that one.",
            fit->conf.learning_rate, w_fit_value(fit, "law.rate"),
            w_recipe_of(&fit->conf)->spelled);
}

static void about_step(struct w_hints *h, const struct w_fit *fit)
{
    const double step = w_fit_value(fit, "accumulate") * w_fit_value(fit, "rows");
    const double most = (double)w_recipe_of(&fit->conf)->step_tokens[1];
    const double best = w_fit_value(fit, "law.step");

    if (step * STEP_FAR < most && step * STEP_FAR < best)
        add(h,
            "Steps of %.0f tokens are small for %.3g million tokens: of as many more is learned in "
            "steps of %.0f.",
            step, 1e-6 * w_fit_value(fit, "tokens"), fmin(best, most));
}

static void about_weight_decay(struct w_hints *h, const struct w_fit *fit)
{
    const struct w_conf *c = &fit->conf;
    const double steps = w_fit_value(fit, "steps"), rate = c->muon_learning_rate;
    const double best = w_recipe_decay(w_recipe_of(c), rate, steps);

    if (steps > 0 && c->weight_decay > DECAY_FAR * best)
        add(h,
            "weight_decay %.2g lets go in %.0f steps what is not learned again: in %.0f steps more "
            "is learned with %.2g.",
            c->weight_decay, 1 / (c->weight_decay * rate), steps, best);
}

const char *w_hints_ranks(char text[W_HINT_RANKS], const struct w_fit *fit)
{
    const double choice = w_fit_value(fit, "ranks.choice");

    text[0] = 0;
    if (choice > 1)
        snprintf(text, W_HINT_RANKS, "local steps %.0f", w_fit_value(fit, "ranks.local_steps"));
    else if (choice > 0)
        snprintf(text, W_HINT_RANKS, "batch x %.0f", w_fit_value(fit, "ranks.batch"));
    return text;
}

void w_hints_make(struct w_hints *h, const struct w_fit *fit, const struct w_machine *m)
{
    h->count = 0;
    about_memory(h, fit);
    about_shapes(h, fit);
    about_vocabulary(h, fit);
    about_pages(h, fit, m);
    about_learning_rate(h, fit);
    about_step(h, fit);
    about_weight_decay(h, fit);
    about_data(h, fit);
    if (w_fit_value(fit, "threads") > m->physical_cores)
        add(h, "More threads than the %u cores: they share the caches of a core.",
            m->physical_cores);
}
