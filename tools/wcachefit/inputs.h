/* inputs.h - what the commands of wcachefit have in common: the settings that their options fill,
 * rows for their option tables, and the way from there to an answer.
 *
 *     status = report_open(&r, set, argc, argv, err);
 *     ...                                              // figures: report_fit()
 *     fprintf(r.text.file, ...)
 *     return report_close(&r, set, status, err);
 */
#ifndef WCACHEFIT_INPUTS_H
#define WCACHEFIT_INPUTS_H

#include "fit/network.h"
#include "tools/cli.h"
#include "tools/wcachefit/report.h"

/* Fields that a command has no option for are 0. */
struct settings {
    /* of the rows below */
    u64 threads, peak, bandwidth, memory;
    u32 precision; /* enum w_precision */
    const char *target, *calibration, *output;
    struct w_text_list set, require;
    bool json, no_calibration;

    u32 format; /* report, plot */
    /* report */
    u64 tokens, files, tokens_per_file, val_tokens, val_every;
    double gflops, bytes_per_token, every_s;
    const char *explain;
    struct w_text_list rate, log;
    bool buffers, all;
    u64 ranks;
    const char *network; /* plot, too */
    double spread;       /* the same */

    double seconds;        /* calibrate */
    bool measure_network;  /* calibrate */
    double time_s;         /* report, search */
    u64 vocab;             /* search */
    u64 text_tokens;       /* report, search */
    const char *tolerance; /* verify */
    bool learn;            /* verify */
    bool list;             /* host */
};

/* Rows of option tables, in braces. */
#define TARGET_OPTION                                                                              \
    "target", 0, W_OPT_TEXT, AT(target), "NAME|FILE",                                              \
        .help = "Judge for another machine: a known one, or the "                                  \
                "file that wcachefit host --json wrote there."
#define THREADS_OPTION                                                                             \
    "threads", 't', W_OPT_COUNT, AT(threads),                                                      \
        .arg = "N", .max = 65536,                                                                  \
        .help = "Worker threads. Default: OMP_NUM_THREADS, else the physical cores that may be "   \
                "used."
#define PRECISION_OPTION                                                                           \
    "precision", 0, W_OPT_CHOICE, AT(precision),                                                   \
        .arg = "KIND", .dflt = "auto", .choices = W_PRECISION_NAMES,                               \
        .help = "Compute type of the matrix products, as for wtrain. auto is what wtrain would "   \
                "choose here, and fp32 for a target."
#define MEMORY_OPTION                                                                              \
    "memory", 0, W_OPT_COUNT, AT(memory),                                                          \
        .arg = "BYTES",                                                                            \
        .help = "Memory that a step may take, like 6GiB. Default: the memory that is available "   \
                "(for fit and search 85 % of it)."
#define RAM_OPTION                                                                                 \
    "ram", 0, W_OPT_COUNT, AT(memory), .arg = "BYTES", .help = "The same as --memory."
#define PEAK_OPTION                                                                                \
    "peak", 0, W_OPT_COUNT, AT(peak),                                                              \
        .arg = "FLOPS",                                                                            \
        .help = "The machine's peak in the precision that is used, in FLOP a second, like 448G."
#define BANDWIDTH_OPTION                                                                           \
    "bandwidth", 0, W_OPT_COUNT, AT(bandwidth),                                                    \
        .arg = "BYTES", .help = "Bandwidth of the memory in bytes a second, like 10G."
#define CALIBRATION_OPTION                                                                         \
    "calibration", 0, W_OPT_TEXT, AT(calibration),                                                 \
        .arg = "FILE", .help = "Predict from this calibration instead of the one that is kept."
#define NO_CALIBRATION_OPTION                                                                      \
    "no-calibration", 0, W_OPT_FLAG, AT(no_calibration), .help = "Use nothing that was measured."
#define SET_OPTION                                                                                 \
    "set", 0, W_OPT_LIST, AT(set),                                                                 \
        .arg = "KEY=VALUE",                                                                        \
        .help = "Change a key of every configuration, like batch_size=32; may be given again."
#define REQUIRE_OPTION                                                                             \
    "require", 0, W_OPT_LIST, AT(require),                                                         \
        .arg = "EXPR",                                                                             \
        .help = "Requirements, separated by commas, like ram<=80%,params<=30M,hours<=6,attn@L2. "  \
                "If one does not hold, the exit status is 1, the first such one is named, and "    \
                "the file of --output is not written."
