/* One step: forward through the layers, backward through them, update. */
#include <math.h>
#include <string.h>

#include "net/model_private.h"

const void *w_layer_input(const struct w_layer_at *at)
{
    const struct w_layer_at *maker = at - 1;

    if (maker->layer->kind->recomputed) {
        w_clock_lap(&at->pass->clock, at->layer->kind->backward_phase);
        maker->layer->kind->forward(maker);
        w_clock_lap(&at->pass->clock, maker->layer->kind->forward_phase);
    }
    return at->x;
}

struct w_update w_model_pass(const struct w_model *m)
{
    struct w_update update = {
        .optimizer = m->optimizer,
        .tensors = &m->arch.tensors,
        .lazy = m->pass.lazy,
        .unpacked = m->pass.seen ? m->lazy.tensor : NULL,
        .scratch = m->optimizer_scratch,
        .weights = m->weights,
        .gradients = m->pass.gradients,
        .packed = (w_bf16 *)(uintptr_t)m->pass.packed,
        .packed_back = (w_bf16 *)(uintptr_t)m->pass.packed_back,
        .deal = m->deal.count > 0 ? &m->deal : NULL,
    };
    memcpy(update.states, m->states, sizeof update.states);
    return update;
}

/* Pack weights that may have been written to by others since the last update; and those of the
 * table of ids, if a sampled head does without them, when logits over all ids are to be
 * computed. */
static void refresh_panels(struct w_model *m, bool whole_table)
{
    const ptrdiff_t index = m->lazy.tensor - m->arch.tensors.rows;
    const struct w_tensors table = {.rows = m->arch.tensors.rows + index, .count = 1};
    struct w_update update = w_model_pass(m);

    update.optimizer = NULL;
    update.deal = NULL;
    if (m->stale && update.packed)
        w_update_weights(&m->pass.engine, &update);
    m->stale = false;
    if (!m->pass.seen || !update.packed)
        return;
    if (whole_table && m->table_stale) {
        update.lazy = NULL;
        update.unpacked = NULL;
        update.tensors = &table;
        w_update_weights(&m->pass.engine, &update);
    }
    m->table_stale = !whole_table; /* a sampled head packs its own rows in their place */
}

/* Layers [0, count). */
static void forward(struct w_model *m, u32 count)
{
    struct w_clock *clock = &m->pass.clock;

    w_clock_start(clock);
    refresh_panels(m, count == m->arch.count);
    w_clock_lap(clock, W_PHASE_UPDATE);
    for (const struct w_layer_at *at = m->layers; at < m->layers + count; at++) {
        at->layer->kind->forward(at);
        w_clock_lap(clock, at->layer->kind->forward_phase);
    }
}

static double mean_loss(const struct w_model *m, float *nll)
{
    const u64 tokens = m->pass.tokens;
    double sum = 0;

    for (u64 i = 0; i < tokens; i++)
        sum += (double)m->pass.nll[i];
    if (nll)
        memcpy(nll, m->pass.nll, tokens * sizeof *nll);
    return sum / (double)tokens;
}

double w_model_loss(struct w_model *m, const struct w_batch *batch, float *nll)
{
    m->pass.batch = batch;
    m->pass.mixed = NULL;
    forward(m, m->arch.count);
    return mean_loss(m, nll);
}

void w_model_losses(const struct w_model *m, struct w_losses *losses)
{
    const struct w_pass *pass = &m->pass;
    const u64 tokens = pass->tokens, length = m->conf.max_length;

    *losses = (struct w_losses){.network = mean_loss(m, NULL)};
    for (u64 i = 0; pass->batch->lp && i < tokens; i++)
        losses->counts -= (double)pass->batch->lp[i / length * (length + 1) + i % length + 1];
    for (u64 i = 0; pass->mixed && i < tokens; i++)
        losses->mixed += (double)pass->mixed[i];
    losses->counts /= (double)tokens;
    losses->mixed /= (double)tokens;
}

const float *w_model_mixed(const struct w_model *m)
{
    return m->pass.mixed;
}

static void backward(struct w_model *m, u32 index)
{
    const struct w_layer_at *at = &m->layers[index];

    at->layer->kind->backward(at);
    w_clock_lap(&m->pass.clock, at->layer->kind->backward_phase);
    /* Only the table of ids, of the first layer, has gradients of another one, too. */
    if (at->layer->kind->tensors && w_gradient_tree_is_last(&m->tree)) {
        w_gradient_tree_final(&m->tree, at->tensors->offset);
        w_clock_lap(&m->pass.clock, W_PHASE_UPDATE);
    }
}

double w_model_gradient(struct w_model *m, const struct w_batch *batch, double scale)
{
    struct w_pass *pass = &m->pass;
    const u32 head = w_arch_head(&m->arch);

    pass->batch = batch;
    pass->mixed = NULL;
    pass->scale = scale;
    forward(m, head);
    for (u32 i = head; i < m->arch.count; i++)
        backward(m, i); /* the losses too */
    /* the gradient of the residual stream, to which every norm adds */
    memset(pass->d_residual, 0, pass->tokens * m->conf.d_model * sizeof(float));
    for (u32 i = head; i-- > 0;)
        backward(m, i);
    w_gradient_tree_batch(&m->tree);
    pass->gradients = m->tree.block;
    w_clock_lap(&pass->clock, W_PHASE_UPDATE);
    return mean_loss(m, NULL);
}

/* Of the tensors that learn from the loss of the network. */
void w_model_square(struct w_model *m)
{
    const struct w_layer *last = &m->arch.layers[m->arch.count - 1];
    const struct w_tensors tensors = {.rows = m->arch.tensors.rows,
                                      .count =
                                          last->kind->apart ? last->tensor : m->arch.tensors.count};
    struct w_update update = w_model_pass(m);

    if (m->pass.lazy)
        m->lazy.count = w_id_set_list(&m->lazy.used, m->lazy.ids);
    update.tensors = &tensors;
    m->squares = (double *)(void *)m->pass.partials;
    m->square_count = w_update_squares(&m->pass.engine, &update, m->squares);
}

double w_model_update(struct w_model *m, u64 step, double learning_rate)
{
    struct w_update update = w_model_pass(m);
    struct w_clock *clock = &m->pass.clock;

    w_clock_start(clock);
    if (!update.deal) /* else w_model_gather() has */
        w_model_square(m);
    const double norm = w_norm_of_squares(m->squares, m->square_count);
    /* The formula of torch.nn.utils.clip_grad_norm_, so that runs can be compared. */
    double clip = m->conf.clip_norm > 0 ? m->conf.clip_norm / (norm + 1e-6) : 1;
    for (u32 i = 0; i < W_OPTIMIZER_RULES && m->optimizer->rules[i]; i++)
        m->optimizer->rules[i]->begin(&update.step, &m->conf, step, learning_rate,
                                      W_MIN(clip, 1.0));
    w_clock_lap(clock, W_PHASE_UPDATE);
    w_update_prepare(&m->pass.engine, &update);
    w_clock_lap(clock, W_PHASE_ORTHOGONALISE);
    w_update_weights(&m->pass.engine, &update);
    if (m->pass.lazy)
        w_id_set_clear(&m->lazy.used);
    if (m->pass.seen)
        w_seen_targets_settle(&m->seen, &m->conf);
    w_gradient_tree_reset(&m->tree);
    m->scattered = update.deal != NULL;
    m->stale = false;
    m->table_stale = true;
    w_clock_lap(clock, W_PHASE_UPDATE);
    return norm;
}
