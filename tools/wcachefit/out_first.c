/* The first screen of a comparison: which configuration is best for a time, for half of it and for
 * the text, what is wasteful, what makes one faster than another, what more cache and more cores
 * would change. Every number in a sentence is a figure. It fits 80 x 24 for four configurations. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "fit/scaling_law.h"
#include "tools/wcachefit/hints.h"
#include "tools/wcachefit/inputs.h"
#include "tools/wcachefit/report.h"
#include "tools/wrap.h"

#define NAME 128

/* The configuration whose figure is smallest or largest, among those whose step fits the memory;
 * among all if the memory is not known. NULL: there is none. */
static const struct w_fit *best_of(const struct report *r, const char *key, bool largest)
{
    const struct w_fit *found = NULL;

    for (size_t i = 0; i < r->count; i++) {
        const struct w_fit *fit = &r->fits[i];
        double value = w_fit_value(fit, key), old = found ? w_fit_value(found, key) : NAN;
        if (isnan(value) || w_fit_value(fit, "memory.share") > 1)
            continue;
        if (!found || (largest ? value > old : value < old))
            found = fit;
    }
    return found;
}

/* ---- writing ---- */

struct page {
    FILE *f;
    const struct report *r;
    bool markdown;
    bool rated; /* rates are known */
};

/* A paragraph, or an item of a list. */
static void say(const struct page *p, const char *format, ...) W_PRINTF(2, 3);
static void say(const struct page *p, const char *format, ...)
{
    char text[1536];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (p->markdown)
        fprintf(p->f, "- %s\n", text);
    else
        w_wrap(p->f, text, 0, 2), fputc('\n', p->f);
}

static const char *name_of(char text[NAME], const struct page *p, const struct w_fit *fit)
{
    const char *mark = p->markdown ? "`" : "";

    snprintf(text, NAME, "%s%.100s%s", mark, fit->conf.name, mark);
    return text;
}

static const char *brief(char text[W_FIGURE_TEXT], const struct w_fit *fit, const char *key)
{
    const int row = w_figure_find(key);

    return w_figure_brief(text, w_figures[row].unit, fit->values[row]);
}

static double ratio(const struct w_fit *a, const struct w_fit *b, const char *key)
{
    return w_fit_value(a, key) / w_fit_value(b, key);
}

/* What a text costs: time, or arithmetic while rates are not known. */
static const char *cost(const struct page *p)
{
    return p->rated ? "time.total" : "flops.train_causal";
}

/* ---- the question ---- */

static void write_question(const struct page *p)
{
    const struct w_fit *fit = p->r->fits;
    const struct w_machine *m = &p->r->machine;
    const bool calibrated = w_fit_value(fit, "calibrated") > 0;
    const double number = w_fit_value(fit, "tokens") / w_fit_value(fit, "file.tokens");
    char files[W_FIGURE_TEXT], each[W_FIGURE_TEXT];

    if (p->markdown)
        fputs("## Which One\n\n", p->f);
    say(p, "Machine: %.40s, %u threads, %s, %scalibrated", m->name, p->r->threads,
        w_compute_type_name(p->r->type), calibrated ? "" : "not ");
    say(p, "Text: %s files of %s tokens (--files, --tokens, --time; more: --all)",
        w_figure_text(files, W_UNIT_COUNT, number), w_fit_text(each, fit, "file.tokens"));
    if (p->markdown)
        fputc('\n', p->f);
}

/* ---- the best ones ---- */

static void per_parameter(char text[W_FIGURE_TEXT], const struct w_fit *fit)
{
    w_figure_brief(text, W_UNIT_COUNT,
                   w_fit_value(fit, "budget.tokens") / w_fit_value(fit, "params"));
}

