/* wcachefit: what a configuration needs of a machine, before hours are spent on it. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit/require.h"
#include "fit/runlog.h"
#include "bench/target.h"
#include "base/strnum.h"
#include "sys/fdio.h"
#include "sys/text_file.h"
#include "tools/cli.h"
#include "tools/wcachefit/report.h"

#define TOKENS_PER_FILE "100.8k" /* 56 tokens a second for 50 hours over 100 files */

#define FIELD(name) offsetof(struct settings, name)
static const struct w_option options[] = {
    {"json", 0, W_OPT_FLAG, FIELD(json),
     .help = "Write one JSON object: machine, figures by their names, verdicts."},
    {"md", 0, W_OPT_FLAG, FIELD(markdown), .help = "Write the comparison as a Markdown document."},
    {"tsv", 0, W_OPT_FLAG, FIELD(tsv),
     .help = "Write a line for each figure: configuration, figure, value, unit, source."},
    {"explain", 0, W_OPT_TEXT, FIELD(explain), .arg = "[=FIGURE]", .optional = true,
     .help =
         "Show formula, numbers and source of a figure and of those below its name, or of all."},
    {"plot", 0, W_OPT_CHOICE, FIELD(plot), .arg = "CHART", .dflt = "none",
     .choices = "none|roofline|memory|latency|threads",
     .help = "Draw: the parts of a step under the roofs of arithmetic and memory; bandwidth or "
             "latency against the working set, with the sizes of the caches; predicted rates "
             "against threads. Numbers with --tsv or --json."},
    {"svg", 0, W_OPT_FLAG, FIELD(svg), .help = "Draw as SVG instead of characters."},
    {"buffers", 0, W_OPT_FLAG, FIELD(buffers),
     .help = "List the memory of a step buffer by buffer, as wtrain allocates it."},
    {"host", 0, W_OPT_FLAG, FIELD(host), .help = "Show the machine alone."},
    {"target", 0, W_OPT_TEXT, FIELD(target), .arg = "NAME|FILE",
     .help = "Judge for another machine: a known one, or the file that --host --json wrote there."},
    {"list-targets", 0, W_OPT_FLAG, FIELD(list_targets), .help = "List the known machines."},
    {"calibrate", 0, W_OPT_TEXT, FIELD(calibrate), .arg = "[=SECONDS]", .optional = true,
     .help = "Measure this machine: memory, peak, and the trainer's kernels at many shapes and at "
             "those of the configurations; kept under ~/.cache/wtools (XDG_CACHE_HOME). Takes "
             "about 15 seconds."},
    {"calibration", 0, W_OPT_TEXT, FIELD(calibration), .arg = "FILE",
     .help = "Predict from this calibration instead of the one that is kept."},
    {"no-calibration", 0, W_OPT_FLAG, FIELD(no_calibration),
     .help = "Use nothing that was measured."},
    {"verify", 0, W_OPT_LIST, FIELD(verify), .arg = "LOG",
     .help = "Compare the log of a run of wtrain with what is predicted of its configuration; exit "
             "status 1 if the rate is outside the tolerance or memory is not as planned. May be "
             "given again."},
    {"tolerance", 0, W_OPT_TEXT, FIELD(tolerance), .arg = "PART",
     .help = "How far a verified rate may be off, like 10%. Default: the prediction's interval."},
    {"learn", 0, W_OPT_FLAG, FIELD(learn),
     .help = "Keep the ratios of --verify: later predictions are corrected by them and take their "
             "interval from them."},
    {"threads", 't', W_OPT_COUNT, FIELD(threads), .arg = "N", .max = 65536,
     .help = "Worker threads. Without it: OMP_NUM_THREADS, else the cores that may be used."},
    {"precision", 0, W_OPT_CHOICE, FIELD(precision), .arg = "KIND", .dflt = "auto",
     .choices = W_PRECISION_NAMES,
     .help =
         "Operands of the matrix products, as for wtrain. auto is what wtrain would choose here, "
         "and fp32 for a target."},
    {"peak", 0, W_OPT_COUNT, FIELD(peak), .arg = "FLOPS",
     .help = "The machine's peak in the precision that is used, in FLOP a second, like 448G."},
    {"bandwidth", 0, W_OPT_COUNT, FIELD(bandwidth), .arg = "BYTES",
     .help = "Bytes a second that the memory gives, like 10G."},
    {"memory", 0, W_OPT_COUNT, FIELD(memory), .arg = "BYTES",
     .help = "Memory that a step may take, like 6GiB; without it what the machine has to give "
             "(85 % of that for --fit and --search)."},
    {"ram", 0, W_OPT_COUNT, FIELD(memory), .arg = "BYTES", .help = "The same as --memory."},
    {"fit", 0, W_OPT_FLAG, FIELD(fit),
     .help = "Find the largest batch, and the smallest change after which a configuration fits the "
             "memory, as options of wtrain."},
    {"search", 0, W_OPT_FLAG, FIELD(search),
     .help = "Write the configuration that trains the best model in --time and --ram, by the "
             "predicted rate and a law of losses; the best ones are listed on standard error. A "
             "configuration that is named gives what is not searched."},
    {"time", 0, W_OPT_DURATION, FIELD(time_s), .arg = "DURATION",
     .help = "Time of training for --search, like 5m or 4h."},
    {"set", 0, W_OPT_LIST, FIELD(set), .arg = "KEY=VALUE",
     .help = "Change a key of every configuration, like batch_size=32; may be given again."},
    {"require", 0, W_OPT_LIST, FIELD(require), .arg = "EXPR",
     .help = "Requirements, separated by commas, like ram<=80%,params<=30M,hours<=6,attn@L2; exit "
             "status 1 and the name of the first that does not hold. A file of --output is then "
             "not written."},
    {"tokens", 'n', W_OPT_COUNT, FIELD(tokens), .arg = "N",
     .help = "Tokens to train on, for the time."},
    {"files", 0, W_OPT_COUNT, FIELD(files), .arg = "N",
     .help = "The same in files of --tokens-per-file tokens."},
    {"tokens-per-file", 0, W_OPT_COUNT, FIELD(tokens_per_file), .arg = "N", .dflt = TOKENS_PER_FILE,
     .help = "Tokens of one file of text."},
    {"val-tokens", 0, W_OPT_COUNT, FIELD(val_tokens), .arg = "N",
     .help = "Tokens of the validation batches, for the time that evaluations take."},
    {"val-every", 0, W_OPT_COUNT, FIELD(val_every), .arg = "N",
     .help = "Evaluate every N steps, and at the end."},
    {"every", 0, W_OPT_DURATION, FIELD(every_s), .arg = "DURATION", .dflt = "10m",
     .help = "Time between checkpoints; 0: none by time."},
    {"bytes-per-token", 0, W_OPT_REAL, FIELD(bytes_per_token), .arg = "X", .max = 1e6,
     .help = "Bytes of text in a token, as wtok info says; for times and bits per byte."},
    {"rate", 0, W_OPT_LIST, FIELD(rate), .arg = "N",
     .help = "Tokens a second of training: once, or once for each configuration in their order; "
             "also as a list with commas."},
    {"gflops", 0, W_OPT_REAL, FIELD(gflops), .arg = "X", .max = 1e12,
     .help = "The same as arithmetic: 10^9 FLOP a second, as wtrain shows it."},
    {"log", 0, W_OPT_LIST, FIELD(log), .arg = "FILE",
     .help = "The same measured: the median of a log of wtrain; once for each configuration."},
    {"output", 'o', W_OPT_TEXT, FIELD(output), .arg = "FILE",
     .help = "Write to a file, which appears when it is complete."},
    {0},
};

