/* wcachefit report: the figures of configurations on a machine. */
#include "base/strnum.h"
#include "fit/runlog.h"
#include "net/gradient_tree.h"
#include "tools/wcachefit/commands.h"

#define TOKENS_PER_FILE "100.8k" /* 56 tokens a second for 50 hours over 100 files */
#define FILES 100

enum { AS_MARKDOWN = AS_JSON + 1, AS_TSV }; /* of --format */

static const struct w_option options[] = {
    {"format", 0, W_OPT_CHOICE, AT(format), .arg = "FORMAT", .dflt = "text",
     .choices = "text|json|md|tsv",
     .help = "Text; one JSON object with the machine, the figures by their names and the verdicts; "
             "the comparison as a Markdown document; or a line for each figure: configuration, "
             "figure, value, unit, source."},
    {JSON_OPTION("The same as --format json.")},
    {"explain", 0, W_OPT_TEXT, AT(explain), .arg = "[=FIGURE]", .optional = true,
     .help = "Show formula, numbers and source of a figure, with all whose names begin with it and "
             "a dot; or of all figures."},
    {"all", 0, W_OPT_FLAG, AT(all),
     .help =
         "Of several configurations every table, not only the first: caches, memory, phases of a "
         "step, arithmetic, generation."},
    {"buffers", 0, W_OPT_FLAG, AT(buffers),
     .help = "List the memory of a step buffer by buffer, as wtrain allocates it."},
    MACHINE_OPTIONS,
    MEMORY_OPTIONS,
    RATE_OPTIONS,
    {SET_OPTION},
    {REQUIRE_OPTION},
    {"tokens", 'n', W_OPT_COUNT, AT(tokens), .arg = "N", .help = "Tokens to train on."},
    {TEXT_TOKENS_OPTION},
    {"files", 0, W_OPT_COUNT, AT(files), .arg = "N",
     .help = "The same, as a number of files of --tokens-per-file tokens. Where nothing says how "
             "many tokens, of several configurations always, it is 100 files."},
    {"tokens-per-file", 0, W_OPT_COUNT, AT(tokens_per_file), .arg = "N", .dflt = TOKENS_PER_FILE,
     .help = "Tokens of one file of text."},
    {"time", 0, W_OPT_DURATION, AT(time_s), .arg = "DURATION", .dflt = "1h",
     .help =
         "Time of training to judge configurations by: the text is read as often as it allows."},
    {"val-tokens", 0, W_OPT_COUNT, AT(val_tokens), .arg = "N",
     .help = "Tokens of the validation batches: the time of evaluations is added."},
    {"val-every", 0, W_OPT_COUNT, AT(val_every), .arg = "N",
     .help = "Evaluate every N steps, and at the end."},
    {"every", 0, W_OPT_DURATION, AT(every_s), .arg = "DURATION", .dflt = "10m",
     .help = "Time between checkpoints; 0: none by time."},
    {"bytes-per-token", 0, W_OPT_REAL, AT(bytes_per_token), .arg = "X", .max = 1e6,
     .help = "Bytes of text per token, which wtok info prints; for times and bits per byte."},
    {"rate", 0, W_OPT_LIST, AT(rate), .arg = "N",
     .help = "Training rate in tokens a second: one for all configurations, or one for each in "
             "their order; also as a list with commas."},
    {"gflops", 0, W_OPT_REAL, AT(gflops), .arg = "X", .max = 1e12,
     .help = "Training rate in 10^9 FLOP a second, as wtrain shows it."},
    {"log", 0, W_OPT_LIST, AT(log), .arg = "FILE",
     .help = "Training rate from a log of wtrain, the median of its steps; once for each "
             "configuration."},
    {NETWORK_OPTION("Predict what several ranks of wtrain do on machines like this one that this "
                    "network connects: ")},
    {SPREAD_OPTION},
    {"ranks", 0, W_OPT_COUNT, AT(ranks), .arg = "N", .max = 1024,
     .help = "So many ranks, a power of two. Default: in a report all numbers that can share out a "
             "step, in figures the largest."},
    {OUTPUT_OPTION},
    {0},
};