#define TEXT_TOKENS_OPTION                                                                         \
    "text-tokens", 0, W_OPT_COUNT, AT(text_tokens),                                                \
        .arg = "N",                                                                                \
        .help = "Tokens of the text: those that a training takes after them are repeated, and "    \
                "worth less. Default: no token is repeated."
#define NETWORK_OPTION(text)                                                                       \
    "network", 0, W_OPT_TEXT, AT(network),                                                         \
        .arg = "NAME|FILE",                                                                        \
        .help = text W_NETWORK_NAMES ", or a file of JSON with its bytes_s and latency_s."
#define SPREAD_OPTION                                                                              \
    "spread", 0, W_OPT_REAL, AT(spread),                                                           \
        .arg = "X", .dflt = "0.02", .max = 1,                                                      \
        .help = "How unequally fast ranks are: standard deviation of the logarithm of the time "   \
                "that a rank computes in a step. 0: all the same."
#define JSON_OPTION(text) "json", 0, W_OPT_FLAG, AT(json), .help = text
#define OUTPUT_OPTION                                                                              \
    "output", 'o', W_OPT_TEXT, AT(output),                                                         \
        .arg = "FILE", .output = true,                                                             \
        .help = "Write to a file, which appears when it is complete."

/* Several rows, each with its braces: which machine; how much memory; how fast it is. */
/* clang-format off */
#define MACHINE_OPTIONS {TARGET_OPTION}, {THREADS_OPTION}, {PRECISION_OPTION}
#define MEMORY_OPTIONS {MEMORY_OPTION}, {RAM_OPTION}
#define RATE_OPTIONS                                                                               \
    {PEAK_OPTION}, {BANDWIDTH_OPTION}, {CALIBRATION_OPTION}, {NO_CALIBRATION_OPTION}
/* clang-format on */

/* The first two choices of --format. choose_format() makes --json the same as the second. W_USAGE:
 * both are given, and differ. */
enum { AS_TEXT, AS_JSON };
enum w_status choose_format(struct settings *, struct w_err *) W_MUST_CHECK;

/* Read the machine, its calibration (unless no_calibration is set) and the configurations, with the
 * changes of --set. There is room for one more configuration than are named. Afterwards, and after
 * a failure, report_close(). W_USAGE: an unknown target or key, or a configuration that cannot
 * work; W_IO, W_CORRUPT, W_MISMATCH: of the files that are named; W_NOMEM. */
enum w_status report_open(struct report *, const struct settings *, int argc, char **paths,
                          struct w_err *) W_MUST_CHECK;
/* Write the text of the report at once, and free the report. answer: how the work ended. After
 * W_DONE the text goes to --output or standard output, after W_NO to standard output only, after a
 * failure nowhere. Returns the answer, or the error of writing. */
enum w_status report_close(struct report *, const struct settings *, enum w_status answer,
                           struct w_err *) W_MUST_CHECK;

/* Use a calibration of this machine: its rates and sizes, and the residuals of its predictions. */
void report_calibrate(struct report *, const struct settings *, const struct w_calibration *);
/* Apply --set to a configuration; where: its name in errors. W_USAGE: a bad key or value, or a
 * configuration that cannot work. */
enum w_status change_conf(struct w_conf *, const char *where, const struct settings *,
                          struct w_err *) W_MUST_CHECK;

/* Bytes that search and fit may use: those of --memory, else W_MEMORY_USABLE of the available
 * ones. */
double memory_limit(const struct report *, const struct settings *);

/* What is asked of every configuration: threads, precision, calibration. */
struct w_fit_ask report_ask(const struct report *);
/* The network of --network, and how unequally fast its ranks are. W_USAGE: no such network. */
enum w_status ask_network(struct w_fit_ask *, const struct settings *, struct w_err *) W_MUST_CHECK;
/* Make the figures of the index-th one; errors of w_fit_make(). */
enum w_status report_fit(struct report *, size_t index, const struct w_fit_ask *,
                         struct w_err *) W_MUST_CHECK;

/* Write a line for each to f, if that is not NULL. W_NO: a requirement does not hold, the first is
 * named. W_USAGE: one is not understood. */
enum w_status check_requirements(const struct report *, const struct settings *, FILE *f,
                                 struct w_err *) W_MUST_CHECK;

#endif