static const char *const examples[] = {
    "Does it fit this machine",
    "wcachefit configs/wiki_cache_optimized.json",
    "Measure this machine",
    "wcachefit --calibrate",
    "Was the prediction right? Remember it for the next",
    "wcachefit --verify run.log --learn",
    "The best model for five minutes on this machine",
    "wcachefit --search --time 5m --ram 2GiB -o best.json",
    "What has to change for 4 GB of memory",
    "wcachefit --fit --ram 4GB configs/wiki_gpu_optimized.json",
    "A picture of what bounds each part of a step",
    "wcachefit --plot roofline --svg -o roofline.svg configs/autoregressive_fast.json",
    "Compare configurations, as a document",
    "wcachefit --md configs/*.json -o comparison.md",
    "For another machine, with the hours that 100 files take at 500 tokens a second",
    "wcachefit --target seed-host --files 100 --rate 500 configs/wiki_cache_optimized.json",
    "A condition for make",
    "wcachefit --require 'ram<=80%,params<=30M' --json -o small.fit "
    "configs/autoregressive_fast.json",
    "Where a figure comes from",
    "wcachefit --explain=memory configs/autoregressive_fast.json",
    "Half the batch, without editing the file",
    "wcachefit --set batch_size=32 configs/wiki_gpu_optimized.json",
    NULL,
};