static const char *const examples[] = {
    "Does it fit this machine",
    "wcachefit configs/wiki_cache_optimized.json",
    "Which one for a text of 24 million tokens, and for two hours",
    "wcachefit --tokens 24M --time 2h configs/wiki*.json",
    "Compare configurations, as a document",
    "wcachefit --format md configs/*.json -o comparison.md",
    "For another machine: the hours of 100 files at 500 tokens a second",
    "wcachefit --target seed-host --files 100 --rate 500 configs/wiki_cache_optimized.json",
    "A condition for make",
    "wcachefit --require 'ram<=80%,params<=30M' --json -o small.fit "
    "configs/autoregressive_fast.json",
    "Where a figure comes from",
    "wcachefit --explain=memory configs/autoregressive_fast.json",
    "What four machines would make of it",
    "wcachefit --network 10GbE --ranks 4 --set accumulate=8 --set batch_size=4 "
    "configs/wiki_cache_optimized.json",
    "Half the batch, without editing the file",
    "wcachefit --set batch_size=32 configs/wiki_gpu_optimized.json",
    NULL,
};

/* W_USAGE: options of which one would be ignored; an unknown figure. */
static enum w_status check_options(struct settings *set, const struct report *r, struct w_err *err)
{
    enum w_status status = choose_format(set, err);
    const bool figures = set->format == AS_TEXT || set->format == AS_JSON;

