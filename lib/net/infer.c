/* Generation: the model's layers over the tokens of a pass, and a KV cache. */
#include "net/infer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kern/q8.h"
#include "net/model_private.h"
#include "net/sampler.h"
#include "sys/machine.h"
#include "sys/pages.h"

struct w_infer {
    struct w_conf conf;
    struct w_plan_decode how;
    struct w_plan plan;
    struct w_arch arch;
    struct w_layer_at *layers;
    const struct w_ukernel *ukernel; /* for the packed weights */
    struct w_kern kern; /* without a library's products, whose bits depend on the number of rows */
    struct w_pass pass;
    struct w_decode decode;
    struct w_decode_row *rows; /* (how.rows) of the pass */
    u32 *wanted;               /* (how.logits) */
    u64 *lengths;              /* (slots): tokens, with those of the pass */
    u8 *block;
};

/* ---- weights ---- */

struct packing {
    struct w_infer *m;
    const struct w_tensor *tensor;
    u8 *panels;
};

/* One panel: rows of the weight, converted and packed. */
static void pack_panel(void *context, u64 item, u32 worker)
{
    const struct packing *p = context;
    const struct w_infer *m = p->m;
    const struct w_tensor *t = p->tensor;
    const struct w_ukernel *ukernel = m->ukernel;
    const u64 k = t->shape[1], first = item * ukernel->tile_cols;
    const u64 rows = W_MIN(t->shape[0] - first, ukernel->tile_cols);
    const float *weight = m->pass.weights + t->offset + first * k;
    const u64 size = w_round_up(k, ukernel->k_unroll) * ukernel->tile_cols;
    const void *from = weight;

    if (m->how.weights == W_TYPE_BF16) {
        w_bf16 *rounded = (w_bf16 *)(void *)w_engine_scratch(&m->pass.engine, worker);
        m->kern.to_bf16(rounded, weight, rows * k);
        from = rounded;
    }
    ukernel->pack_panel(p->panels + item * w_panel_bytes(m->how.weights, size), from, 1, k, k,
                        (u32)rows);
}

static void pack_weights(struct w_infer *m, u8 *packed)
{
    const u32 tile_cols = m->ukernel->tile_cols;

    for (u32 i = 0; i < m->arch.tensors.count; i++) {
        const struct w_tensor *t = &m->arch.tensors.rows[i];
        struct packing packing = {m, t, packed + w_panel_bytes(m->how.weights, t->packed)};
        if (t->operand)
            w_team_for(m->pass.engine.team, w_ceil_div(t->shape[0], tile_cols), pack_panel,
                       &packing);
    }
    m->pass.packed = packed;
}

/* ---- life cycle ---- */

static void wire(struct w_infer *m, const struct w_plan_common *common, const float *weights,
                 struct w_team *team)
{
    struct w_machine machine;
    const struct w_q8_kern *q8 = w_q8_choose();

    w_machine_read(&machine, "");
    m->ukernel = m->how.weights == W_TYPE_Q8 ? &q8->ukernel : &m->kern.ukernel[m->how.weights];
    m->decode = (struct w_decode){.rows = m->rows, .wanted = m->wanted};
    m->pass =
        (struct w_pass){.conf = &m->conf,
                        .engine = {.kern = &m->kern,
                                   .type = w_decode_type(m->how.weights),
                                   .blocks = {w_blocks_choose(&m->kern, W_TYPE_F32,
                                                              machine.l1d.bytes, machine.l2.bytes),
                                              w_blocks_choose(&m->kern, W_TYPE_BF16,
                                                              machine.l1d.bytes, machine.l2.bytes)},
                                   .q8 = q8,
                                   .q8_blocks = w_blocks_of(&q8->ukernel, W_TYPE_Q8,
                                                            machine.l1d.bytes, machine.l2.bytes),
                                   .team = team,
                                   .scratch = w_plan_at(&m->plan, m->block, common->threads),
                                   .scratch_floats = m->plan.thread_bytes / sizeof(float)},
                        .tensors = &m->arch.tensors,
                        .weights = weights,
                        .packed_type = m->how.weights,
                        .decode = &m->decode};
    /* The system clears pages when they are touched first: not within the first pass. The packed
     * weights are written soon; of several slots, some may never be used. */
    for (u32 i = 0; i < m->plan.count; i++)
        if (i != common->packed.row &&
            (m->how.slots == 1 || m->plan.rows[i].lifetime != W_LIFE_RUN))
            memset(m->block + m->plan.rows[i].offset, 0, m->plan.rows[i].bytes);
    pack_weights(m, w_plan_at(&m->plan, m->block, common->packed));
}

enum w_status w_infer_new(struct w_infer **infer, const struct w_conf *conf, const float *weights,
                          const struct w_plan_decode *how, const struct w_kern *kern,
                          struct w_team *team, struct w_err *err)
{
    struct w_infer *m = *infer = calloc(1, sizeof *m);
    struct w_plan_common common;
    enum w_status status = m ? W_DONE : w_fail(err, W_NOMEM, "no memory for a model");