static const struct w_program program = {
    .name = "wcachefit",
    .summary = "Say what configurations need of a machine: memory, caches, arithmetic, time.",
    .operands = "[CONFIG.json ...]",
    .about = "One configuration gives a report, several a comparison. The memory of a step is the "
             "trainer's own plan. Rates are predicted from a calibration of the machine, or given, "
             "or measured by a log.",
    .options = options,
    .examples = examples,
};

/* ---- input ---- */

static enum w_status change_conf(struct w_conf *conf, const char *path, const struct settings *set,
                                 struct w_err *err)
{
    enum w_status status = W_DONE;

    for (size_t k = 0; k < set->set.count && !status; k++) {
        status = w_conf_set(conf, set->set.items[k], err);
        if (status)
            w_fail_at(err, status, "--set %.100s", set->set.items[k]);
    }
    if (!status && set->set.count) {
        status = w_conf_check(conf, err);
        if (status)
            w_fail_at(err, status, "%.200s with --set", path);
    }
    return status;
}

static enum w_status load_confs(struct w_conf *confs, size_t count, char **paths,
                                const struct settings *set, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (size_t i = 0; i < count && !status; i++) {
        status = w_conf_load(&confs[i], paths[i], err);
        if (!status)
            status = change_conf(&confs[i], paths[i], set, err);
    }
    if (set->search && count == 0) {
        status = search_base(&confs[0], err);
        if (!status)
            status = change_conf(&confs[0], "--search", set, err);
    }
    return status;
}

/* The rate of configuration `index` among `count`: the index-th number of all lists, or the only
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
        return w_fail(err, W_USAGE, "--rate has %zu numbers for %zu configurations", numbers,
                      count);
    return W_DONE;
}

static enum w_status ask_for(struct w_fit_ask *ask, const struct settings *set, size_t index,
                             size_t count, struct w_err *err)
{
    enum w_status status = W_DONE;

    ask->tokens_per_file = (double)set->tokens_per_file;
    ask->tokens = set->tokens ? (double)set->tokens : (double)set->files * ask->tokens_per_file;
    ask->bytes_per_token = set->bytes_per_token;
    if (set->rate.count) {
        status = rate_of(&set->rate, index, count, &ask->tok_s, err);
        ask->tok_s_source = "user";
    } else if (set->log.count) {
        struct w_runlog log;
        if (set->log.count != count)
            return w_fail(err, W_USAGE, "--log is given %zu times for %zu configurations",
                          set->log.count, count);
        status = w_runlog_read(&log, set->log.items[index], err);
        ask->tok_s = log.tok_s;
        ask->loss = log.loss;
        ask->tok_s_source = "log";
    }
    return status;
}

/* What the user says goes before what anybody has measured. */
static void apply_rates(struct w_machine *m, const struct settings *set, enum w_type type)
{
    struct w_rate *peak = type == W_TYPE_BF16 ? &m->bf16_flops_per_s : &m->flops_per_s;

    if (set->peak)
        *peak = (struct w_rate){(double)set->peak, W_FROM_USER};
    if (set->bandwidth)
        m->memory_bytes_per_s = (struct w_rate){(double)set->bandwidth, W_FROM_USER};
}

static enum w_status read_machine(struct w_machine *m, const struct settings *set, enum w_type type,
                                  struct w_err *err)
{
    enum w_status status = W_DONE;

    if (set->target)
        status = w_target_find(m, set->target, err);
    else
        w_machine_read(m, "");
    apply_rates(m, set, type);
    if (set->memory) {
        m->available_bytes = set->memory;
        m->memory_source = W_FROM_USER;
    }
    return status;
}

/* ---- the figures ---- */

