/* gradient_tree.h - the gradient of a step as a sum over its batches, in one order whoever computes
 * it: one process, or several that share out the batches (sys/peers.h).
 *
 * The `accumulate` batches of a step are divided into parts, as many as w_gradient_parts() says, a
 * power of two. Batches of a part add to one block of gradients, one after the other. The parts are
 * summed in a binary tree: 0 and 1, 2 and 3, then these sums, and so on. Each of 2^n ranks has the
 * parts of one subtree, and the sums above it are made between the ranks: so the bits are the same.
 *
 *     tree.block                                   // what a batch adds to
 *     w_gradient_tree_final(&tree, from)    // in the last batch: gradients from here on are done
 *     w_gradient_tree_batch(&tree)          // after each batch
 *     w_gradient_tree_reset(&tree)          // after the update, which has cleared the block
 *
 * A process that has 2^n parts needs n blocks beside the one that batches add to: as in counting in
 * binary, one for each level of the tree. What a process among ranks does not need of them is its
 * scratch memory for exchanges. */
#ifndef W_GRADIENT_TREE_H
#define W_GRADIENT_TREE_H

#include "conf/conf.h"
#include "kern/gemm.h"
#include "net/deal.h"
#include "net/peer_sum.h"

#define W_GRADIENT_LEVELS 10 /* of the tree, at most */

/* The parts of a step: the largest power of two up to conf.max_ranks that divides conf.accumulate.
 * No more ranks can share out a step. With local steps 1: gradients are summed within a rank alone,
 * of whose number only accumulate has to be a multiple. */
u32 w_gradient_parts(const struct w_conf *);
/* Ranks that can share out the batches of a step, at most; any smaller power of two can, too. */
u32 w_gradient_ranks(const struct w_conf *);

/* Of a block of so many floats, those from `from` on are final, and those from `sent` on are on
 * their way: the floats of the next exchange, the last ones before `sent`. 0: it is not worth one
 * yet, or nothing is left. */
u64 w_gradient_piece(u64 floats, u64 sent, u64 from);

struct w_gradient_tree {
    const struct w_engine *engine;
    struct w_peer_sum *sum;    /* over ranks; NULL: alone */
    const struct w_deal *deal; /* who is to have the sum of a span; without spans all */
    u64 floats;                /* of a block */
    float *block;              /* what batches add to; zeros before the first */
    /* The sum of 2^level parts that waits for its neighbour, or memory that is free. */
    float *levels[W_GRADIENT_LEVELS];
    u32 height;      /* of the subtree: levels that this process adds up */
    u64 batches;     /* of this process in a step */
    u64 part;        /* batches of a part */
    u64 done;        /* batches, of the present step */
    u64 added, sent; /* in the last batch: floats from here on are summed; are on their way */
    u32 spans;       /* of the deal that are on their way */
};

/* block: zeros. levels: memory of as many blocks as the tree has levels. For a process alone. */
void w_gradient_tree_init(struct w_gradient_tree *, const struct w_engine *, const struct w_conf *,
                          float *block, float *levels, u64 floats);
/* Share out the batches of a step. The number of ranks divides w_gradient_parts(), or, with local
 * steps, accumulate. The deal may be made later; NULL: there are no ranks. */
void w_gradient_tree_share(struct w_gradient_tree *, const struct w_conf *, struct w_peer_sum *,
                           const struct w_deal *);
/* Is the batch at hand the last one of this process in the step? */
bool w_gradient_tree_is_last(const struct w_gradient_tree *);
void w_gradient_tree_batch(struct w_gradient_tree *);
/* Between ranks this starts exchanges, for which w_peer_sum_end() waits. */
void w_gradient_tree_final(struct w_gradient_tree *, u64 from);
/* As large as a block; among ranks only. */
float *w_gradient_tree_scratch(const struct w_gradient_tree *);
void w_gradient_tree_reset(struct w_gradient_tree *);

#endif
