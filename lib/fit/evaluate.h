/* evaluate.h - the table of figures (fit/figures.h), filled in for one configuration on one
 * machine.
 *
 *     w_fit_make(&fit, &conf, &machine, &ask, &err)
 *     w_fit_value(&fit, "params")                        // 27238400
 *     w_fit_value(&fit, "l2.attention") <= 1             // one head fits a thread's share of L2
 */
#ifndef W_EVALUATE_H
#define W_EVALUATE_H

#include "bench/calibration.h"
#include "fit/figures.h"
#include "fit/network.h"
#include "fit/residuals.h"
#include "net/plan.h"
#include "sys/machine.h"

/* The question, besides configuration and machine; 0 and NULL: not known. */
struct w_fit_ask {
    u64 threads;            /* workers; at least 1 */
    enum w_type type;       /* compute type */
    double tokens;          /* to train on; 0: the steps of the configuration, if it has them */
    double text_tokens;     /* of the text: the tokens after them are repeated */
    double tokens_per_file; /* of a corpus in files */
    double budget_s;        /* time of training to judge by */
    double share;           /* of the peak that kernels reach, where there is no calibration */
    double tok_s;           /* training rate, and who says so */
    const char *tok_s_source;
    double bytes_per_token;                  /* of text */
    double loss;                             /* nats per token, from a log */
    double eval_tokens;                      /* of an evaluation; 0: none */
    double eval_every;                       /* steps between two; 0: only at the end */
    double ckpt_every_s;                     /* between checkpoints; 0: none */
    u64 ranks;                               /* that share out a step; 0: 1 */
    struct w_network network;                /* between them; zeros: not known */
    double spread;                           /* of their speeds (fit/simulation.h) */
    const struct w_calibration *calibration; /* of this machine; NULL: none */
    const struct w_residuals *residuals;     /* of its predictions; NULL: none */
};

struct w_fit {
    struct w_conf conf;
    enum w_type type;   /* compute type */
    struct w_plan plan; /* of a training step with ask.threads workers */
    double values[W_FIGURES_MAX];
    const char *sources[W_FIGURES_MAX]; /* "formula", "sysfs", "planner", ... */
    const char *levels[W_PHASES];       /* of memory, from which a phase reads; NULL: not known */
    u32 learned_from;                   /* verified runs that predict.interval comes from */
};

/* Of what it is given the fit keeps no pointer but ask.tok_s_source. W_USAGE: the configuration
 * cannot work, or the planner refuses it. W_NOMEM. */
enum w_status w_fit_make(struct w_fit *, const struct w_conf *, const struct w_machine *,
                         const struct w_fit_ask *, struct w_err *) W_MUST_CHECK;

/* The same fit for another number of ranks, a power of two: only figures whose names begin with
 * "ranks" change. */
enum w_status w_fit_set_ranks(struct w_fit *, u64 ranks, struct w_err *) W_MUST_CHECK;

/* The same fit for another training rate in tokens a second: figures that follow from it change. */
enum w_status w_fit_set_rate(struct w_fit *, double tok_s, struct w_err *) W_MUST_CHECK;

/* The peak that bounds GEMMs of a compute type; its value is 0 if it is not known. */
struct w_rate w_fit_peak(const struct w_machine *, enum w_type);

/* The value of a key of the table; NaN if it is not known, or there is no such key. */
double w_fit_value(const struct w_fit *, const char *key);
/* The same for the key FIGURE.PHASE, like "step.linear". */
double w_fit_phase_value(const struct w_fit *, const char *figure, enum w_phase);
/* The value as text in its unit. The key has to exist. Returns text. */
const char *w_fit_text(char text[W_FIGURE_TEXT], const struct w_fit *, const char *key);

/* What bounds a phase of the step: "compute", or the level of memory that it waits for; NULL: not
 * known. A phase waits for memory if moving its data alone takes more than half of its time. */
const char *w_fit_bound(const struct w_fit *, enum w_phase);

/* The formula of a row with its numbers put in, cut to fit `size`; "" for a given figure. */
void w_fit_substitute(const struct w_fit *, int row, char *text, size_t size);

#endif
