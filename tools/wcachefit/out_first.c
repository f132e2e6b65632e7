/* The first screen of a comparison: which configuration is best for this text and this time, what
 * half of the time gives, what is wasteful, and why. Every number in a sentence is a figure. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "fit/scaling_law.h"
#include "tools/wcachefit/hints.h"
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
    char files[W_FIGURE_TEXT], tokens[W_FIGURE_TEXT], each[W_FIGURE_TEXT];

    if (p->markdown)
        fputs("## Which One\n\n", p->f);
    say(p, "Machine: %.40s, %u threads, %s, %scalibrated", m->name, p->r->threads,
        w_compute_type_name(p->r->type), calibrated ? "" : "not ");
    say(p, "Text: %s tokens, %s files of %s (--files, --tokens)", w_fit_text(tokens, fit, "tokens"),
        w_figure_text(files, W_UNIT_COUNT, number), w_fit_text(each, fit, "file.tokens"));
    fputc('\n', p->f);
}

/* ---- the answer ---- */

static void say_best_for_text(const struct page *p)
{
    const struct w_fit *best = best_of(p->r, "predict.bits", false);
    char name[NAME], bits[W_FIGURE_TEXT], time[W_FIGURE_TEXT];

    brief(bits, best, "predict.bits");
    if (p->rated)
        say(p, "Best for this text: %s, %s bits/byte after %s.", name_of(name, p, best), bits,
            brief(time, best, "time.total"));
    else
        say(p,
            "Best for this text: %s, %s bits/byte. In what time, wcachefit calibrate would tell, "
            "which measures this machine in 15 seconds; for a target, --peak or --rate.",
            name_of(name, p, best), bits);
}

static void per_parameter(char text[W_FIGURE_TEXT], const struct w_fit *fit)
{
    w_figure_brief(text, W_UNIT_COUNT,
                   w_fit_value(fit, "budget.tokens") / w_fit_value(fit, "params"));
}

/* In the time, and why; half of it, or of the arithmetic. */
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
            "Best in %s: %s, %s bits/byte: no other has more arithmetic, and the time is enough "
            "for %s tokens a parameter.",
            time, name_of(name, p, best), bits, each);
    else
        say(p,
            "Best in %s: %s, %s bits/byte: with %.2g of the arithmetic a token it has time for %s "
            "tokens a parameter, %s for %s.",
            time, name_of(name, p, best), bits, ratio(best, base, "flops.train_causal"), each,
            name_of(other, p, base), base_each);
    w_figure_brief(time, W_UNIT_SECONDS, w_fit_value(half, "budget.time") / 2);
    say(p, "Half of the time, %s: %s%s, %s bits/byte, %.3f more.", time, name_of(name, p, half),
        half == best ? " too" : "", brief(bits, half, "budget.half.bits"),
        w_fit_value(half, "budget.half.bits") - w_fit_value(best, "budget.bits"));
}

/* Without rates: the best of those that take at most half of the arithmetic of the best. */
static void say_half_work(const struct page *p)
{
    const struct w_fit *best = best_of(p->r, "predict.bits", false), *half = NULL;
    char name[NAME], bits[W_FIGURE_TEXT];

    for (size_t i = 0; i < p->r->count; i++) {
        const struct w_fit *fit = &p->r->fits[i];
        if (w_fit_value(fit, "memory.share") > 1 || ratio(fit, best, "flops.train_causal") > 0.5)
            continue;
        if (!half || ratio(fit, half, "predict.bits") < 1)
            half = fit;
    }
    const struct w_fit *least = half ? half : best_of(p->r, "flops.train_causal", false);
    if (least == best)
        say(p, "Half of its time: none; it takes the least arithmetic of all.");
    else
        say(p, "Half of its time%s: %s, %s bits/byte with %.2g of the arithmetic.",
            half ? "" : ", nearly", name_of(name, p, least), brief(bits, least, "predict.bits"),
            ratio(least, best, "flops.train_causal"));
}

/* Of what costs more than the best for the text and learns less, the most expensive. */
static void say_wasteful(const struct page *p)
{
    const struct w_fit *best = best_of(p->r, "predict.bits", false);
    const struct w_fit *worst = best_of(p->r, cost(p), true);
    const double times = ratio(worst, best, cost(p)),
                 behind = w_fit_value(worst, "predict.bits") - w_fit_value(best, "predict.bits"),
                 each = w_fit_value(worst, "tokens_per_param");
    char name[NAME], other[NAME], why[160], params[W_FIGURE_TEXT];

    if (times <= 1) {
        say(p, "Wasteful: none; what takes longer learns more from this text.");
        return;
    }
    if (each < W_MIN(w_fit_value(best, "tokens_per_param"), W_TOKENS_ENOUGH))
        snprintf(why, sizeof why,
                 "%.2g tokens for each of its %s parameters, and about %.0f are of use", each,
                 brief(params, worst, "params"), W_TOKENS_ENOUGH);
    else
        snprintf(why, sizeof why, "its tokens take %.2g times the arithmetic",
                 ratio(worst, best, "flops.train_causal"));
    say(p, "Wasteful: %s takes %.2g times the %s of %s and ends %.3f bits/byte behind: %s.",
        name_of(name, p, worst), times, p->rated ? "time" : "arithmetic", name_of(other, p, best),
        behind, why);
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
    ADD("params: parameters. memory: of a training step. ");
    if (p->rated)
        ADD("tok/s: tokens trained on in a second; +-: nine of ten runs are so near. file, all: "
            "time for a file, for the text. text, %s: bits/byte of other English expected after "
            "the text, after %s;",
            time, time);
    else
        ADD("text: bits/byte of other English expected after the text; work: arithmetic of a "
            "token;");
    ADD(" less is better. By a scaling law with its learning rate");
    if (far)
        ADD(" (far from that of %zu here)", far);
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
    fputs(p->r->all ? "\n" : "\nMore: --all shows every table, --explain=FIGURE its formula.\n",
          p->f);
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
        say_best_for_text(&p);
        if (p.rated)
            say_best_in_time(&p);
        else
            say_half_work(&p);
        say_wasteful(&p);
    }
    write_legend(&p);
    return W_DONE;
}
