/* A step among ranks: where they meet before the update, and after it. */
#include "net/model_private.h"

static void join_words(const void *context, void *x, const void *other, u64 items)
{
    u64 *to = x;
    const u64 *from = other;

    (void)context;
    for (u64 i = 0; i < items; i++)
        to[i] |= from[i];
}

/* Each number was made by one rank, and is zero on the others. */
static void add_squares(const void *context, void *x, const void *other, u64 items)
{
    double *to = x;
    const double *from = other;

    (void)context;
    for (u64 i = 0; i < items; i++)
        to[i] += from[i];
}

void w_model_withhold(struct w_model *m)
{
    for (const struct w_layer_at *at = m->layers + m->arch.count; at-- > m->layers;)
        if (at->layer->kind->tensors && m->tree.sum && m->tree.sent > at->tensors->offset)
            w_gradient_tree_final(&m->tree, at->tensors->offset);
}

enum w_status w_model_deal(struct w_model *m, struct w_err *err)
{
    struct w_peers *peers = m->sum.peers;

    if (!m->tree.sum || m->sum.bf16)
        return W_DONE;
    return w_deal_make(&m->deal, &m->arch.tensors, m->pass.lazy, w_peers_rank(peers),
                       w_peers_size(peers), err);
}

bool w_model_deals(const struct w_model *m)
{
    return m->deal.count > 0;
}

/* What a sampled softmax takes from the batches: targets that were seen, rows that were used. */
static enum w_status gather_ids(struct w_model *m, struct w_err *err)
{
    struct w_peers *peers = m->sum.peers;
    const u64 vocab = m->conf.vocab_size;
    /* as large as the table of ids at least, and not used any more */
    u32 *scratch = (u32 *)(void *)w_gradient_tree_scratch(&m->tree);

    w_peer_sum_counts(peers, m->seen.step, scratch, vocab);
    enum w_status status = w_peers_wait(peers, err);
    if (status || !m->pass.lazy)
        return status;
    w_peers_combine(peers, &(struct w_peers_job){.x = m->lazy.used.bits,
                                                 .scratch = scratch,
                                                 .items = W_ID_SET_WORDS(vocab),
                                                 .item_bytes = sizeof *m->lazy.used.bits,
                                                 .operation = join_words});
    return w_peers_wait(peers, err);
}

static enum w_status gather_squares(struct w_model *m, struct w_err *err)
{
    w_clock_start(&m->pass.clock);
    w_model_square(m);
    w_clock_lap(&m->pass.clock, W_PHASE_UPDATE);
    w_peers_combine(m->sum.peers, &(struct w_peers_job){.x = m->squares,
                                                        .scratch = m->squares + m->square_count,
                                                        .items = m->square_count,
                                                        .item_bytes = sizeof *m->squares,
                                                        .operation = add_squares});
    return w_peers_wait(m->sum.peers, err);
}

enum w_status w_model_gather(struct w_model *m, struct w_err *err)
{
    if (!m->tree.sum)
        return W_DONE;
    enum w_status status = w_peer_sum_end(m->tree.sum, err);
    if (!status && m->pass.seen)
        status = gather_ids(m, err);
    if (!status && m->deal.count > 0)
        status = gather_squares(m, err);
    return status;
}

/* ---- after an update that was dealt out ---- */

/* A span of a block, of which its first float is at x, goes from its owner to all. */
static void send_span(struct w_model *m, const struct w_deal_span *span, float *x)
{
    if (span->owner != W_DEAL_ALL)
        w_peers_combine(m->sum.peers, &(struct w_peers_job){.x = x,
                                                            .items = span->end - span->begin,
                                                            .item_bytes = sizeof *x,
                                                            .way = W_PEERS_FROM,
                                                            .owner = span->owner});
}

static enum w_status spread_weights(struct w_model *m, struct w_err *err)
{
    struct w_update update = w_model_pass(m);

    for (const struct w_deal_span *s = m->deal.spans; s < m->deal.spans + m->deal.count; s++)
        send_span(m, s, m->weights + s->tensor->offset + s->begin);
    enum w_status status = w_peers_wait(m->sum.peers, err);
    if (status)
        return status;
    w_clock_start(&m->pass.clock);
    update.others = true;
    w_update_weights(&m->pass.engine, &update);
    w_clock_lap(&m->pass.clock, W_PHASE_UPDATE);
    return W_DONE;
}

static enum w_status spread_states(struct w_model *m, struct w_err *err)
{
    struct w_rule_state state;
    enum w_status status = W_DONE;

    for (u32 i = 0; !status && (state = w_optimizer_state(m->optimizer, i)).name; i++) {
        for (const struct w_deal_span *s = m->deal.spans; s < m->deal.spans + m->deal.count; s++)
            if (s->tensor->rule == state.rule)
                send_span(m, s, m->states[i] + s->tensor->state + s->begin);
        status = w_peers_wait(m->sum.peers, err);
    }
    return status;
}

enum w_status w_model_spread(struct w_model *m, bool states, struct w_err *err)
{
    if (!m->scattered)
        return W_DONE;
    m->wanted[0] = states;
    w_peers_combine(m->sum.peers, &(struct w_peers_job){.x = &m->wanted[0],
                                                        .scratch = &m->wanted[1],
                                                        .items = 1,
                                                        .item_bytes = sizeof m->wanted[0],
                                                        .operation = join_words});
    enum w_status status = spread_weights(m, err);
    if (!status && m->wanted[0])
        status = spread_states(m, err);
    if (!status)
        m->scattered = !m->wanted[0];
    return status;
}

bool w_model_is_whole(const struct w_model *m)
{
    return !m->scattered;
}
