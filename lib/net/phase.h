/* phase.h - the phases of a training step: its time is measured for each of them, in the log, in a
 * calibration (bench/step_probe.h) and in predictions. This is the only list of them.
 *
 *     w_clock_start(&clock);
 *     ...                                     // forward through an attention layer
 *     w_clock_lap(&clock, W_PHASE_ATTENTION); // counts the seconds since the last lap for it */
#ifndef W_PHASE_H
#define W_PHASE_H

#include "base/base.h"

enum w_phase {
    W_PHASE_EMBEDDING, /* forward and backward */
    W_PHASE_NORM,      /* forward, once more where the output is computed again, and backward */
    W_PHASE_LINEAR,    /* GEMMs with weights, and GELU */
    W_PHASE_LINEAR_BACK,
    W_PHASE_ATTENTION,
    W_PHASE_ATTENTION_BACK,
    W_PHASE_HEAD,          /* logits and loss, forward and backward */
    W_PHASE_GATE,          /* of a mixture with counts; forward and backward */
    W_PHASE_ORTHOGONALISE, /* what Muon does before the update */
    W_PHASE_UPDATE,
    W_PHASES
};

struct w_phase_name {
    const char *key;   /* "linear_back": in files and in names of figures */
    const char *title; /* "linear backward": for people, and in the log */
    bool of_update;    /* once a step, whatever its tokens */
};
extern const struct w_phase_name w_phases[W_PHASES];

/* Seconds spent in each phase. */
struct w_clock {
    double seconds[W_PHASES];
    double since; /* the last lap */
};
void w_clock_start(struct w_clock *);
/* Count the time since the last lap, or the start, for a phase. */
void w_clock_lap(struct w_clock *, enum w_phase);

#endif
