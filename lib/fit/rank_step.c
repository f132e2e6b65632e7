/* The seconds of a phase are divided among the layers by their arithmetic in it; then the layers
 * are walked as in the backward pass of net/step.c, and pieces of the gradient cut as in
 * net/gradient_tree.c. */
#include "fit/rank_step.h"

#include <stdlib.h>

#include "net/arch.h"
#include "net/gradient_tree.h"
#include "net/id_set.h"
#include "net/model.h"
#include "net/softmax_sample.h"

#define WORD_BYTES                                                                                 \
    1100 /* what ranks say to each other after each step (struct rank_word of wtrain) */
#define SMALL_EXCHANGES 4

/* ---- the time of a layer ---- */

/* Arithmetic of a layer within a batch, and how much of its forward phase the backward pass
 * computes again. (Layers that make losses do all of their work at its beginning, which comes to
 * the same.) */
struct share {
    double forward, backward, again;
};

static struct share share_of(const struct w_layer *layer, const struct w_conf *conf)
{
    struct w_work forward = {0}, backward = {0};

    layer->kind->work(layer, conf, W_TYPE_F32, &forward, &backward);
    return (struct share){.forward = forward.flops,
                          .backward = backward.flops,
                          .again = layer->kind->recomputed ? forward.flops : 0};
}

/* Seconds of a FLOP in each phase. */
static void measure(double flop_s[W_PHASES], const struct w_arch *arch, const struct w_conf *conf,
                    const double batch_s[W_PHASES])
{
    double flops[W_PHASES] = {0};

    for (u32 i = 0; i < arch->count; i++) {
        const struct w_layer_kind *kind = arch->layers[i].kind;
        const struct share share = share_of(&arch->layers[i], conf);
        flops[kind->forward_phase] += share.forward + share.again;
        flops[kind->backward_phase] += share.backward;
    }
    for (u32 phase = 0; phase < W_PHASES; phase++)
        flop_s[phase] = flops[phase] > 0 ? batch_s[phase] / flops[phase] : 0;
}

static double backward_s(const struct w_layer *layer, const struct w_conf *conf,
                         const double flop_s[W_PHASES])
{
    const struct share share = share_of(layer, conf);

    return share.backward * flop_s[layer->kind->backward_phase] +
           share.again * flop_s[layer->kind->forward_phase];
}

/* ---- exchanges ---- */

static void add(struct w_rank_step *step, u64 items, u64 item_bytes, bool waits)
{
    step->exchanges[step->count++] =
        (struct w_rank_exchange){.job = {.items = items, .item_bytes = item_bytes},
                                 .after_s = step->batches_s,
                                 .waits = waits};
}

/* The backward pass of the last batch: at first batches_s is the time before it. */
static void add_gradients(struct w_rank_step *step, const struct w_arch *arch,
                          const struct w_conf *conf, const double flop_s[W_PHASES])
{
    const u64 floats = arch->tensors.floats;
    const u32 head = w_arch_head(arch);
    u64 sent = floats, n;

    for (u32 i = 0; i < arch->count; i++) {
        /* those that make losses in their order, then the others in reverse */
        const u32 index = i < arch->count - head ? head + i : arch->count - 1 - i;
        const struct w_layer *layer = &arch->layers[index];
        step->batches_s += backward_s(layer, conf, flop_s);
        if (!layer->kind->tensors)
            continue;
        const u64 from = arch->tensors.rows[layer->tensor].offset;
        while ((n = w_gradient_piece(floats, sent, from)) > 0) {
            sent -= n;
            add(step, n, w_peer_sum_item_bytes(conf), false);
        }
    }
}

/* What ranks_say(), gather_ranks() and w_model_gather() of a step send. */
static void add_small(struct w_rank_step *step, const struct w_conf *conf)
{
    add(step, 1, WORD_BYTES, false);
    add(step, conf->accumulate, sizeof(struct w_losses), false);
    if (!w_softmax_is_sampled(conf))
        return;
    add(step, conf->vocab_size, sizeof(u32), true);
    if (conf->lazy_rows)
        add(step, W_ID_SET_WORDS(conf->vocab_size), sizeof(u64), true);
}

/* As many as there can be: each is a piece as large as a piece may be, or the last of a layer. */
static u64 room_for(const struct w_arch *arch)
{
    const u64 floats = arch->tensors.floats;

    return floats / W_MAX(w_gradient_piece(floats, floats, 0), 1) + arch->count + SMALL_EXCHANGES;
}

enum w_status w_rank_step_make(struct w_rank_step *step, const struct w_conf *conf,
                               const double phase_s[W_PHASES], u64 ranks, struct w_err *err)
{
    const double all = (double)conf->accumulate, own = all / (double)ranks;
    double batch_s[W_PHASES], flop_s[W_PHASES], sum_s = 0;
    struct w_arch arch = {0};

    *step = (struct w_rank_step){0};
    enum w_status status = w_arch_make(&arch, conf, err);
    if (status)
        return status;
    for (u32 phase = 0; phase < W_PHASES; phase++) {
        batch_s[phase] = phase_s[phase] / all;
        if (w_phases[phase].of_update)
            step->update_s += phase_s[phase];
        else
            sum_s += batch_s[phase];
    }
    measure(flop_s, &arch, conf, batch_s);
    step->batches_s = own * sum_s;
    for (u32 i = 0; i < arch.count; i++)
        step->batches_s -= backward_s(&arch.layers[i], conf, flop_s);
    step->exchanges = calloc(room_for(&arch), sizeof *step->exchanges);
    if (step->exchanges) {
        add_gradients(step, &arch, conf, flop_s);
        add_small(step, conf);
    } else {
        status = w_fail(err, W_NOMEM, "no memory for the exchanges of a step");
    }
    w_arch_free(&arch);
    return status;
}

void w_rank_step_idle(struct w_rank_step *step)
{
    step->batches_s = step->update_s = 0;
    for (u32 i = 0; i < step->count; i++)
        step->exchanges[i].after_s = 0;
}

void w_rank_step_free(struct w_rank_step *step)
{
    free(step->exchanges);
    *step = (struct w_rank_step){0};
}
