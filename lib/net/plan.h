/* plan.h - the memory plan: every buffer of a run by name, size and lifetime, decided before the
 * run. The trainer allocates one block of plan.bytes and nothing more; wtrain --dry-run and
 * wcachefit print the same plan. */
#ifndef W_PLAN_H
#define W_PLAN_H

#include "net/tensors.h"

enum w_plan_mode {
    W_PLAN_TRAIN, /* forward, backward, AdamW */
    W_PLAN_EVAL,  /* forward only, losses */
};

enum w_lifetime { W_LIFE_RUN, W_LIFE_STEP, W_LIFE_SCRATCH };
const char *w_lifetime_name(enum w_lifetime);

struct w_buffer {
    char name[40];
    u64 bytes;
    u64 offset;               /* from the start of the block */
    enum w_lifetime lifetime; /* whole run; forward to backward of one step; within one kernel */
};

#define W_BUFFERS_MAX 96

struct w_plan {
    struct w_buffer buffers[W_BUFFERS_MAX];
    u32 count;
    u64 bytes; /* of the whole block: the sum of all buffers, each rounded up to 64 */
};

/* `members`: threads of the team, each of which has scratch memory. Refuses sizes that overflow
 * (W_USAGE). */
enum w_status w_plan_make(struct w_plan *, const struct w_conf *, enum w_plan_mode, u32 members,
                          struct w_err *) W_MUST_CHECK;
const struct w_buffer *w_plan_find(const struct w_plan *, const char *name); /* or NULL */

#endif
