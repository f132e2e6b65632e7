/* evaluate.h - the table of figures (fit/figures.h), filled in for one configuration on one machine.
 *
 *     w_fit_make(&fit, &conf, &machine, &ask, &err)
 *     w_fit_value(&fit, "params")                        // 27238400
 *     w_fit_value(&fit, "l2.attention") <= 1             // one head fits a thread's share of L2
 */
#ifndef W_EVALUATE_H
#define W_EVALUATE_H

#include "bench/calibration.h"
#include "fit/figures.h"
#include "fit/residuals.h"
#include "net/plan.h"
#include "sys/machine.h"

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
    const char *levels[W_PHASES];       /* from which a part of the step reads; NULL: not known */
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
const char *w_fit_bound(const struct w_fit *, enum w_phase);

/* The formula of a row with its numbers put in; "" for a given figure. */
void w_fit_substitute(const struct w_fit *, int row, char *text, size_t size);

#endif
