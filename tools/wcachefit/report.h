/* wcachefit.h - what the parts of wcachefit share: a report to be written, and its writers. */
#ifndef WCACHEFIT_H
#define WCACHEFIT_H

#include <stdio.h>
#include <string.h>

#include "conf/option.h"
#include "fit/evaluate.h"

struct report {
    const struct w_machine *machine;
    u32 threads;
    const char *threads_why;
    enum w_type type; /* of operands: the precision */
    struct w_conf *confs;
    struct w_fit *fits; /* one per configuration */
    size_t count;
    size_t baseline;     /* the configuration with most arithmetic: others are compared with it */
    const char *explain; /* NULL: do not; "": everything; else a figure and those below its name */
    bool buffers;        /* list the memory plan */
    const struct w_calibration *calibration; /* of this host, or NULL */
    bool calibrated;                         /* just now: show all of it */
    struct w_residuals residuals;            /* of verified runs on this host */
};

/* The command line. */
struct settings {
    u64 threads, tokens, files, tokens_per_file, peak, bandwidth, memory, val_tokens, val_every;
    double gflops, bytes_per_token, every_s, time_s;
    u32 plot, precision; /* enum plot_kind, enum w_precision */
    const char *target, *output, *explain, *calibrate, *calibration, *tolerance;
    struct w_text_list set, rate, log, require, verify;
    bool json, markdown, tsv, host, buffers, list_targets, no_calibration, learn, fit, search, svg;
};

/* ---- what does not go together (wcachefit_usage.c) ---- */

/* operands: how many configurations are named. W_USAGE: which of the options, and what to do. */
enum w_status check_usage(const struct settings *, const struct report *, int operands,
                          struct w_err *) W_MUST_CHECK;

/* ---- calibration (wcachefit_calibrate.c) ---- */

/* Measure this host and keep the result in the user's cache folder. seconds: as text, "" for the usual
 * time. The shapes of the configurations are measured too. */
enum w_status calibrate(struct w_calibration *, const struct w_machine *, u32 threads,
                        enum w_type type, const char *seconds, const struct w_conf *confs,
                        size_t count, struct w_err *) W_MUST_CHECK;
/* The one that is kept, or that of a file; doubts about it are warnings. */
enum w_status find_calibration(struct w_calibration *, bool *found, const struct w_machine *,
                               const char *path, struct w_err *) W_MUST_CHECK;
/* The ratios of verified runs with the calibration's kernels; trouble is a warning. */
void find_residuals(struct report *);
void write_calibration(FILE *, const struct w_calibration *);

/* ---- verification (wcachefit_verify.c) ---- */

/* Compare the logs with what this host's calibration says of their configurations; fits has room for
 * one. W_NO: one is off by more than the tolerance ("10%"; NULL: the prediction's interval), or in
 * memory. keep: remember the ratios for the intervals of later predictions. */
enum w_status verify(FILE *, struct report *, const struct w_text_list *logs, const char *tolerance,
                     bool keep, bool json, struct w_err *) W_MUST_CHECK;

/* ---- configurations for a budget (wcachefit_search.c); memory 0: what the machine has ---- */

/* What a search takes from a configuration when none is named. */
enum w_status search_base(struct w_conf *, struct w_err *) W_MUST_CHECK;
/* Put the configuration that becomes best in so many seconds of training in the place of the first,
 * which gives what is not searched; the report is then of that one. W_NO: there is none. */
enum w_status search(struct report *, double seconds, u64 memory, struct w_err *) W_MUST_CHECK;
/* Write for each configuration the smallest change after which it fits. W_NO: one has none. */
enum w_status fit_into_memory(FILE *, const struct report *, const struct w_conf *, u64 memory,
                              bool json, struct w_err *) W_MUST_CHECK;

/* ---- charts (wcachefit_charts.c) ---- */

enum plot_kind { PLOT_NONE, PLOT_ROOFLINE, PLOT_MEMORY, PLOT_LATENCY, PLOT_THREADS };
enum plot_format { PLOT_AS_TEXT, PLOT_AS_SVG, PLOT_AS_TSV, PLOT_AS_JSON };
enum w_status plot(FILE *, const struct report *, enum plot_kind, enum plot_format,
                   struct w_err *) W_MUST_CHECK;

/* Whether a row of the table of figures is to be explained. */
bool report_explains(const struct report *, int row);

/* One configuration: a report; more: tables. */
enum w_status write_text(FILE *, const struct report *, struct w_err *) W_MUST_CHECK;
/* The comparison as a document. */
enum w_status write_markdown(FILE *, const struct report *, struct w_err *) W_MUST_CHECK;
void write_tsv(FILE *, const struct report *); /* configuration, figure, value, unit, source */
void write_explained(FILE *, const struct report *);
/* A tree as text. Frees the tree, whatever happens. */
enum w_status write_tree(FILE *, struct w_json *, struct w_err *) W_MUST_CHECK;
enum w_status write_json(FILE *, const struct report *, struct w_err *) W_MUST_CHECK;
/* The known machines: {"targets": [{"name":, "about":}, ...]} */
enum w_status write_targets_json(FILE *, struct w_err *) W_MUST_CHECK;

/* The machine alone. */
void write_machine(FILE *, const struct w_machine *, const char *threads_why, u32 threads);

/* What fits where: the lines with which a report begins. */
void write_verdicts(FILE *, const struct w_fit *);

/* ---- tables (wcachefit_tables.c) ---- */

struct table_column {
    const char *title;
    const char *key; /* of a figure */
    bool relative;   /* to the baseline */
};

struct table {
    const char *heading; /* "## Matrix size analysis" */
    const char *note;    /* a paragraph below the heading, or NULL */
    bool across;         /* configurations are columns (in Markdown; text has them as rows) */
    struct table_column columns[13]; /* ends with a NULL title */
};
extern const struct table comparison_tables[]; /* ends with a NULL heading */

/* Columns that no configuration has a value for are left out, and tables without columns. */
enum w_status write_table(FILE *, const struct table *, const struct report *, bool markdown,
                          struct w_err *) W_MUST_CHECK;

#endif