static enum w_status make_fits(struct report *r, const struct settings *set, struct w_err *err)
{
    for (size_t i = 0; i < r->count; i++) {
        struct w_fit_ask ask = {.threads = r->threads,
                                .type = r->type,
                                .eval_tokens = (double)set->val_tokens,
                                .eval_every = (double)set->val_every,
                                .ckpt_every_s = set->every_s,
                                .calibration = r->calibration,
                                .residuals = &r->residuals};
        struct w_fit *fit = &r->fits[i];
        enum w_status status = ask_for(&ask, set, i, r->count, err);
        if (!status)
            status = w_fit_make(fit, &r->confs[i], r->machine, &ask, err);
        if (!status && set->gflops > 0) {
            ask.tok_s = set->gflops * 1e9 / w_fit_value(fit, "flops.train_causal");
            ask.tok_s_source = "user, as GFLOP/s";
            status = w_fit_make(fit, &r->confs[i], r->machine, &ask, err);
        }
        if (status)
            return status;
        if (w_fit_value(fit, "flops.train_causal") >
            w_fit_value(&r->fits[r->baseline], "flops.train_causal"))
            r->baseline = i;
    }
    return W_DONE;
}

static enum w_status check_requirements(const struct report *r, const struct settings *set,
                                        struct w_err *err)
{
    enum w_status first = W_DONE;
    struct w_err one = {0};

    for (size_t i = 0; i < r->count; i++)
        for (size_t k = 0; k < set->require.count; k++) {
            enum w_status status = w_require_check(&r->fits[i], set->require.items[k], &one);
            if (status == W_USAGE) {
                *err = one;
                return w_fail_at(err, status, "--require");
            }
            if (status && !first) {
                first = status;
                *err = one;
            }
        }
    return first;
}

/* ---- output ---- */

static enum w_status write_report(FILE *f, struct report *r, const struct settings *set,
                                  struct w_err *err)
{
    enum w_status status = W_DONE;

    if (set->plot != PLOT_NONE)
        return plot(f, r, set->plot,
                    set->json  ? PLOT_AS_JSON
                    : set->tsv ? PLOT_AS_TSV
                    : set->svg ? PLOT_AS_SVG
                               : PLOT_AS_TEXT,
                    err);
    if (set->search)
        return write_tree(f, w_conf_json(r->confs), err);
    if (set->fit)
        return fit_into_memory(f, r, r->confs, set->memory, set->json, err);
    if (set->verify.count)
        return verify(f, r, &set->verify, set->tolerance, set->learn, set->json, err);
    if (set->json)
        return write_json(f, r, err);
    if (set->host || r->count == 0)
        write_machine(f, r->machine, r->threads_why, r->threads);
    else if (set->explain)
        write_explained(f, r);
    else if (set->markdown)
        status = write_markdown(f, r, err);
    else if (set->tsv)
        write_tsv(f, r);
    else
        status = write_text(f, r, err);
    if (r->calibrated && !set->markdown && !set->tsv)
        write_calibration(f, r->calibration);
    return status;
}

/* The whole report is made in memory, so that it goes out in one piece. The caller releases it. */
static enum w_status make_text(struct report *r, const struct settings *set,
                               struct w_text_file *text, struct w_err *err)
{
    enum w_status status = w_text_file_open(text, err);

    if (status)
        return status;
    status = write_report(text->file, r, set, err);
    /* "no" is an answer that has a report too */
    if (status == W_DONE || status == W_NO) {
        struct w_err lost = {0};
        if (w_text_file_close(text, &lost)) {
            *err = lost;
            status = lost.status;
        }
    }
    return status;
}

/* Of two answers the first that is none counts, with its error. */
static enum w_status first_answer(enum w_status one, enum w_status two, struct w_err *err,
                                  const struct w_err *two_err)
{
    if (one == W_DONE && two)
        *err = *two_err;
    return one ? one : two;
}

static enum w_status answer_with_report(struct report *r, const struct settings *set,
                                        struct w_err *err)
{
    struct w_err later = {0};
    struct w_text_file text = {0};
    enum w_status answer = check_requirements(r, set, err);

    if (answer == W_DONE || answer == W_NO)
        answer = first_answer(answer, make_text(r, set, &text, &later), err, &later);
    /* A requirement that does not hold leaves no file behind; people still want to see why. */
    if (answer == W_DONE || (answer == W_NO && !set->output))
        answer = first_answer(answer, w_output_whole(set->output, text.text, text.size, &later),
                              err, &later);
    w_text_file_release(&text);
    return answer;
}

/* What was measured of this machine, now or before, and put into its description. */
static enum w_status get_calibration(struct report *r, const struct settings *set,
                                     struct w_machine *machine, struct w_calibration *c,
                                     struct w_err *err)
{
    enum w_status status = W_DONE;
    bool found = false;

