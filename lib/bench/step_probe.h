/* step_probe.h - the trainer's own kernels, timed: a few training steps of a model with one layer,
 * by the trainer's own code, at widths, lengths and vocabularies of the usual range.
 *
 * A shape is run with a full and with a quarter of its tokens, with a quarter also with Muon and
 * the gate of a mixture. From the two times of each phase follow its cost for each token and the
 * fixed cost of each call (packing of weights, barriers):
 *
 *     seconds = units * (call_s + tokens * token_s)
 *
 * with units that make models comparable: elements of the weights for GEMMs, of the residual stream
 * for norms, and so on. Each kind of layer counts its own (struct w_work). */
#ifndef W_STEP_PROBE_H
#define W_STEP_PROBE_H

#include "base/rng.h"
#include "bench/probe.h"
#include "kern/kern.h"
#include "net/arch.h"
#include "sys/team.h"

/* The shape of a model with one layer. */
struct w_shape {
    u32 d_model, num_heads, d_ff, vocab_size, max_length;
    u32 batch_size; /* of the run with all tokens */
    u32 softmax_sample;
};

struct w_phase_cost {
    double token_s, call_s; /* of a unit */
    double spread;          /* of the samples */
};

struct w_step_probe {
    struct w_shape shape;
    enum w_type type; /* the compute type */
    u32 threads, samples;
    double peak; /* FLOP/s of all threads, the lesser of just before and just after; 0: not known */
    struct w_phase_cost phases[W_PHASES];
};

/* The shapes of a calibration; those that say most about others come first. */
#define W_SHAPES 10
extern const struct w_shape w_shapes[W_SHAPES];

/* Features of counts in the probes. */
#define W_PROBE_COUNTS 8

/* A configuration with one layer of that shape, without counts, with AdamW. */
struct w_conf w_shape_conf(const struct w_shape *, u64 batch_size);
/* An id to train on: as likely as words are (Zipf's law) where the time of a step depends on how
 * many different ids it has. */
u32 w_step_probe_id(struct w_rng *, const struct w_conf *);

/* The cost of a phase from its times with all tokens and with a quarter of them: a line through two
 * points, with limits on its slope that keep noise from making it flat or steeper than through the
 * origin. The update is done once a step: its time does not depend on the tokens. */
struct w_phase_cost w_phase_cost_of(enum w_phase, struct w_probe all, struct w_probe quarter,
                                    double tokens, double units);

/* Run the shape: `samples` steps of each of the two sizes, after one that is not counted. W_USAGE:
 * sizes that overflow; W_NOMEM. */
enum w_status w_step_probe_run(struct w_step_probe *, const struct w_shape *, const struct w_kern *,
                               enum w_type, struct w_team *, u32 samples,
                               struct w_err *) W_MUST_CHECK;

/* Tokens a second of training with steps of step_tokens, from a few steps of a small batch of
 * random ids: the time of the gradient is proportional to the tokens, that of the update is once a
 * step. Status as above. */
enum w_status w_step_rate(double *tokens_per_s, const struct w_conf *, double step_tokens,
                          const struct w_kern *, enum w_type, struct w_team *,
                          struct w_err *) W_MUST_CHECK;

#endif
