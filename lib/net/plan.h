/* plan.h - the memory plan: every buffer of a run by name, size and lifetime, decided before the
 * run. The trainer allocates one block of plan.bytes and nothing more; wtrain --dry-run and
 * wcachefit print the same plan.
 *
 * With bf16 as compute type, GEMM operands are kept in bf16: activations, the gradients that flow
 * back, logits, and a packed copy of the weights for each direction. Kept in fp32: everything that
 * is accumulated (weights, gradients, moments), the statistics of norms, all losses and reductions,
 * and the residual stream with its gradient. The stream is a sum of 2L + 1 terms: rounded to bf16
 * at each of them it would lose what a layer adds to a stream that has grown, and it is only 2 of
 * the 10 widths that a layer keeps for its backward pass. */
#ifndef W_PLAN_H
#define W_PLAN_H

#include "kern/bf16.h"
#include "net/tensors.h"

enum w_plan_mode {
    W_PLAN_TRAIN,  /* forward, backward, optimizer */
    W_PLAN_EVAL,   /* forward only, losses */
    W_PLAN_DECODE, /* tokens of several texts, with a KV cache; the weights are the caller's */
};

enum w_lifetime { W_LIFE_RUN, W_LIFE_STEP, W_LIFE_SCRATCH };
const char *w_lifetime_name(enum w_lifetime);

/* Tokens whose logits exist at a time, and tokens per partial sum. With fewer, the gradient of the
 * head's weights is read and written more often (with half as many a step takes 2 to 5 % longer,
 * with a quarter 10 %); more gain nothing. */
#define W_HEAD_ROWS 768
#define W_HEAD_ROWS_BF16 1024
#define W_PARTIAL_ROWS 128

#define W_PLAN_ROWS 40
/* Blocks of state beside the weights, at most: those of the optimizer's rules (net/optim.h), and as
 * the last one the momentum of the outer step (net/outer.h). */
#define W_OPTIMIZER_STATES 4
#define W_OUTER_STATE (W_OPTIMIZER_STATES - 1)

/* A buffer. */
struct w_plan_row {
    const char *name;
    u64 bytes;
    u64 offset;               /* from the start of the block */
    enum w_lifetime lifetime; /* whole run; forward to backward of one step; within one kernel */
};

struct w_plan {
    struct w_plan_row rows[W_PLAN_ROWS];
    u32 count;
    u64 bytes;        /* of the whole block: the sum of all buffers, each rounded up to 64 */
    u64 thread_bytes; /* scratch of one thread */
};

/* Generation: texts whose keys and values are kept, rows of a pass at most, and rows of which
 * logits are wanted at most; the type of the weights, of which packed copies are kept. */
struct w_plan_decode {
    enum w_type weights;
    u64 slots, rows, logits;
};

/* The types of weights that there are: F32, BF16, Q8. */
#define W_DECODE_TYPES 3
extern const enum w_type w_decode_types[W_DECODE_TYPES];

/* enum w_type: the compute type. threads: of the team; each has scratch memory, and nothing else of
 * the machine matters. W_USAGE: sizes that overflow; W_NOMEM. */
enum w_status w_plan_make(struct w_plan *, const struct w_conf *, enum w_plan_mode, enum w_type,
                          u32 threads, struct w_err *) W_MUST_CHECK;
/* The same for generation. The compute type follows from that of the weights. */
enum w_status w_plan_decode(struct w_plan *, const struct w_conf *, const struct w_plan_decode *,
                            u32 threads, struct w_err *) W_MUST_CHECK;
const struct w_plan_row *w_plan_find(const struct w_plan *, const char *name); /* or NULL */

/* Can a configuration be trained in so many bytes? W_NO: it needs more, or is refused by
 * w_conf_check() or w_plan_make(); W_NOMEM. *needed, unless NULL, becomes the bytes of its plan, if
 * it has one. */
enum w_status w_plan_fits(const struct w_conf *, enum w_type, u32 threads, double bytes,
                          u64 *needed, struct w_err *) W_MUST_CHECK;
/* The largest batch_size up to `most` with which it can; 0: there is none. W_NOMEM. */
enum w_status w_plan_largest_batch(const struct w_conf *, enum w_type, u32 threads, double bytes,
                                   u64 most, u64 *batch, struct w_err *) W_MUST_CHECK;

/* ---- for the layers, which request memory ---- */

/* A place in the block: bytes from the start of a row. row W_PLAN_NOWHERE: no place. */
struct w_plan_place {
    u32 row;
    u64 offset;
};
#define W_PLAN_NOWHERE UINT32_MAX

/* A plan in the making. */
struct w_planner {
    struct w_plan *plan;
    const struct w_conf *conf;
    enum w_plan_mode mode;
    enum w_type type;
    const struct w_plan_decode *decode;                /* in generation; else NULL */
    u64 tokens;                                        /* M: of a batch or pass, at most */
    u64 element;                                       /* bytes of a number in the compute type */
    u64 thread_floats, panel_elements, partial_floats; /* the largest requests */
};

/* Arithmetic of sizes, which stay UINT64_MAX once they overflow. */
u64 w_size_mul(u64 a, u64 b);
u64 w_size_add(u64 a, u64 b);
u64 w_size_padded(u64 n); /* rounded up to W_TILE_COLS_MAX */

/* One buffer for all requests of that name, as large as the largest of them. */
struct w_plan_place w_plan_shared(struct w_planner *, const char *name, enum w_lifetime, u64 bytes);
/* A buffer in which every request of that name has a part of its own, one after the other. */
struct w_plan_place w_plan_each(struct w_planner *, const char *name, enum w_lifetime, u64 bytes);
/* A buffer from forward to backward: w_plan_each() in training, else w_plan_shared(). */
struct w_plan_place w_plan_kept(struct w_planner *, const char *name, u64 bytes);
/* Scratch memory: of each thread; for GEMMs with a weight (out, in) in all directions; for partial
 * sums of `width` floats for every W_PARTIAL_ROWS tokens. */
void w_plan_thread(struct w_planner *, u64 floats);
void w_plan_product(struct w_planner *, u64 in, u64 out);
void w_plan_partials(struct w_planner *, u64 width);

/* The plan of an architecture, whose layers get their places; status as of w_plan_make(), which is
 * this for a temporary one. */
struct w_arch;
struct w_plan_common {
    struct w_plan_place weights, gradients, gradient_levels, states[W_OPTIMIZER_STATES], packed,
        packed_back, d_residual, d_stream, optimizer;
    struct w_plan_place partials, panels, threads, nll;
    struct w_plan_place lazy_bits, lazy_ids; /* nowhere without lazy rows */
    struct w_plan_place seen, seen_step;     /* nowhere without a sampled softmax */
    struct w_plan_place sum_error; /* of sums over ranks in bf16 (net/peer_sum.h); else nowhere */
    /* With local steps, what all ranks have in common: the weights, each state of the rules, and of
     * a sampled softmax the targets that were seen. Else nowhere. */
    struct w_plan_place common_weights, common_states[W_OUTER_STATE], common_seen;
};
enum w_status w_plan_arch(struct w_plan *, struct w_plan_common *, struct w_arch *,
                          const struct w_conf *, enum w_plan_mode, enum w_type,
                          const struct w_plan_decode *, u32 threads, struct w_err *) W_MUST_CHECK;
/* The compute type of generation: of activations. Bf16 for weights in 8 bits, which activations are
 * rounded to in each product, or multiplied by in bf16. */
enum w_type w_decode_type(enum w_type weights);

#endif
