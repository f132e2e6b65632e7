/* checkpoint_private.h - how a checkpoint lists its tensors, for the files that write and read
 * it. */
#ifndef W_CHECKPOINT_PRIVATE_H
#define W_CHECKPOINT_PRIVATE_H

#include "store/checkpoint.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are copied as they are in memory, which is how the stream has them");

/* The blocks of a checkpoint, in the order of the file: weights, then the states of the optimizer,
 * as far as a configuration has them; the last is that of the outer step. */
enum { WEIGHTS, STATES, OUTER = STATES + W_OUTER_STATE, BLOCKS = STATES + W_OPTIMIZER_STATES };

/* What stands before a dot and the name of a tensor in a block of states; NULL: there is no such
 * block. */
static inline const char *state_name(const struct w_conf *conf, u32 block)
{
    if (block == OUTER)
        return conf->local_steps ? "outer.m" : NULL;
    return w_optimizer_state(w_optimizer_of(conf), block - STATES).name;
}

/* Does a block hold a tensor? */
static inline bool has_tensor(const struct w_conf *conf, u32 block, const struct w_tensor *t)
{
    if (block == WEIGHTS)
        return true;
    return state_name(conf, block) &&
           (block == OUTER ||
            w_optimizer_state(w_optimizer_of(conf), block - STATES).rule == t->rule);
}

/* Where in the block that tensor begins, in floats. */
static inline u64 place_in(u32 block, const struct w_tensor *t)
{
    return block == WEIGHTS || block == OUTER ? t->offset : t->state;
}

/* How many tensors a block holds. */
static inline u32 tensors_in(const struct w_conf *conf, u32 block, const struct w_tensors *tensors)
{
    u32 count = 0;
    for (u32 i = 0; i < tensors->count; i++)
        count += has_tensor(conf, block, &tensors->rows[i]);
    return count;
}

/* The state of a sampled softmax, after the blocks. */
#define SEEN_NAME "softmax.seen"

#endif
