#include "net/phase.h"

#include "sys/clock.h"

const struct w_phase_name w_phases[W_PHASES] = {
    [W_PHASE_EMBEDDING] = {"embedding", "embedding"},
    [W_PHASE_NORM] = {"norm", "norm"},
    [W_PHASE_LINEAR] = {"linear", "linear"},
    [W_PHASE_LINEAR_BACK] = {"linear_back", "linear backward"},
    [W_PHASE_ATTENTION] = {"attention", "attention"},
    [W_PHASE_ATTENTION_BACK] = {"attention_back", "attention backward"},
    [W_PHASE_HEAD] = {"head", "head"},
    [W_PHASE_GATE] = {"gate", "gate"},
    [W_PHASE_ORTHOGONALISE] = {"orthogonalise", "orthogonalise", .of_update = true},
    [W_PHASE_UPDATE] = {"update", "update", .of_update = true},
};

void w_clock_start(struct w_clock *clock)
{
    clock->since = w_now_s();
}

void w_clock_lap(struct w_clock *clock, enum w_phase phase)
{
    const double now = w_now_s();

    clock->seconds[phase] += now - clock->since;
    clock->since = now;
}
