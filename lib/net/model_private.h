/* model_private.h - a model as its files see it: model.c makes it, step.c takes steps,
 * shared_step.c and round.c take them among ranks, and infer.c generates. */
#ifndef W_MODEL_PRIVATE_H
#define W_MODEL_PRIVATE_H

#include "net/arch.h"
#include "net/gradient_tree.h"
#include "net/model.h"
#include "net/optim.h"
#include "net/outer.h"

struct w_model {
    struct w_conf conf;
    struct w_plan plan;
    struct w_arch arch;
    struct w_layer_at *layers; /* arch.count of them, with their memory */
    struct w_pass pass;
    const struct w_optimizer *optimizer;
    void *optimizer_scratch;
    u8 *block;
    float *weights, *states[W_OPTIMIZER_STATES];
    struct w_gradient_tree tree;
    struct w_peer_sum sum; /* over ranks */
    struct w_deal deal;    /* of the update, among ranks; without spans if it is not dealt */
    bool scattered;        /* each rank has the states of its own spans alone */
    u64 wanted[2];         /* by any rank: all states on each; scratch */
    double *squares;       /* (square_count): of the step's gradient, by stripes */
    u64 square_count;
    struct w_outer outer;       /* no blocks without local steps */
    struct w_lazy_rows lazy;    /* its tensor is set without lazy rows too */
    struct w_seen_targets seen; /* NULL without a sampled softmax */
    bool stale;       /* weights may have been written to: their packed copies are out of date */
    bool table_stale; /* that of the table of ids is: a sampled head packs what it needs */
};

/* A pass over all weights; dealt out, over those of this rank. */
struct w_update w_model_pass(const struct w_model *);
/* Make the squares of the gradient, and list the lazy rows. */
void w_model_square(struct w_model *);

/* Layers with the memory that a plan gives them within a block; the caller frees the array. NULL:
 * no memory. */
struct w_layer_at *w_layers_place(const struct w_arch *, const struct w_plan *, u8 *block,
                                  struct w_pass *);

/* The address of a place, or NULL. */
static inline void *w_plan_at(const struct w_plan *plan, u8 *block, struct w_plan_place place)
{
    return place.row == W_PLAN_NOWHERE ? NULL : block + plan->rows[place.row].offset + place.offset;
}

#endif