    if (set->calibrate) {
        status =
            calibrate(c, machine, r->threads, r->type, set->calibrate, r->confs, r->count, err);
        found = r->calibrated = true;
    } else if (!set->no_calibration && (!set->target || set->calibration)) {
        status = find_calibration(c, &found, machine, set->calibration, err);
    }
    if (status || !found)
        return status;
    r->calibration = c;
    find_residuals(r);
    w_calibration_apply(c, machine);
    apply_rates(machine, set, r->type);
    return W_DONE;
}

static enum w_status choose_precision(struct report *r, const struct settings *set,
                                      struct w_err *err)
{
    const struct w_kern *kern;

    if (!set->target)
        return w_kern_choose_precision(&kern, &r->type, NULL, set->precision, err);
    r->type = set->precision == W_PRECISION_BF16 ? W_TYPE_BF16 : W_TYPE_F32;
    return W_DONE;
}

/* Everything up to the report. */
static enum w_status make_report(struct report *r, const struct settings *set,
                                 struct w_machine *machine, char **paths, struct w_err *err)
{
    static struct w_calibration calibration;

    enum w_status status = load_confs(r->confs, r->count, paths, set, err);
    if (!status)
        status = get_calibration(r, set, machine, &calibration, err);
    if (!status && set->verify.count && !r->calibration)
        status = w_fail(err, W_USAGE, "--verify needs a calibration: wcachefit --calibrate");
    if (!status && set->search)
        status = search(r, set->time_s, set->memory, err);
    return status ? status : make_fits(r, set, err);
}

static enum w_status run(const struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct w_machine machine;
    struct report r = {.machine = &machine,
                       .count = (size_t)argc,
                       .explain = set->explain,
                       .buffers = set->buffers};

    enum w_status status = check_usage(set, &r, argc, err);
    if (status)
        return status;
    status = choose_precision(&r, set, err);
    if (!status)
        status = read_machine(&machine, set, r.type, err);
    if (status)
        return status;
    r.threads = w_machine_threads(&machine, set->threads,
                                  set->target ? NULL : getenv("OMP_NUM_THREADS"), &r.threads_why);
    r.fits = calloc(r.count + 1, sizeof *r.fits);
    r.confs = calloc(r.count + 1, sizeof *r.confs);
    if (!r.fits || !r.confs)
        status = w_fail(err, W_NOMEM, "no memory for %zu configurations", r.count);
    if (!status)
        status = make_report(&r, set, &machine, argv, err);
    if (!status)
        status = answer_with_report(&r, set, err);
    free(r.fits);
    free(r.confs);
    return status;
}

static enum w_status list_targets(bool json, const char *output, struct w_err *err)
{
    struct w_text_file text = {0};
    enum w_status status = w_text_file_open(&text, err);

    if (!status && json)
        status = write_targets_json(text.file, err);
    for (const struct w_target *t = w_targets; t->name && !status && !json; t++)
        fprintf(text.file, "%-16s %s\n", t->name, t->about);
    if (!status)
        status = w_text_file_close(&text, err);
    if (!status)
        status = w_output_whole(output, text.text, text.size, err);
    w_text_file_release(&text);
    return status;
}

/* For the generator of wconf(5): the fields of --dump-options. */
static void dump_keys(void)
{
    for (const struct w_option *o = w_conf_table; o->name; o++) {
        printf("key\t%s\t\t%s\t%s\t%s\t%s", o->name, o->arg, o->choices ? o->choices : "",
               o->dflt ? o->dflt : "", o->help);
        if (o->type == W_OPT_COUNT && o->max > 0)
            printf(" A whole number from %.0f to %.0f.", o->min, o->max);
        else if (o->type == W_OPT_COUNT)
            printf(" A whole number.");
        else if (o->type == W_OPT_REAL)
            printf(" A number from %g to %g.", o->min, o->max);
        printf("%s\n", o->required ? " Required." : "");
    }
}

int main(int argc, char **argv)
{
    struct settings set = {0};
    struct w_err err = {0};

    if (argc == 2 && !strcmp(argv[1], "--dump-keys")) {
        dump_keys();
        return w_cli_finish(W_DONE, NULL);
    }
    int stop = w_cli_parse(&program, &set, &argc, &argv);
    if (stop)
        return stop - 1;
    enum w_status status =
        set.list_targets ? list_targets(set.json, set.output, &err) : run(&set, argc, argv, &err);
    return w_cli_finish(status, &err);
}