    if (status)
        return status;
    if (set->explain && !figures)
        return w_fail(err, W_USAGE, "--explain is for text and JSON: choose one");
    if (set->buffers && (!figures || (set->explain && set->format == AS_TEXT)))
        return w_fail(err, W_USAGE, "--buffers belongs to a report or to its JSON: choose one");
    if (set->ranks && !set->network)
        return w_fail(err, W_USAGE,
                      "--ranks needs --network: one of " W_NETWORK_NAMES ", or a file");
    if (set->time_s <= 0)
        return w_fail(err, W_USAGE, "--time: in no time nothing is learned: give some, like 1h");
    if (!set->explain)
        return W_DONE;
    for (int row = 0; w_figures[row].key; row++)
        if (report_explains(r, row))
            return W_DONE;
    const char *near = w_figure_suggest(set->explain);
    return w_fail(err, W_USAGE, "--explain: unknown figure '%.60s'%s%s%s", set->explain,
                  near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
}

/* ---- the figures ---- */

/* The rate of configuration `index` of `count`: the index-th number of all lists, or the only
 * one. */
static enum w_status rate_of(const struct w_text_list *rates, size_t index, size_t count,
                             double *rate, struct w_err *err)
{
    size_t numbers = 0;

    for (size_t i = 0; i < rates->count; i++)
        for (const char *p = rates->items[i];; p += strcspn(p, ",") + 1) {
            char text[64];
            double value;
            snprintf(text, sizeof text, "%.*s", (int)W_MIN(strcspn(p, ","), 63), p);
            enum w_status status = w_parse_real(text, 1e-9, 1e15, &value, err);
            if (status)
                return w_fail_at(err, status, "--rate");
            if (numbers == index || numbers == 0)
                *rate = value;
            numbers++;
            if (!p[strcspn(p, ",")])
                break;
        }
    if (numbers > 1 && numbers != count)
        return w_fail(err, W_USAGE,
                      "--rate has %zu numbers for %zu configurations: give one, or one for each",
                      numbers, count);
    return W_DONE;
}

/* As many as somebody says: of one configuration its own steps, too. Several have one text. 0:
 * those of the configuration. */
static double tokens_for(const struct settings *set, size_t count, u64 steps)
{
    const double each = (double)set->tokens_per_file;

    if (set->tokens || set->files)
        return set->tokens ? (double)set->tokens : (double)set->files * each;
    if (count == 1 && steps)
        return 0;
    return set->text_tokens ? (double)set->text_tokens : FILES * each;
}

static enum w_status ask_for(struct w_fit_ask *ask, const struct settings *set, size_t index,
                             size_t count, u64 steps, struct w_err *err)
{
    enum w_status status = W_DONE;

    if ((set->rate.count > 0) + (set->log.count > 0) + (set->gflops > 0) > 1)
        return w_fail(err, W_USAGE, "--rate, --gflops and --log are three rates: choose one");
    if (set->tokens && set->files)
        return w_fail(err, W_USAGE, "--tokens and --files say the same: choose one");
    ask->eval_tokens = (double)set->val_tokens;
    ask->text_tokens = (double)set->text_tokens;
    ask->eval_every = (double)set->val_every;
    ask->ckpt_every_s = set->every_s;
    ask->tokens_per_file = (double)set->tokens_per_file;
    ask->tokens = tokens_for(set, count, steps);
    ask->budget_s = set->time_s;
    ask->bytes_per_token = set->bytes_per_token;
    if (set->rate.count) {
        status = rate_of(&set->rate, index, count, &ask->tok_s, err);
        ask->tok_s_source = "user";
    } else if (set->log.count) {
        struct w_runlog log;
        if (set->log.count != count)
            return w_fail(err, W_USAGE,
                          "--log is given %zu times for %zu configurations: give one for each",
                          set->log.count, count);
        status = w_runlog_read(&log, set->log.items[index], err);
        ask->tok_s = log.tok_s;
        ask->loss = log.loss;
        ask->tok_s_source = "log";
    }
    return status;
}

static enum w_status ask_ranks(struct w_fit_ask *ask, const struct settings *set,
                               const struct w_conf *conf, struct w_err *err)
{
    const u32 most = w_gradient_ranks(conf);

    ask->ranks = set->ranks ? set->ranks : most;
    if (ask->ranks & (ask->ranks - 1))
        return w_fail(err, W_USAGE, "--ranks %llu: has to be a power of two",
                      (unsigned long long)ask->ranks);
    if (ask->ranks > most)
        return w_fail(err, W_USAGE,
                      "%s: %llu ranks cannot share out a step of %llu batches, %u can: accumulate "
                      "has to be a multiple of the ranks, and max_ranks no less",
                      conf->name, (unsigned long long)ask->ranks,
                      (unsigned long long)conf->accumulate, most);
    return ask_network(ask, set, err);
}

static enum w_status make_fits(struct report *r, const struct settings *set, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (size_t i = 0; i < r->count && !status; i++) {
        struct w_fit_ask ask = report_ask(r);
        status = ask_for(&ask, set, i, r->count, r->confs[i].steps, err);
        if (!status && set->network)
            status = ask_ranks(&ask, set, &r->confs[i], err);
        if (!status)
            status = report_fit(r, i, &ask, err);
        if (!status && set->gflops > 0) {
            ask.tok_s = set->gflops * 1e9 / w_fit_value(&r->fits[i], "flops.train_causal");
            ask.tok_s_source = "user, as GFLOP/s";
            status = report_fit(r, i, &ask, err);
        }
    }
    return status;
}

/* ---- the answer ---- */

static enum w_status write_answer(FILE *f, const struct report *r, u32 format, struct w_err *err)
{
    switch (format) {
    case AS_JSON: return write_json(f, r, err);
    case AS_MARKDOWN: return write_markdown(f, r, err);
    case AS_TSV: write_tsv(f, r); return W_DONE;
    }
    if (!r->explain)
        return write_text(f, r, err);
    write_explained(f, r);
    return W_DONE;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct report r = {.explain = set->explain,
                       .buffers = set->buffers,
                       .all = set->all,
                       .ranks = set->ranks,
                       .network = set->network};
    enum w_status status = check_options(set, &r, err);

    if (!status && argc == 0)
        status = w_fail(err, W_USAGE, "name a configuration (or see wcachefit --help)");
    if (!status)
        status = report_open(&r, set, argc, argv, err);
    if (!status)
        status = make_fits(&r, set, err);
    /* Who asks whether requirements hold wants to know that, and no report. */
    const bool alone = set->require.count && set->format == AS_TEXT && !set->all && !set->explain;
    if (!status && !alone)
        status = write_answer(r.text.file, &r, set->format, err);
    if (!status)
        status = check_requirements(&r, set, alone ? r.text.file : NULL, err);
    return report_close(&r, set, status, err);
}

const struct w_program report_command = {
    .name = "wcachefit report",
    .summary = "what configurations need of a machine, and how fast they train",
    .operands = "CONFIG.json ...",
    .about = "One configuration gives a report, several a table that says which is best for a text "
             "and a time, and why. The memory of a step is the "
             "trainer's own plan. Rates are predicted from a calibration of the machine, or "
             "given, or read from a log.",
    .options = options,
    .examples = examples,
    .settings_bytes = sizeof(struct settings),
    .run = run,
};