    if (!status) {
        m->conf = *conf;
        m->how = *how;
        m->kern = *kern;
        m->kern.product = NULL;
        status = w_arch_make(&m->arch, conf, err);
    }
    if (!status)
        status = w_plan_arch(&m->plan, &common, &m->arch, conf, W_PLAN_DECODE,
                             w_decode_type(how->weights), how, w_team_size(team), err);
    if (!status) {
        m->rows = calloc(how->rows, sizeof *m->rows);
        m->wanted = calloc(how->logits, sizeof *m->wanted);
        m->lengths = calloc(how->slots, sizeof *m->lengths);
        m->block = w_pages_new(m->plan.bytes);
        m->layers = m->block ? w_layers_place(&m->arch, &m->plan, m->block, &m->pass) : NULL;
        if (!m->rows || !m->wanted || !m->lengths || !m->layers)
            status =
                w_fail(err, W_NOMEM, "no memory for the %llu bytes of the KV cache and weights",
                       (unsigned long long)m->plan.bytes);
    }
    if (!status)
        wire(m, &common, weights, team);
    if (status) {
        w_infer_free(m);
        *infer = NULL;
    }
    return status;
}

void w_infer_free(struct w_infer *m)
{
    if (m) {
        w_arch_free(&m->arch);
        w_pages_free(m->block, m->plan.bytes);
        free(m->layers);
        free(m->rows);
        free(m->wanted);
        free(m->lengths);
    }
    free(m);
}

/* ---- slots ---- */

void w_infer_start(struct w_infer *m, u32 slot)
{
    m->lengths[slot] = 0;
}

u64 w_infer_length(const struct w_infer *m, u32 slot)
{
    return m->lengths[slot];
}

void w_infer_copy(struct w_infer *m, u32 to, u32 from, u64 count)
{
    for (u32 i = 0; i < m->arch.count; i++)
        if (m->layers[i].layer->kind->copy_slot)
            m->layers[i].layer->kind->copy_slot(&m->layers[i], to, from, count);
    m->lengths[to] = count;
}

/* ---- passes ---- */

u64 w_infer_room(const struct w_infer *m)
{
    return m->how.rows - m->pass.tokens;
}

void w_infer_append(struct w_infer *m, u32 slot, u32 id)
{
    assert(slot < m->how.slots && m->lengths[slot] < m->conf.max_length);
    if (w_infer_room(m) == 0)
        w_infer_run(m);
    if (m->pass.tokens == 0)
        m->decode.wanted_count = 0;
    m->rows[m->pass.tokens++] = (struct w_decode_row){id, slot, m->lengths[slot]++};
}

void w_infer_want(struct w_infer *m, u32 slot, u32 id)
{
    w_infer_append(m, slot, id);
    assert(m->decode.wanted_count < m->how.logits);
    m->wanted[m->decode.wanted_count++] = (u32)m->pass.tokens - 1;
}

bool w_infer_mixes(const struct w_infer *m)
{
    const struct w_engine *engine = &m->pass.engine;
    return m->how.weights != W_TYPE_Q8 || !w_q8_unpacks(engine->q8, engine->kern);
}

static float *run(struct w_infer *m, bool drawn)
{
    const struct w_layer_at *end = m->layers + m->arch.count;
    struct w_engine *engine = &m->pass.engine;

    engine->unpack_q8 = !drawn && !w_infer_mixes(m);
    for (const struct w_layer_at *at = m->layers; at < end && m->pass.tokens; at++) {
        const struct w_layer_kind *kind = at->layer->kind;
        if (kind->decode)
            kind->decode(at);
        else
            kind->forward(at);
    }
    m->pass.tokens = 0;
    return m->decode.logits;
}

float *w_infer_run(struct w_infer *m)
{
    return run(m, false);
}

float *w_infer_run_drawn(struct w_infer *m)
{
    return run(m, true);
}

double w_infer_gate(const struct w_infer *m, u64 row, const u8 *ctx)
{
    const struct w_decode *d = &m->decode;

    if (!d->gates)
        return 0;
    double z = (double)d->gates[row];
    for (u64 i = 0; i < m->conf.counts; i++)
        z += (double)d->gate_features[i] * ctx[i] / 255;
    return 1 / (1 + exp(-z));
}

struct losses {
    const struct w_infer *m;
    const u32 *targets;
    double *losses;
};

static void find_loss(void *context, u64 row, u32 worker)
{
    const struct losses *l = context;
    const u64 vocab = l->m->conf.vocab_size;

    (void)worker;
    l->losses[row] = -w_log_probability(&l->m->kern, l->m->decode.logits + row * vocab, (u32)vocab,
                                        l->targets[row]);
}

void w_infer_losses(struct w_infer *m, const u32 *targets, double *losses)
{
    struct losses l = {m, targets, losses};
    w_team_for(m->pass.engine.team, m->decode.wanted_count, find_loss, &l);
}

const struct w_conf *w_infer_conf(const struct w_infer *m)
{
    return &m->conf;
}

const struct w_plan_decode *w_infer_how(const struct w_infer *m)
{
    return &m->how;
}

const float *w_infer_next(struct w_infer *m, u32 id)
{
    w_infer_want(m, 0, id);
    return w_infer_run_drawn(m);
}
