/* predict.h - the cost of each phase of a configuration's step, interpolated between the shapes
 * that a calibration measured. The configuration itself need not have run.
 *
 * The costs are figures of the table (fit/figures.h), as are the formulas that turn them into
 * times: `wcachefit --explain=step` shows all of it. */
#ifndef W_PREDICT_H
#define W_PREDICT_H

#include "bench/calibration.h"

struct w_costs {
    struct w_phase_cost phases[W_PHASES]; /* of a unit, with the threads that were asked for */
    double bytes_s[W_PHASES];             /* bandwidth of the level of memory that holds its data */
    const char *level[W_PHASES];          /* "L2", "L3", "memory" */
    /* For each of w_decode_types, 0 if it was not measured: a token of generation, sampled with the
     * default options, and a token of a prompt. */
    double decode_s[W_DECODE_TYPES], prompt_s[W_DECODE_TYPES];
    double spread; /* relative, of the measurements that the costs come from, weighted by time */
};

/* What is asked for. */
struct w_costs_of {
    enum w_type type;
    u32 threads;
};

/* Interpolate for a configuration and its plan. The calibration has to know the type
 * (w_calibration_knows()). */
void w_costs_make(struct w_costs *, const struct w_calibration *, const struct w_conf *,
                  const struct w_plan *, struct w_costs_of);

#endif
