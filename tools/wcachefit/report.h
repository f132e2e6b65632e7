/* report.h - the answer of a command of wcachefit: a machine, configurations and their figures; and
 * its writers. They write to a stream of the caller, who also checks it. */
#ifndef WCACHEFIT_REPORT_H
#define WCACHEFIT_REPORT_H

#include <stdio.h>
#include <string.h>

#include "fit/evaluate.h"
#include "sys/printed.h"

struct report {
    struct w_machine machine;
    u32 threads;
    const char *threads_why;
    enum w_type type; /* compute type */
    struct w_conf *confs;
    struct w_fit *fits; /* one per configuration */
    size_t count;
    size_t baseline;     /* the configuration with most arithmetic: others are relative to it */
    const char *explain; /* NULL: nothing; "": all figures; NAME: that one and all NAME.* */
    bool buffers;        /* list the memory plan */
    bool all;            /* of several configurations, every table */
    u64 ranks;           /* that are asked for; 0: as many as share out a step */
    const char *network; /* between ranks, as it was named; NULL: no ranks are asked for */
    const struct w_calibration *calibration; /* of this host, or NULL */
    bool calibrated;                         /* just now: show all of it */
    struct w_residuals residuals;            /* of verified runs on this host */
    const struct w_calibration *kernels;     /* of a target: how near their peak this host's are */
    struct w_machine host;                   /* on which those were measured */
    struct w_printed text;                   /* the answer */
};

/* Whether a row of the table of figures is to be explained. */
bool report_explains(const struct report *, int row);

/* One configuration: a report; more: the first screen, and with `all` every table. W_NOMEM. */
enum w_status write_text(FILE *, const struct report *, struct w_err *) W_MUST_CHECK;
/* The comparison as a Markdown document. W_NOMEM. */
enum w_status write_markdown(FILE *, const struct report *, struct w_err *) W_MUST_CHECK;
void write_tsv(FILE *, const struct report *); /* configuration, figure, value, unit, source */
void write_explained(FILE *, const struct report *);
/* A tree as text, or W_NOMEM. Frees the tree in every case. */
enum w_status write_tree(FILE *, struct w_json *, struct w_err *) W_MUST_CHECK;
/* The machine, and the figures, verdicts and hints of each configuration. W_NOMEM. */
enum w_status write_json(FILE *, const struct report *, struct w_err *) W_MUST_CHECK;
/* The known machines: {"targets": [{"name":, "about":}, ...]}. W_NOMEM. */
enum w_status write_targets_json(FILE *, struct w_err *) W_MUST_CHECK;

/* ---- the answer to "which one" (out_first.c) ---- */

/* The first screen of a comparison, within 80 columns: one table, what follows from it in
 * sentences, and what its columns are. W_NOMEM. */
enum w_status write_first(FILE *, const struct report *, bool markdown,
                          struct w_err *) W_MUST_CHECK;

/* The machine alone. */
void write_machine(FILE *, const struct report *);

/* Which working set fits which level of memory: the first lines of a report. */
void write_verdicts(FILE *, const struct w_fit *);

/* ---- tables (out_tables.c) ---- */

struct table_column {
    const char *title;
    const char *key; /* of a figure */
    bool relative;   /* to the baseline */
    bool brief;      /* in few columns */
};

struct table {
    const char *heading; /* "## Matrix size analysis", or NULL */
    const char *note;    /* a paragraph below the heading, or NULL */
    bool across;         /* in Markdown configurations are columns; text always has them as rows */
    u32 width;           /* in text the columns of a terminal, names are cut to fit; 0: any */
    struct table_column columns[13]; /* at most 12; a NULL title ends them */
};
extern const struct table comparison_tables[]; /* ends with a NULL heading */

/* Below a table with a heading stands what its columns are. Columns in which no configuration has a
 * value are left out, and tables without columns. W_NOMEM. */
enum w_status write_table(FILE *, const struct table *, const struct report *, bool markdown,
                          struct w_err *) W_MUST_CHECK;

#endif