/* In the time, and why; and in half of it. */
static void say_best_in_time(const struct page *p)
{
    const struct w_fit *best = best_of(p->r, "budget.bits", false),
                       *half = best_of(p->r, "budget.half.bits", false),
                       *base = &p->r->fits[p->r->baseline];
    char name[NAME], other[NAME], time[W_FIGURE_TEXT], bits[W_FIGURE_TEXT], each[W_FIGURE_TEXT],
        base_each[W_FIGURE_TEXT];

    per_parameter(each, best);
    per_parameter(base_each, base);
    brief(time, best, "budget.time");
    brief(bits, best, "budget.bits");
    if (best == base)
        say(p,
            "Production, best in %s: %s, %s bits/byte: none has more arithmetic a token, and the "
            "time is enough for %s tokens a parameter.",
            time, name_of(name, p, best), bits, each);
    else
        say(p,
            "Production, best in %s: %s, %s bits/byte: with %.2g of the arithmetic a token it "
            "reads %s tokens a parameter, %s %s.",
            time, name_of(name, p, best), bits, ratio(best, base, "flops.train_causal"), each,
            name_of(other, p, base), base_each);
    w_figure_brief(time, W_UNIT_SECONDS, w_fit_value(half, "budget.time") / 2);
    say(p, "Half of that, %s: %s%s, %s bits/byte, %.3f more.", time, name_of(name, p, half),
        half == best ? " too" : "", brief(bits, half, "budget.half.bits"),
        w_fit_value(half, "budget.half.bits") - w_fit_value(best, "budget.bits"));
}

/* The configuration that is best in the time if steps make so many FLOP a second. */
static enum w_status best_at(const struct w_fit **best, const struct report *r, double flop_s,
                             struct w_err *err)
{
    double least = INFINITY;
    enum w_status status = W_DONE;

    *best = NULL;
    for (size_t i = 0; i < r->count && !status; i++) {
        struct w_fit fit = r->fits[i];
        if (w_fit_value(&fit, "memory.share") > 1)
            continue;
        status = w_fit_set_rate(&fit, flop_s / w_fit_value(&fit, "flops.train_causal"), err);
        if (!status && w_fit_value(&fit, "budget.bits") < least) {
            least = w_fit_value(&fit, "budget.bits");
            *best = &r->fits[i];
        }
    }
    return status;
}

/* Without rates: the best in the time for each rate that a machine of today may have. */
static enum w_status say_best_at_rates(const struct page *p, struct w_err *err)
{
    static const double rates[] = {1e10, 2e10, 5e10, 1e11, 2e11, 5e11, 1e12, 2e12, 5e12, 1e13};
    const size_t last = W_COUNTOF(rates) - 1;
    const struct w_fit *best, *before = NULL;
    char text[1024], name[NAME], time[W_FIGURE_TEXT], from[W_FIGURE_TEXT], to[W_FIGURE_TEXT];
    size_t n = 0;
    enum w_status status = W_DONE;

    for (size_t i = 0; i <= last && !status; i++) {
        status = best_at(&best, p->r, rates[i], err);
        if (status || best == before)
            continue;
        w_figure_text(from, W_UNIT_FLOP_S, rates[i]);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s from %s", before ? ", " : "",
                              name_of(name, p, best), from);
        n = W_MIN(n, sizeof text - 1);
        before = best;
    }
    if (!status)
        say(p,
            "Production, best in %s: %s to %s in training: the less arithmetic a token takes, the "
            "more are read. This machine's rate: wcachefit calibrate, 15 seconds; a target's: "
            "--peak.",
            brief(time, p->r->fits, "budget.time"), text,
            w_figure_text(to, W_UNIT_FLOP_S, rates[last]));
    return status;
}

/* For the text read once; and what takes least of its time, or arithmetic. */
static void say_best_for_text(const struct page *p)
{
    const struct w_fit *best = best_of(p->r, "predict.bits", false),
                       *quick = best_of(p->r, cost(p), false);
    char name[NAME], bits[W_FIGURE_TEXT], time[W_FIGURE_TEXT];

    brief(bits, best, "predict.bits");
    say(p, "Balanced, best for this text: %s, %s%s%s.", name_of(name, p, best), bits,
        p->rated ? " after " : "", p->rated ? brief(time, best, "time.total") : "");
    if (quick == best)
        return;
    brief(bits, quick, "predict.bits");
    if (p->rated)
        say(p, "Quick, least time for it: %s, %s after %s.", name_of(name, p, quick), bits,
            brief(time, quick, "time.total"));
    else
        say(p, "Quick, least time for it: %s, %s after %.2g of that.", name_of(name, p, quick),
            bits, ratio(quick, best, "flops.train_causal"));
}

