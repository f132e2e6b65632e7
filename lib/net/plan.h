/* plan.h - the memory plan: every buffer of a run by name, size and lifetime, decided before the
 * run. The trainer allocates one block of plan.bytes and nothing more; wtrain --dry-run and
 * wcachefit print the same plan.
 *
 * In bf16, operands of products are kept as bf16: activations, the gradients that flow back, logits,
 * and a packed copy of the weights for each direction. Floats remain what is added to, step by step:
 * weights, their gradients and moments; the statistics of norms; all losses and reductions; and the
 * residual stream with its gradient. The stream is a sum of 2L + 1 terms: rounded to bf16 at each of
 * them it would lose what a layer adds to a stream that has grown, and it is only 2 of the 10 widths
 * that a layer keeps for its backward pass. */
#ifndef W_PLAN_H
#define W_PLAN_H

#include "kern/bf16.h"
#include "net/tensors.h"

enum w_plan_mode {
    W_PLAN_TRAIN, /* forward, backward, AdamW */
    W_PLAN_EVAL,  /* forward only, losses */
};

enum w_lifetime { W_LIFE_RUN, W_LIFE_STEP, W_LIFE_SCRATCH };
const char *w_lifetime_name(enum w_lifetime);

/* Every buffer of a run, in the order of the block. M = B * T tokens; "per layer" buffers hold all
 * layers one behind the other. The rows of the table in plan.c say shapes. */
enum w_buffer_id {
    W_BUF_WEIGHTS,
    W_BUF_GRADIENTS,
    W_BUF_MOMENTS1,
    W_BUF_MOMENTS2,
    W_BUF_PACKED,      /* operands in bf16, packed for y = x w^T; of floats: none */
    W_BUF_PACKED_BACK, /* and for dx = dy w */
    W_BUF_RESIDUAL,  /* (2L + 1, M, d): the stream before each norm; one (M, d) without backward */
    W_BUF_STATS,     /* (2L + 1, M, 2): mean and rstd of each norm */
    W_BUF_QKV,       /* (L, M, 3d) */
    W_BUF_ATTENTION, /* (L, M, d): output of the heads */
    W_BUF_HIDDEN_IN, /* (L, M, d_ff): before GELU */
    W_BUF_HEAD_PANELS,      /* wte packed for the logits */
    W_BUF_HEAD_PANELS_BACK, /* and for their gradient */
    W_BUF_NORM,             /* (M, d): output of a norm */
    W_BUF_HIDDEN,           /* (M, d_ff): behind GELU */
    W_BUF_D_RESIDUAL,       /* (M, d) */
    W_BUF_D_STREAM,         /* (M, d): d.residual as an operand; of floats it is that itself */
    W_BUF_D_NORM,           /* (M, d): also of the heads' output */
    W_BUF_D_HIDDEN,         /* (M, max(d_ff, 3d)): also of qkv */
    W_BUF_LOGITS,           /* (chunk, V): of one chunk of tokens, then their gradient */
    W_BUF_LOGIT_SUMS,    /* (chunk, slices of V, 2): of bf16 logits, base and sum of each slice */
    W_BUF_LOGIT_FACTORS, /* (chunk): of bf16 logits, what multiplies the gradient of a row */
    W_BUF_NLL,           /* (M): loss of each token */
    W_BUF_PARTIALS,      /* sums of one block of tokens each, added up in their order */
    W_BUF_SHARED,        /* panels of the product that runs */
    W_BUF_MEMBERS,       /* scratch of each thread */
    W_BUF_COUNT
};

/* Tokens whose logits exist at a time, and tokens per partial sum. With fewer, the gradient of the head's
 * weights is read and written more often (half as many: a step takes 2 to 5 % longer, a quarter: 10 %);
 * more gain nothing. */
#define W_HEAD_ROWS 768
#define W_HEAD_ROWS_BF16 1024
#define W_PARTIAL_ROWS 128

struct w_buffer {
    char name[40];
    u64 bytes;                /* 0: not needed in this mode */
    u64 offset;               /* from the start of the block */
    enum w_lifetime lifetime; /* whole run; forward to backward of one step; within one kernel */
};

struct w_plan {
    struct w_buffer buffers[W_BUF_COUNT]; /* by enum w_buffer_id */
    u32 count;
    u64 bytes;        /* of the whole block: the sum of all buffers, each rounded up to 64 */
    u64 member_bytes; /* scratch of one thread */
};

/* The type is that of operands. `members`: threads of the team, each of which has scratch memory;
 * nothing else of the machine matters. Refuses sizes that overflow (W_USAGE). */
enum w_status w_plan_make(struct w_plan *, const struct w_conf *, enum w_plan_mode, enum w_type,
                          u32 members, struct w_err *) W_MUST_CHECK;
const struct w_buffer *w_plan_find(const struct w_plan *, const char *name); /* or NULL */

/* Can a configuration be trained in so many bytes? W_NO: it cannot, or not at all. *needed, unless it
 * is NULL, becomes what it takes. */
enum w_status w_plan_fits(const struct w_conf *, enum w_type, u32 members, double bytes,
                          u64 *needed, struct w_err *) W_MUST_CHECK;
/* The largest batch_size of at most `most` with which it can; 0: none. */
enum w_status w_plan_largest_batch(const struct w_conf *, enum w_type, u32 members, double bytes,
                                   u64 most, u64 *batch, struct w_err *) W_MUST_CHECK;

#endif
