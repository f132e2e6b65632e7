/* decode_probe.h - generation, timed: small models that wsample's own code runs, for each type that
 * weights can have.
 *
 *     for (i = 0; i < W_DECODE_MODELS; i++)
 *         w_decode_probe_run(&p, &w_decode_models[i], kern, team, 0.5, &err);
 *     p.cost                          // of a model with so many bytes of weights */
#ifndef W_DECODE_PROBE_H
#define W_DECODE_PROBE_H

#include "bench/probe.h"
#include "bench/step_probe.h"
#include "net/plan.h"

/* Time of a token with weights of some size, for each of w_decode_types; 0: not measured. */
struct w_decode_cost {
    u64 bytes;       /* of weights that are read to generate a token, in fp32 */
    u64 layer_bytes; /* the same without the head, which a prompt needs only for its last token */
    double seconds[W_DECODE_TYPES];  /* to generate a token */
    double prompt_s[W_DECODE_TYPES]; /* of a token of a prompt */
};

struct w_decode_probe {
    struct w_decode_cost cost;
    u32 measurements, noisy; /* how many there were, and how many of them varied too much */
};

/* Models of 1 to 280 MB in fp32, from the smallest to the largest. */
struct w_decode_model {
    struct w_shape shape;
    u64 layers;
};
#define W_DECODE_MODELS 5
extern const struct w_decode_model w_decode_models[W_DECODE_MODELS];

/* Run a model with constant weights, by the kernels for each compute type; those of NULL are left
 * out. seconds: the approximate duration of all measurements, which take longer where four tokens
 * or prompts do. W_USAGE: sizes that overflow; W_NOMEM. */
enum w_status w_decode_probe_run(struct w_decode_probe *, const struct w_decode_model *,
                                 const struct w_kern *const kern[W_COMPUTE_TYPES], struct w_team *,
                                 double seconds, struct w_err *) W_MUST_CHECK;

/* Sample a token with wsample's defaults, from logits that spread like those of a small model. The
 * probe's seconds are those of a token, divided by the ids of the vocabulary. W_NOMEM. */
enum w_status w_draw_probe_run(struct w_probe *, const struct w_kern *, double seconds,
                               struct w_err *) W_MUST_CHECK;

#endif
