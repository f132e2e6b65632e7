/* outer.h - rounds of local steps, DiLoCo (Douillard and others, 2023, arXiv 2311.08105), as far as
 * one rank computes them.
 *
 * A round begins with the weights that all ranks have in common. Each rank takes conf.local_steps
 * optimizer steps of its own from there. Then, with g the outer gradient,
 *
 *      g = mean over the ranks of (common - weights)
 *      m = momentum m + g,   common -= learning_rate (momentum m + g)
 *      weights = common
 *
 * which is Nesterov's momentum as PyTorch's SGD has it. Each state of the optimizer becomes its
 * mean over the ranks, as in local Adam (Cheng and Glasgow, 2024, arXiv 2409.13155): so the ranks
 * have all in common between two rounds, and a checkpoint says nothing of them.
 *
 *     w_outer_begin(&outer)                  // common is what there is now
 *     ...                                    // steps, which change the weights and the states
 *     w_outer_gradient(&outer)
 *     ...                                    // states and gradient become sums over the ranks
 *     w_outer_step(&outer, ranks, 0.7, 0.9)
 *
 * or w_outer_drop(), after which the round has not been. round.c does this for a model. */
#ifndef W_OUTER_H
#define W_OUTER_H

#include "kern/gemm.h"
#include "net/plan.h"

#define W_OUTER_BLOCKS (1 + W_OUTER_STATE)

/* A view: all memory is the caller's. */
struct w_outer {
    const struct w_engine *engine;
    struct w_outer_block {
        float *now;    /* (floats): what steps change */
        float *common; /* (floats): the same when the round began */
        u64 floats;
    } blocks[W_OUTER_BLOCKS]; /* the weights, then the states of the optimizer's rules */
    u32 count;                /* of blocks */
    float *momentum;          /* m, as the weights */
    float *gradient;          /* as the weights; zeros in a round */
};

void w_outer_begin(const struct w_outer *);
/* This rank's term of the outer gradient, common - weights, in place of what is in `gradient`. The
 * weights are not read any more: their memory is scratch for the sum until w_outer_step(). */
void w_outer_gradient(const struct w_outer *);
/* `gradient` and the blocks of states are sums over so many ranks. All blocks become what the next
 * round begins with; the gradient becomes zero. */
void w_outer_step(const struct w_outer *, u32 ranks, double learning_rate, double momentum);
/* All blocks as they were when the round began. */
void w_outer_drop(const struct w_outer *);

#endif
