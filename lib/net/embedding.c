/* Token and position embedding: y (M, d) = wte[id] + wpe[t], the beginning of the residual
 * stream. */
#include "net/layer.h"

#include <string.h>

enum { TOKENS, POSITIONS };

static void tensors(struct w_tensors *tensors, const struct w_layer *layer,
                    const struct w_conf *conf)
{
    /* a GEMM operand too: the head is tied to it */
    w_tensors_matrix(tensors, layer->name, "wte.weight", conf->vocab_size, layer->out,
                     W_INIT_NORMAL, 0, true);
    w_tensors_matrix(tensors, layer->name, "wpe.weight", conf->max_length, layer->out,
                     W_INIT_NORMAL, 0, false);
}

/* ---- forward ---- */

static void embed(const struct w_layer_at *at, float *y, u64 id, u64 position)
{
    const u64 d = at->layer->out;

    memcpy(y, w_layer_weight(at, TOKENS) + id * d, d * sizeof *y);
    at->pass->engine.kern->add(y, w_layer_weight(at, POSITIONS) + position * d, d);
}

static void embed_sequence(void *context, u64 b, u32 worker)
{
    const struct w_layer_at *at = context;
    const u64 length = at->pass->conf->max_length;

    (void)worker;
    for (u64 t = 0; t < length; t++)
        embed(at, (float *)at->y + (b * length + t) * at->layer->out,
              at->pass->batch->ids[b * (length + 1) + t], t);
}

static void forward(const struct w_layer_at *at)
{
    w_team_for(at->pass->engine.team, at->pass->conf->batch_size, embed_sequence, (void *)at);
}

static void decode(const struct w_layer_at *at)
{
    embed(at, at->y, at->pass->batch->ids[0], at->pass->position);
}

/* ---- backward ---- */

/* Ids are divided into groups: an item looks through all tokens for the ids of its group, so that
 * one thread adds to each row, in the order of the tokens. */
#define GROUPS 16

static void backward_group(void *context, u64 group, u32 worker)
{
    const struct w_layer_at *at = context;
    const struct w_pass *pass = at->pass;
    const u64 length = pass->conf->max_length, d = at->layer->out;
    float *d_tokens = w_layer_gradient(at, TOKENS);

    (void)worker;
    for (u64 b = 0; b < pass->conf->batch_size; b++)
        for (u64 t = 0; t < length; t++) {
            const u64 id = pass->batch->ids[b * (length + 1) + t];
            if (id % GROUPS == group)
                pass->engine.kern->add(d_tokens + id * d, pass->d_residual + (b * length + t) * d,
                                       d);
        }
}

static void backward_position(void *context, u64 t, u32 worker)
{
    const struct w_layer_at *at = context;
    const struct w_pass *pass = at->pass;
    const u64 d = at->layer->out;

    (void)worker;
    for (u64 b = 0; b < pass->conf->batch_size; b++)
        pass->engine.kern->add(w_layer_gradient(at, POSITIONS) + t * d,
                               pass->d_residual + (b * pass->conf->max_length + t) * d, d);
}

static void backward(const struct w_layer_at *at)
{
    struct w_team *team = at->pass->engine.team;

    w_team_for(team, GROUPS, backward_group, (void *)at);
    w_team_for(team, at->pass->conf->max_length, backward_position, (void *)at);
}

static void work(const struct w_layer *layer, const struct w_conf *conf, enum w_type type,
                 struct w_work *forward, struct w_work *backward)
{
    const double numbers = w_work_rows(conf) * (double)layer->out;

    (void)type; /* it is always in fp32 */
    *forward =
        (struct w_work){.flops = numbers, .bytes = 12 * numbers, .units = (double)layer->out};
    *backward = (struct w_work){.flops = numbers, .bytes = 12 * numbers};
}

const struct w_layer_kind w_layer_embedding = {
    .name = "embedding",
    .forward_phase = W_PHASE_EMBEDDING,
    .backward_phase = W_PHASE_EMBEDDING,
    .tensors = tensors,
    .forward = forward,
    .backward = backward,
    .decode = decode,
    .work = work,
};
