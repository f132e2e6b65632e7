/* The ends of a round of local steps (net/outer.h), of a model among ranks.
 *
 * All exchanges are done before anything that the ranks have in common changes: so a round in whose
 * exchanges a rank is lost can still be dropped. */
#include "net/model_private.h"

void w_model_begin_round(struct w_model *m)
{
    w_outer_begin(&m->outer);
    if (m->pass.seen)
        w_seen_targets_begin_round(&m->seen, &m->conf);
}

/* x (floats) becomes the sum over the ranks; scratch is as large. */
static enum w_status sum_floats(struct w_model *m, float *x, float *scratch, u64 floats,
                                bool feedback, struct w_err *err)
{
    w_peer_sum_begin(&m->sum, x, scratch, floats, feedback);
    for (u64 left = floats, n; (n = w_gradient_piece(floats, left, 0)) > 0;) {
        left -= n;
        w_peer_sum_send(&m->sum, left, n);
    }
    return w_peer_sum_end(&m->sum, err);
}

/* The block of gradients, which a step leaves as zeros, is the scratch memory for all but the outer
 * gradient, which is made in it; that one has the memory of the weights. */
static enum w_status sum_round(struct w_model *m, struct w_err *err)
{
    const struct w_outer *outer = &m->outer;
    const struct w_outer_block *weights = &outer->blocks[0], *end = weights + outer->count;
    enum w_status status = W_DONE;

    for (const struct w_outer_block *b = weights + 1; b < end && !status; b++)
        status = sum_floats(m, b->now, outer->gradient, b->floats, false, err);
    if (!status && m->pass.seen) {
        w_seen_targets_reopen(&m->seen, &m->conf);
        w_peer_sum_counts(m->sum.peers, m->seen.step, (u32 *)(void *)outer->gradient,
                          m->conf.vocab_size);
        status = w_peers_wait(m->sum.peers, err);
    }
    if (!status) {
        w_outer_gradient(outer);
        status = sum_floats(m, outer->gradient, weights->now, weights->floats, true, err);
    }
    return status;
}

enum w_status w_model_end_round(struct w_model *m, double *norm, struct w_err *err)
{
    const struct w_outer *outer = &m->outer;
    const u32 ranks = w_peers_size(m->sum.peers);
    enum w_status status = sum_round(m, err);

    if (status)
        return status;
    double *partials = (double *)(void *)m->pass.partials;
    const struct w_update update = {.tensors = &m->arch.tensors, .gradients = outer->gradient};
    *norm =
        w_norm_of_squares(partials, w_update_squares(&m->pass.engine, &update, partials)) / ranks;
    w_outer_step(outer, ranks, m->conf.outer_learning_rate, m->conf.outer_momentum);
    if (m->pass.seen) {
        w_seen_targets_settle(&m->seen, &m->conf);
        w_seen_targets_begin_round(&m->seen, &m->conf);
    }
    m->stale = m->table_stale = true;
    return W_DONE;
}

void w_model_drop_round(struct w_model *m)
{
    w_outer_drop(&m->outer);
    if (m->pass.seen)
        w_seen_targets_drop_round(&m->seen, &m->conf);
    m->stale = m->table_stale = true;
}
