/* figures.h - everything that wcachefit says of a configuration on a machine: one table of figures,
 * each with its unit and its formula as text. The formula is what is computed (fit/expr.h), what
 * --explain prints, and what the manual page lists; text, Markdown, JSON, TSV and requirements all
 * follow from the same rows.
 *
 *     w_fit_make(&fit, &conf, &machine, &ask, &err)
 *     w_fit_value(&fit, "params")                        // 27238400
 *     w_fit_value(&fit, "l2.attention") <= 1             // one head fits a thread's share of L2
 *
 * Units: bytes, FLOP (a multiplication and an addition are two), seconds, tokens. Ratios are parts of
 * one. What is not known is NaN. */
#ifndef W_FIGURES_H
#define W_FIGURES_H

#include "bench/calibration.h"
#include "fit/residuals.h"
#include "net/plan.h"
#include "sys/machine.h"

enum w_unit {
    W_UNIT_COUNT,
    W_UNIT_BYTES,
    W_UNIT_FLOP,
    W_UNIT_RATIO,
    W_UNIT_PART, /* a ratio that is shown as percent */
    W_UNIT_FILL, /* what is needed to what there is: at most 1 means that it fits */
    W_UNIT_SECONDS,
    W_UNIT_HOURS,
    W_UNIT_TOKENS_S,
    W_UNIT_FLOP_S,
    W_UNIT_BYTES_S,
    W_UNIT_INTENSITY, /* FLOP per byte */
    W_UNIT_BITS,
    W_UNITS
};
const char *w_unit_name(enum w_unit); /* "B", "FLOP/s", ... */

struct w_figure {
    const char *key;
    const char *label;
    enum w_unit unit;
    const char *formula; /* over keys of rows above; NULL: given by configuration, machine, ... */
};
extern const struct w_figure w_figures[]; /* ends with a NULL key */
#define W_FIGURES_MAX 288

/* The row of a key, or -1. */
int w_figure_find(const char *key);
const char *w_figure_suggest(const char *key); /* the nearest key, or NULL */

/* What is asked beside configuration and machine; what is 0 is not known. */
struct w_fit_ask {
    u64 threads;            /* workers; at least 1 */
    enum w_type type;       /* of operands: the precision */
    enum w_state state;     /* of the machine */
    double tokens;          /* to train on; 0: the steps of the configuration, if it has them */
    double tokens_per_file; /* of a corpus in files */
    double tok_s;           /* training rate, and who says so */
    const char *tok_s_source;
    double bytes_per_token;                  /* of text */
    double loss;                             /* nats per token, from a log */
    double eval_tokens;                      /* of an evaluation; 0: none */
    double eval_every;                       /* steps between two; 0: only at the end */
    double ckpt_every_s;                     /* between checkpoints; 0: none */
    const struct w_calibration *calibration; /* of this machine; NULL: none */
    const struct w_residuals *residuals;     /* of its predictions; NULL: none */
};

struct w_fit {
    struct w_conf conf;
    enum w_type type;   /* of operands */
    struct w_plan plan; /* of a training step with ask.threads members */
    double values[W_FIGURES_MAX];
    const char *sources[W_FIGURES_MAX]; /* "formula", "sysfs", "planner", ... */
    const char *levels[W_STEP_PARTS];   /* from which a part of the step reads; NULL: not known */
    u32 learned_from;                   /* verified runs behind predict.interval */
};

/* Errors: the planner refuses the configuration (W_USAGE). */
enum w_status w_fit_make(struct w_fit *, const struct w_conf *, const struct w_machine *,
                         const struct w_fit_ask *, struct w_err *) W_MUST_CHECK;

/* The peak that bounds products with operands of a precision; 0 if it is not known. */
struct w_rate w_fit_peak(const struct w_machine *, enum w_type);

/* The value of a key of the table; NaN if it is not known. */
double w_fit_value(const struct w_fit *, const char *key);

/* What bounds a part of the step: "compute", or the level of memory that it waits for; NULL: not
 * known. A part waits for memory if moving its data alone takes most of its time. */
const char *w_fit_bound(const struct w_fit *, enum w_step_part);

/* A figure for people: "27 238 400", "1.50 MiB", "57.28 MFLOP", "no" ... */
#define W_FIGURE_TEXT 48
void w_figure_text(char text[W_FIGURE_TEXT], enum w_unit unit, double value);

/* The formula of a row with its numbers put in; "" for a given figure. */
void w_fit_substitute(const struct w_fit *, int row, char *text, size_t size);

#endif
