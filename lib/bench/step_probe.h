/* step_probe.h - the trainer's own kernels, timed: a few training steps of a model with one layer, by
 * the trainer's own code, at widths, lengths and vocabularies that span what people train.
 *
 * A shape is run with a full and with a quarter of its tokens. What a phase of the step takes is then
 * split into what goes with the tokens and what each call costs anyway (packing of weights, barriers):
 *
 *     seconds = units * (call_s + tokens * token_s)
 *
 * with a unit that makes models comparable: an element of the weights for products, of the residual
 * stream for norms, and so on. Each kind of layer says how many it has (struct w_work). */
#ifndef W_STEP_PROBE_H
#define W_STEP_PROBE_H

#include "bench/probe.h"
#include "kern/kern.h"
#include "net/arch.h"
#include "sys/team.h"

/* One kind of work as measured at one shape. */
struct w_shape {
    u32 d_model, num_heads, d_ff, vocab_size, max_length;
    u32 batch_size; /* of the run with all tokens */
};

struct w_phase_cost {
    double token_s, call_s; /* of a unit */
    double spread;          /* of the samples behind it */
};

struct w_step_probe {
    struct w_shape shape;
    enum w_type type; /* of operands */
    u32 threads, samples;
    double peak; /* FLOP/s of all threads just before or after, whichever was less; 0: not known */
    struct w_phase_cost phases[W_PHASES];
};

/* The shapes of a calibration; ends with d_model 0. */
extern const struct w_shape w_shapes[];

/* A configuration with one layer of that shape. */
struct w_conf w_shape_conf(const struct w_shape *, u64 batch_size);

/* Run the shape: `samples` steps of each of the two sizes, after one that is not counted. */
enum w_status w_step_probe_run(struct w_step_probe *, const struct w_shape *, const struct w_kern *,
                               enum w_type, struct w_team *, u32 samples,
                               struct w_err *) W_MUST_CHECK;

/* Tokens a second of training with steps of so many tokens, from a few steps of a small batch of random
 * ids: the gradient takes as long for each token, the update once a step. */
enum w_status w_step_rate(double *tokens_per_s, const struct w_conf *, double step_tokens,
                          const struct w_kern *, enum w_type, struct w_team *,
                          struct w_err *) W_MUST_CHECK;

#endif
