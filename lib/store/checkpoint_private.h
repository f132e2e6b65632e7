/* checkpoint_private.h - how a checkpoint lists its tensors, for the files that write and read it. */
#ifndef W_CHECKPOINT_PRIVATE_H
#define W_CHECKPOINT_PRIVATE_H

#include "store/checkpoint.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are copied as they are in memory, which is how the stream has them");

/* The blocks of a checkpoint, in the order of the file: weights, then the states of the
 * optimizer. */
enum { WEIGHTS, STATES, BLOCKS = STATES + W_OPTIMIZER_STATES };

/* How many of them an optimizer has. */
static inline u32 blocks_of(const struct w_optimizer *optimizer)
{
    u32 blocks = STATES;
    while (w_optimizer_state(optimizer, blocks - STATES).name)
        blocks++;
    return blocks;
}

/* Does a block hold a tensor? */
static inline bool has_tensor(const struct w_optimizer *optimizer, u32 block,
                              const struct w_tensor *t)
{
    return block == WEIGHTS || w_optimizer_state(optimizer, block - STATES).rule == t->rule;
}

/* Where it does, in floats. */
static inline u64 place_in(u32 block, const struct w_tensor *t)
{
    return block == WEIGHTS ? t->offset : t->state;
}

/* How many tensors a block holds. */
static inline u32 tensors_in(const struct w_optimizer *optimizer, u32 block,
                             const struct w_tensors *tensors)
{
    u32 count = 0;
    for (u32 i = 0; i < tensors->count; i++)
        count += has_tensor(optimizer, block, &tensors->rows[i]);
    return count;
}

/* The state of a sampled softmax, after the blocks. */
#define SEEN_NAME "softmax.seen"

#endif