/* Of what costs more than the best for the text and learns less, the most expensive. */
static void say_wasteful(const struct page *p)
{
    const struct w_fit *best = best_of(p->r, "predict.bits", false);
    const struct w_fit *worst = best_of(p->r, cost(p), true);
    const double times = ratio(worst, best, cost(p)),
                 more = w_fit_value(worst, "predict.bits") - w_fit_value(best, "predict.bits"),
                 each = w_fit_value(worst, "tokens_per_param");
    char name[NAME], other[NAME], why[160];

    if (times <= 1) {
        say(p, "Wasteful: none; what takes longer learns more from this text.");
        return;
    }
    if (each < W_MIN(w_fit_value(best, "tokens_per_param"), W_TOKENS_ENOUGH))
        snprintf(why, sizeof why, "%.2g tokens a parameter, and about %.0f are of use", each,
                 W_TOKENS_ENOUGH);
    else
        snprintf(why, sizeof why, "its tokens take %.2g times the arithmetic",
                 ratio(worst, best, "flops.train_causal"));
    say(p, "Wasteful: %s, %.2g times the %s of %s and %.3f bits/byte more: %s.",
        name_of(name, p, worst), times, p->rated ? "time" : "arithmetic", name_of(other, p, best),
        more, why);
}

static void say_too_large(const struct page *p)
{
    const struct w_fit *first = NULL;
    char name[NAME], need[W_FIGURE_TEXT], have[W_FIGURE_TEXT];
    size_t count = 0;

    for (size_t i = p->r->count; i-- > 0;)
        if (w_fit_value(&p->r->fits[i], "memory.share") > 1)
            first = &p->r->fits[i], count++;
    if (first)
        say(p,
            "Too large for the memory: %zu of %zu, like %s, which needs %s of %s; wcachefit fit "
            "tells what would fit.",
            count, p->r->count, name_of(name, p, first), w_fit_text(need, first, "memory.plan"),
            w_fit_text(have, first, "ram.bytes"));
}

/* ---- why ---- */

/* What makes the fastest faster than the one with most arithmetic: less of it, or more of the peak;
 * and twice the threads, where that can be predicted. */
static enum w_status say_speedup(const struct page *p, struct w_err *err)
{
    const struct w_fit *fast = best_of(p->r, "tok_s", true), *base = &p->r->fits[p->r->baseline];
    struct w_fit_ask ask = report_ask(p->r);
    char name[NAME], other[NAME], used[2 * W_FIGURE_TEXT] = "", more[64] = "", a[W_FIGURE_TEXT],
                                           b[W_FIGURE_TEXT];
    struct w_fit twice;
    enum w_status status = W_DONE;

    if (fast == base)
        return W_DONE;
    if (w_fit_value(fast, "calibrated") > 0) {
        ask.threads = 2 * (u64)p->r->threads;
        status = w_fit_make(&twice, &fast->conf, &p->r->machine, &ask, err);
        if (!status)
            snprintf(more, sizeof more, " %llu threads: %.2gx.", (unsigned long long)ask.threads,
                     ratio(&twice, fast, "predict.tok_s"));
    }
    if (!isnan(w_fit_value(fast, "rate.efficiency")))
        snprintf(used, sizeof used, " (%s, not %s)", brief(a, fast, "rate.efficiency"),
                 brief(b, base, "rate.efficiency"));
    if (!status)
        say(p,
            "Speedup: %s %.2gx over %s: %.2gx by less arithmetic a token, %.2gx by use of the "
            "peak%s.%s",
            name_of(name, p, fast), ratio(fast, base, "tok_s"), name_of(other, p, base),
            ratio(base, fast, "flops.train_causal"), ratio(fast, base, "rate.flop_s"), used, more);
    return status;
}

/* The part of a step that waits for memory, and not for arithmetic. */
static double waiting(const struct w_fit *fit)
{
    double seconds = 0;

    for (u32 phase = 0; phase < W_PHASES; phase++) {
        const char *bound = w_fit_bound(fit, phase);
        if (bound && strcmp(bound, "compute") != 0)
            seconds += w_fit_phase_value(fit, "step", phase);
    }
    return seconds / w_fit_value(fit, "step.seconds");
}

/* Why the rate does not follow the size of the caches. */
static void say_cache(const struct page *p)
{
    const struct w_fit *base = &p->r->fits[p->r->baseline];
    const double fill = w_fit_value(base, "l2.gemm");

    if (w_fit_value(base, "calibrated") > 0)
        say(p, "More cache: steps %.0f%% shorter at most; their arithmetic is on blocks in L2.",
            100 * waiting(base));
    else if (!isnan(fill))
        say(p, "More cache: %s.",
            fill <= 1 ? "steps as long; their arithmetic is on blocks that fit L2"
                      : "shorter steps with more L2; blocks that fit it wait for memory");
}

