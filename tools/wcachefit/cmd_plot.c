/* wcachefit plot: the numbers of the charts. chart.h draws them. */
#include <math.h>

#include "sys/peers.h"
#include "tools/wcachefit/chart.h"
#include "tools/wcachefit/commands.h"
#include "tools/wcachefit/hints.h"

#define ROOFLINE_CONFIGS 4 /* more would be too many points to read */

enum { AS_SVG = AS_JSON + 1, AS_TSV }; /* of --format */
enum { ROOFLINE, MEMORY, LATENCY, THREADS, RANKS };
static const struct w_option chart_operand = {.type = W_OPT_CHOICE,
                                              .choices = "roofline|memory|latency|threads|ranks"};

static const struct w_option options[] = {
    {"format", 0, W_OPT_CHOICE, AT(format), .arg = "FORMAT", .dflt = "text",
     .choices = "text|json|svg|tsv",
     .help = "A drawing in characters; the numbers as JSON; SVG; the numbers as lines."},
    {JSON_OPTION("The same as --format json.")},
    MACHINE_OPTIONS,
    {CALIBRATION_OPTION},
    {NETWORK_OPTION("For ranks, what connects them: ")},
    {SPREAD_OPTION},
    {SET_OPTION},
    {OUTPUT_OPTION},
    {0},
};

static const char *const examples[] = {
    "What bounds each phase of a step",
    "wcachefit plot roofline configs/autoregressive_fast.json",
    "The bandwidth of this machine's memory, as a picture",
    "wcachefit plot memory --format svg -o memory.svg",
    "How far a training scales over a network",
    "wcachefit plot ranks --network 10GbE configs/wiki_gpu_optimized.json",
    NULL,
};

/* ---- memory: against the working set, with the sizes of the caches ---- */

static void mark_caches(struct w_chart *chart, const struct w_calibration *c)
{
    static const char *const names[] = {"L1", "L2", "L3"};
    char size[W_FIGURE_TEXT], label[96];

    for (u32 i = 0; i < W_CALIBRATION_LEVELS; i++) {
        const double claimed = (double)c->claimed[i];
        snprintf(label, sizeof label, "%s measured, %s", names[i],
                 w_figure_text(size, W_UNIT_BYTES, c->capacity[i]));
        w_chart_mark(chart, c->capacity[i], label);
        snprintf(label, sizeof label, "%s claimed, %s", names[i],
                 w_figure_text(size, W_UNIT_BYTES, claimed));
        w_chart_mark(chart, claimed, label);
    }
}

static void add_curve(struct w_chart *chart, const char *name, const struct w_curve *c)
{
    struct w_series *s = w_chart_series(chart, name, W_SERIES_LINE);

    for (u32 i = 0; i < c->count; i++)
        w_series_point(s, (double)c->points[i].bytes, c->points[i].value, NULL);
}

static void chart_memory(struct w_chart *chart, const struct report *r)
{
    *chart = (struct w_chart){.x = {"working set of a thread", W_UNIT_BYTES},
                              .y = {"read bandwidth", W_UNIT_BYTES_S}};
    snprintf(chart->title, sizeof chart->title, "Memory bandwidth of %.80s", r->machine.name);
    add_curve(chart, "one thread", &r->calibration->bandwidth_one);
    add_curve(chart, "all threads together", &r->calibration->bandwidth_all);
    mark_caches(chart, r->calibration);
}

static void chart_latency(struct w_chart *chart, const struct report *r)
{
    *chart = (struct w_chart){.x = {"working set", W_UNIT_BYTES},
                              .y = {"latency of an access", W_UNIT_SECONDS}};
    snprintf(chart->title, sizeof chart->title, "Memory latency of %.80s", r->machine.name);
    add_curve(chart, "latency", &r->calibration->latency);
    mark_caches(chart, r->calibration);
}

/* ---- roofline (Williams, Waterman and Patterson, 2009): each phase of the step is a point ---- */

