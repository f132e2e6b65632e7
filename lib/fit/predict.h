/* predict.h - what a calibration says of a configuration that was never run: the cost of each part of
 * its step, from the shapes that were measured around it.
 *
 * The costs are figures of the table (fit/figures.h), as are the formulas that turn them into times:
 * `wcachefit --explain=step` shows all of it. */
#ifndef W_PREDICT_H
#define W_PREDICT_H

#include "bench/calibration.h"

struct w_costs {
    struct w_phase_cost phases[W_PHASES]; /* of a unit, with the threads that were asked for */
    double bytes_s[W_PHASES];             /* of the level of memory from which a part's data come */
    const char *level[W_PHASES];          /* "L2", "L3", "memory" */
    double decode_s;                      /* a token of generation, drawn by the usual options */
    double spread; /* of the measurements behind the costs, weighted by time */
};

/* What is asked for. */
struct w_costs_of {
    enum w_type type;
    enum w_state state;
    u32 threads;
};

/* Interpolate for a configuration and its plan. */
void w_costs_make(struct w_costs *, const struct w_calibration *, const struct w_conf *,
                  const struct w_plan *, struct w_costs_of);

#endif
