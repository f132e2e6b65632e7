/* inputs.h - what the commands of wcachefit are told alike: a machine, configurations, requirements;
 * and the way from there to an answer.
 *
 *     status = report_open(&r, &set.in, argc, argv, &err);
 *     ...                                              // figures: report_fit()
 *     fprintf(r.text.file, ...)
 *     status = report_close(&r, &set.in, status, &err);
 */
#ifndef WCACHEFIT_INPUTS_H
#define WCACHEFIT_INPUTS_H

#include "tools/cli.h"
#include "tools/wcachefit/report.h"

struct inputs {
    u64 threads, peak, bandwidth, memory;
    u32 precision; /* enum w_precision */
    const char *target, *calibration, *output;
    struct w_text_list set, require;
    bool json, no_calibration;
};

/* Rows of option tables, in braces, for a command whose `struct settings` has a struct inputs as member
 * `in`. */
#define IN(field) offsetof(struct settings, in.field)
#define TARGET_OPTION                                                                              \
    "target", 0, W_OPT_TEXT, IN(target), "NAME|FILE",                                              \
        .help = "Judge for another machine: a known one, or the "                                  \
                "file that wcachefit host --json wrote there."
#define THREADS_OPTION                                                                             \
    "threads", 't', W_OPT_COUNT, IN(threads),                                                      \
        .arg = "N", .max = 65536,                                                                  \
        .help = "Worker threads. Without it: OMP_NUM_THREADS, else the cores that may be used."
#define PRECISION_OPTION                                                                           \
    "precision", 0, W_OPT_CHOICE, IN(precision),                                                   \
        .arg = "KIND", .dflt = "auto", .choices = W_PRECISION_NAMES,                               \
        .help = "Operands of the matrix products, as for wtrain. auto is what wtrain would "       \
                "choose here, and fp32 for a target."
#define MEMORY_OPTION                                                                              \
    "memory", 0, W_OPT_COUNT, IN(memory),                                                          \
        .arg = "BYTES",                                                                            \
        .help = "Memory that a step may take, like 6GiB; without it what the machine has to give " \
                "(85 % of that for fit and search)."
#define RAM_OPTION                                                                                 \
    "ram", 0, W_OPT_COUNT, IN(memory), .arg = "BYTES", .help = "The same as --memory."
#define PEAK_OPTION                                                                                \
    "peak", 0, W_OPT_COUNT, IN(peak),                                                              \
        .arg = "FLOPS",                                                                            \
        .help = "The machine's peak in the precision that is used, in FLOP a second, like 448G."
#define BANDWIDTH_OPTION                                                                           \
    "bandwidth", 0, W_OPT_COUNT, IN(bandwidth),                                                    \
        .arg = "BYTES", .help = "Bytes a second that the memory gives, like 10G."
#define CALIBRATION_OPTION                                                                         \
    "calibration", 0, W_OPT_TEXT, IN(calibration),                                                 \
        .arg = "FILE", .help = "Predict from this calibration instead of the one that is kept."
#define NO_CALIBRATION_OPTION                                                                      \
    "no-calibration", 0, W_OPT_FLAG, IN(no_calibration), .help = "Use nothing that was measured."
#define SET_OPTION                                                                                 \
    "set", 0, W_OPT_LIST, IN(set),                                                                 \
        .arg = "KEY=VALUE",                                                                        \
        .help = "Change a key of every configuration, like batch_size=32; may be given again."
#define REQUIRE_OPTION                                                                             \
    "require", 0, W_OPT_LIST, IN(require),                                                         \
        .arg = "EXPR",                                                                             \
        .help = "Requirements, separated by commas, like ram<=80%,params<=30M,hours<=6,attn@L2; "  \
                "exit status 1 and the name of the first that does not hold. A file of --output "  \
                "is then not written."
#define JSON_OPTION(text) "json", 0, W_OPT_FLAG, IN(json), .help = text
#define OUTPUT_OPTION                                                                              \
    "output", 'o', W_OPT_TEXT, IN(output),                                                         \
        .arg = "FILE", .help = "Write to a file, which appears when it is complete."

/* What --format says, where JSON is its second choice: the same as --json. */
enum { AS_TEXT, AS_JSON };
enum w_status choose_format(u32 *format, const struct inputs *, struct w_err *) W_MUST_CHECK;

/* The machine, its threads and its precision; what is known of it by a calibration, unless
 * no_calibration is set; and the configurations that are named, with what --set changes. There is room
 * for one more of them than are named. */
enum w_status report_open(struct report *, const struct inputs *, int argc, char **paths,
                          struct w_err *) W_MUST_CHECK;
/* Write what was printed into the report, in one piece, and free it. answer: how the work ended. W_NO is
 * an answer too, which people see and which leaves no file; after a failure nothing is written. Returns
 * the answer, or why it could not be written. */
enum w_status report_close(struct report *, const struct inputs *, enum w_status answer,
                           struct w_err *) W_MUST_CHECK;

/* Take what was measured of this machine into its description. */
void report_calibrate(struct report *, const struct inputs *, const struct w_calibration *);
/* What --set changes, in one more configuration; where: what errors call it. */
enum w_status change_conf(struct w_conf *, const char *where, const struct inputs *,
                          struct w_err *) W_MUST_CHECK;

/* Bytes that a search and a change may use: those that were asked for, else what the machine has to
 * give but for the system's part. */
double memory_limit(const struct report *, u64 asked);

/* What is asked of every configuration: threads, precision, calibration. */
struct w_fit_ask report_ask(const struct report *);
/* Make the figures of the index-th one. */
enum w_status report_fit(struct report *, size_t index, const struct w_fit_ask *,
                         struct w_err *) W_MUST_CHECK;

/* W_NO: a requirement does not hold, the first is named. W_USAGE: one is not understood. */
enum w_status check_requirements(const struct report *, const struct inputs *,
                                 struct w_err *) W_MUST_CHECK;

#endif