static void add_roof(struct w_chart *chart, const char *name, double bytes_s, double peak,
                     double x0, double x1)
{
    struct w_series *s = w_chart_series(chart, name, W_SERIES_LINE);
    double ridge = peak / bytes_s;

    w_series_point(s, x0, fmin(peak, x0 * bytes_s), NULL);
    if (ridge > x0 && ridge < x1)
        w_series_point(s, ridge, peak, NULL);
    w_series_point(s, x1, fmin(peak, x1 * bytes_s), NULL);
}

static void chart_roofline(struct w_chart *chart, const struct report *r)
{
    const struct w_calibration *c = r->calibration;
    const struct w_curve *all = &c->bandwidth_all;
    double x0 = 0.05, x1 = 500, l2 = c->capacity[1] > 0 ? c->capacity[1] : 256 << 10;

    *chart = (struct w_chart){.x = {"FLOP per byte moved", W_UNIT_INTENSITY},
                              .y = {"arithmetic", W_UNIT_FLOP_S}};
    snprintf(chart->title, sizeof chart->title, "Roofline of %.80s, %u threads", r->machine.name,
             (unsigned)c->threads);
    add_roof(chart, "L1", w_curve_at(all, 8192), c->peak[r->type].all, x0, x1);
    add_roof(chart, "L2", w_curve_at(all, l2 / 2), c->peak[r->type].all, x0, x1);
    add_roof(chart, "memory", w_curve_at(all, 1e12), c->peak[r->type].all, x0, x1);
    for (size_t i = 0; i < r->count; i++) {
        const struct w_fit *fit = &r->fits[i];
        struct w_series *s = w_chart_series(chart, fit->conf.name, W_SERIES_POINT);
        for (u32 phase = 0; phase < W_PHASES; phase++) {
            const double flops = w_fit_phase_value(fit, "work", phase);
            if (flops > 0)
                w_series_point(s, flops / w_fit_phase_value(fit, "traffic", phase),
                               w_fit_phase_value(fit, "reach", phase), w_phases[phase].key);
        }
    }
}

/* ---- threads ---- */

static enum w_status chart_threads(struct w_chart *chart, const struct report *r, struct w_err *err)
{
    static struct w_fit fit;
    const u64 most = (u64)W_MAX(r->threads, r->calibration->threads) * 2;

    *chart = (struct w_chart){.x = {"threads", W_UNIT_COUNT},
                              .y = {"predicted tokens per second", W_UNIT_TOKENS_S}};
    snprintf(chart->title, sizeof chart->title, "Threads on %.80s, measured with 1 and %u",
             r->machine.name, (unsigned)r->calibration->threads);
    for (size_t i = 0; i < r->count; i++) {
        struct w_series *s = w_chart_series(chart, r->confs[i].name, W_SERIES_LINE);
        for (u64 threads = 1; threads <= most; threads += W_MAX(most / 32, 1)) {
            struct w_fit_ask ask = report_ask(r);
            ask.threads = threads;
            enum w_status status = w_fit_make(&fit, &r->confs[i], &r->machine, &ask, err);
            if (status)
                return status;
            w_series_point(s, (double)threads, w_fit_value(&fit, "predict.tok_s"), NULL);
        }
    }
    return W_DONE;
}

/* ---- ranks: each with the batches of the configuration's step, so that steps grow with them
 * ---- */

static enum w_status add_ranks(struct w_series *s, const struct report *r, const struct w_fit *one,
                               struct w_fit_ask *ask, struct w_err *err)
{
    static struct w_fit fit;
    char hint[W_HINT_RANKS];
    double before = 0;
    enum w_status status = W_DONE;

    for (ask->ranks = 1; ask->ranks <= W_PEERS_MAX && !status; ask->ranks *= 2) {
        const double ranks = (double)ask->ranks;
        struct w_conf conf = one->conf;
        conf.accumulate *= ask->ranks;
        conf.max_ranks = W_PEERS_MAX;
        status = w_fit_make(&fit, &conf, &r->machine, ask, err);
        if (status)
            break;
        const double choice = w_fit_value(&fit, "ranks.choice");
        const double one_tok_s = w_fit_value(one, "tok_s");
        w_series_point(s, ranks, w_fit_value(&fit, "ranks.tok_s") / (ranks * one_tok_s),
                       choice > before || choice < before ? w_hints_ranks(hint, &fit) : NULL);
        before = choice;
    }
    return status;
}