static void say_loads(const struct page *p)
{
    const struct w_machine *m = &p->r->machine;
    const struct {
        const char *name;
        double seconds;
    } levels[] = {{"L1", m->l1d.latency_s.value},
                  {"L2", m->l2.latency_s.value},
                  {"L3", m->l3.latency_s.value},
                  {"memory", m->memory_latency_s.value}};
    const double times = m->memory_latency_s.value / m->l2.latency_s.value;
    char text[256], number[W_FIGURE_TEXT];
    size_t n = 0;

    for (size_t i = 0; i < W_COUNTOF(levels); i++)
        if (levels[i].seconds > 0)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s %s %s", n ? "," : "",
                                  levels[i].name,
                                  w_figure_brief(number, W_UNIT_COUNT, 1e9 * levels[i].seconds));
    if (n > 0 && isfinite(times) && times > 0)
        say(p, "A load in ns:%s, %s times that of L2.", text,
            w_figure_brief(number, W_UNIT_COUNT, times));
    else if (n > 0)
        say(p, "A load in ns:%s.", text);
}

/* ---- the legend ---- */

static void write_legend(const struct page *p)
{
    size_t far = 0, outside = 0, vocabularies = 0;
    char time[W_FIGURE_TEXT], text[1536];
    size_t n = 0;

    for (size_t i = 0; i < p->r->count; i++) {
        const struct w_fit *fit = &p->r->fits[i];
        far += w_hints_rate_is_far(fit);
        outside += w_recipe_outside(&fit->conf);
        vocabularies += fit->conf.vocab_size != p->r->fits[0].conf.vocab_size;
    }
    brief(time, p->r->fits, "budget.time");
#define ADD(...) (n += (size_t)snprintf(text + n, sizeof text - n, __VA_ARGS__))
    ADD("params: parameters. memory: of a step. ");
    if (p->rated)
        ADD("+-: nine of ten runs. file, all: time. text, %s: ", time);
    else
        ADD("work: arithmetic of a token. text: ");
    ADD("bits/byte of unseen English then, by a scaling law with its learning rate");
    if (far)
        ADD(" (%zu here are far from it)", far);
    if (outside)
        ADD(", a guess for %zu outside its runs", outside);
    if (vocabularies)
        ADD(". Vocabularies differ: a smaller one makes more tokens of a text");
    ADD(".");
#undef ADD
    if (p->markdown) {
        fprintf(p->f, "\n%s\n\n", text);
        return;
    }
    fputc('\n', p->f);
    w_wrap(p->f, text, 0, 0);
    fputs(p->r->all ? "\n\n" : "\n", p->f);
}

enum w_status write_first(FILE *f, const struct report *r, bool markdown, struct w_err *err)
{
    const struct page p = {f, r, markdown, !isnan(w_fit_value(&r->fits[0], "tok_s"))};
    char time[W_FIGURE_TEXT];
    const struct table table = {
        .width = W_WRAP_COLUMNS,
        .columns = {{"params", "params", .brief = true},
                    {"memory", "memory.plan", .brief = true},
                    {"tok/s", "tok_s", .brief = true},
                    {"+-", "time.interval", .brief = true},
                    {"file", "time.file", .brief = true},
                    {"all", "time.total", .brief = true},
                    {"text", "predict.bits", .brief = true},
                    {p.rated ? brief(time, r->fits, "budget.time") : "work",
                     p.rated ? "budget.bits" : "flops.train_causal", !p.rated, true}},
    };

    write_question(&p);
    enum w_status status = write_table(f, &table, r, markdown, err);
    if (status)
        return status;
    say_too_large(&p);
    if (best_of(r, "predict.bits", false)) {
        if (p.rated)
            say_best_in_time(&p);
        else
            status = say_best_at_rates(&p, err);
        say_best_for_text(&p);
        say_wasteful(&p);
        if (p.rated)
            status = say_speedup(&p, err);
        say_cache(&p);
        say_loads(&p);
    }
    write_legend(&p);
    return status;
}
