/* arch.h - the description of the model: which layers a configuration has, in their order. One
 * table of rows for each architecture; so far the only one is GPT-2's: pre-LN, learned positions,
 * tied head.
 *
 *     w_arch_make(&arch, &conf, &err)             // its layers and the table of their tensors
 *     ...
 *     w_arch_free(&arch)
 *     w_arch_work(work, &conf, W_TYPE_BF16)       // FLOPs and bytes of a step
 *
 * It describes only chains of layers around one residual stream. */
#ifndef W_ARCH_H
#define W_ARCH_H

#include "net/layer.h"

struct w_arch {
    struct w_layer *layers;
    u32 count;
    struct w_tensors tensors;
};
/* W_USAGE: more layers or parameters than can be counted; W_NOMEM. */
enum w_status w_arch_make(struct w_arch *, const struct w_conf *, struct w_err *) W_MUST_CHECK;
void w_arch_free(struct w_arch *); /* harmless on zeros */

/* The first of the layers that make losses: from it to the end all of them do. */
u32 w_arch_head(const struct w_arch *);

/* The work of each phase for one batch, summed over the layers; that of phases of the update
 * (w_phases.of_update) for one optimizer step. */
void w_arch_work(struct w_work work[W_PHASES], const struct w_conf *, enum w_type);

/* Weights in matrices. */
double w_arch_matrices(const struct w_conf *);

/* Training FLOPs per token, attention over the causal half only; GFLOP/s are computed from this.
 * The backward pass counts as two forward passes (wcachefit --explain has the formula). */
double w_arch_flops_per_token(const struct w_conf *);

#endif
