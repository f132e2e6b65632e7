/* wcachefit: which options do not go together. */
#include "tools/wcachefit/report.h"

/* Where one of two would be ignored, both are refused. */
static enum w_status check_pairs(const struct settings *set, struct w_err *err)
{
    const bool plot = set->plot != PLOT_NONE, verify = set->verify.count > 0;
    const bool other = set->host || plot || set->fit || set->search || verify;
    const struct {
        bool both;
        const char *text;
    } rows[] = {
        {set->svg && (set->json || set->tsv), "--svg draws, --json and --tsv are its numbers"},
        {set->markdown && (other || set->explain), "--md is a comparison of configurations alone"},
        {set->tsv && ((other && !plot) || set->explain), "--tsv is for figures and for --plot"},
        {set->explain && other, "--explain shows figures of configurations alone"},
        {set->buffers && (other || set->markdown || set->tsv || (set->explain && !set->json)),
         "--buffers belongs to a report or to its --json"},
    };

    for (size_t i = 0; i < W_COUNTOF(rows); i++)
        if (rows[i].both)
            return w_fail(err, W_USAGE, "%s: choose one", rows[i].text);
    return W_DONE;
}

enum w_status check_usage(const struct settings *set, const struct report *r, int operands,
                          struct w_err *err)
{
    if (set->json + set->markdown + set->tsv > 1)
        return w_fail(err, W_USAGE, "--json, --md and --tsv are three outputs: choose one");
    if ((set->rate.count > 0) + (set->log.count > 0) + (set->gflops > 0) > 1)
        return w_fail(err, W_USAGE, "--rate, --gflops and --log are three rates: choose one");
    if (set->tokens && set->files)
        return w_fail(err, W_USAGE, "--tokens and --files say the same: choose one");
    if (set->verify.count && operands > 0)
        return w_fail(err, W_USAGE, "--verify takes the configuration from the log");
    if (!set->verify.count && (set->learn || set->tolerance))
        return w_fail(err, W_USAGE, "--learn and --tolerance belong to --verify LOG");
    if (set->search ? operands > 1 || set->time_s <= 0 : set->time_s > 0)
        return w_fail(err, W_USAGE,
                      "--search and --time DURATION belong together, with at most "
                      "one configuration");
    if (set->host + set->fit + set->search + (set->verify.count > 0) + (set->plot != PLOT_NONE) > 1)
        return w_fail(err, W_USAGE, "--host, --fit, --search, --verify and --plot: choose one");
    bool curves = set->plot == PLOT_MEMORY || set->plot == PLOT_LATENCY;
    if (set->svg && set->plot == PLOT_NONE)
        return w_fail(err, W_USAGE, "--svg says how --plot CHART is drawn");
    bool alone = curves || set->calibrate || set->verify.count || set->search;
    if (set->host ? operands > 0 : operands == 0 && !alone)
        return w_fail(err, W_USAGE,
                      set->host ? "--host takes no configuration"
                                : "name a configuration (or --host, or --calibrate)");
    if (set->require.count && operands == 0 && !set->search)
        return w_fail(err, W_USAGE, "--require judges configurations: name one");
    if (set->calibrate && (set->target || set->calibration || set->no_calibration))
        return w_fail(err, W_USAGE,
                      "--calibrate measures this machine: not with --target, --calibration or "
                      "--no-calibration");
    if (set->explain && *set->explain && w_figure_find(set->explain) < 0) {
        bool prefix = false;
        for (int row = 0; w_figures[row].key; row++)
            prefix |= report_explains(r, row);
        const char *near = prefix ? NULL : w_figure_suggest(set->explain);
        if (!prefix)
            return w_fail(err, W_USAGE, "--explain: unknown figure '%.60s'%s%s%s", set->explain,
                          near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
    }
    return check_pairs(set, err);
}