static enum w_status chart_ranks(struct w_chart *chart, const struct report *r,
                                 const struct settings *set, struct w_err *err)
{
    enum w_status status =
        set->network ? W_DONE
                     : w_fail(err, W_USAGE, "ranks need --network: " W_NETWORK_NAMES ", or a file");

    *chart = (struct w_chart){.x = {"ranks", W_UNIT_COUNT},
                              .y = {"part of so many times the rate of one", W_UNIT_PART}};
    if (!status)
        snprintf(chart->title, sizeof chart->title,
                 "Ranks over %.80s, each with the batches of a step", set->network);
    for (size_t i = 0; i < r->count && !status; i++) {
        struct w_series *s = w_chart_series(chart, r->confs[i].name, W_SERIES_LINE);
        struct w_fit_ask ask = report_ask(r);
        status = ask_network(&ask, set, err);
        if (!status)
            status = add_ranks(s, r, &r->fits[i], &ask, err);
    }
    return status;
}

/* ---- the whole ---- */

static enum w_status draw(FILE *f, const struct report *r, u32 kind, const struct settings *set,
                          struct w_err *err)
{
    static struct w_chart chart;
    enum w_status status = W_DONE;

    switch (kind) {
    case MEMORY: chart_memory(&chart, r); break;
    case LATENCY: chart_latency(&chart, r); break;
    case ROOFLINE: chart_roofline(&chart, r); break;
    case THREADS: status = chart_threads(&chart, r, err); break;
    case RANKS: status = chart_ranks(&chart, r, set, err); break;
    }
    if (status)
        return status;
    switch (set->format) {
    case AS_TEXT: w_chart_text(f, &chart); break;
    case AS_SVG: w_chart_svg(f, &chart); break;
    case AS_TSV: w_chart_tsv(f, &chart); break;
    case AS_JSON: status = write_tree(f, w_chart_json(&chart), err); break;
    }
    return status;
}

/* Charts of memory and latency show the machine alone, however many configurations are named. */
static enum w_status check_count(u32 chart, size_t count, struct w_err *err)
{
    static const size_t limits[] = {[ROOFLINE] = ROOFLINE_CONFIGS,
                                    [MEMORY] = SIZE_MAX,
                                    [LATENCY] = SIZE_MAX,
                                    [THREADS] = W_CHART_SERIES,
                                    [RANKS] = W_CHART_SERIES};
    const size_t limit = limits[chart];

    if (count == 0 && limit < SIZE_MAX)
        return w_fail(err, W_USAGE, "name a configuration to draw a chart of");
    if (count > limit)
        return w_fail(err, W_USAGE, "this chart shows at most %zu configurations, not %zu", limit,
                      count);
    return W_DONE;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct report r = {0};
    u32 chart = 0;
    enum w_status status = choose_format(set, err);

    if (!status && argc == 0)
        status = w_fail(err, W_USAGE, "name a chart: %s", chart_operand.choices);
    if (!status)
        status = w_option_set(&chart_operand, &chart, argv[0], err);
    if (!status)
        status = check_count(chart, (size_t)argc - 1, err);
    if (!status)
        status = report_open(&r, set, argc - 1, argv + 1, err);
    if (!status && !r.calibration)
        status = w_fail(err, W_USAGE, "charts need a calibration: wcachefit calibrate");
    struct w_fit_ask ask = report_ask(&r);
    for (size_t i = 0; i < r.count && !status; i++)
        status = report_fit(&r, i, &ask, err);
    if (!status)
        status = draw(r.text.file, &r, chart, set, err);
    return report_close(&r, set, status, err);
}

const struct w_program plot_command = {
    .name = "wcachefit plot",
    .summary = "draw what was measured and what is predicted",
    .operands = "roofline|memory|latency|threads|ranks [CONFIG.json ...]",
    .about = "The phases of a step under the roofs of arithmetic and memory; bandwidth or latency "
             "against the working set, with the sizes of the caches; predicted rates against "
             "threads, and against ranks over a network. Needs a calibration of the machine.",
    .options = options,
    .examples = examples,
    .settings_bytes = sizeof(struct settings),
    .run = run,
};
