/* Generation: the model's layers, one token at a time, over a KV cache. */
#include "net/infer.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "net/model_inside.h"

struct w_infer {
    struct w_conf conf;
    struct w_plan plan;
    struct w_arch arch;
    struct w_layer_at *layers;
    struct w_pass pass;
    u64 length; /* tokens in the cache */
    u8 *block;
};

enum w_status w_infer_new(struct w_infer **infer, const struct w_conf *conf, const float *weights,
                          const struct w_kern *kern, struct w_team *team, struct w_err *err)
{
    struct w_infer *m = *infer = calloc(1, sizeof *m);
    struct w_plan_common common;
    enum w_status status = m ? W_DONE : w_fail(err, W_NOMEM, "no memory for a model");

    if (!status) {
        m->conf = *conf;
        status = w_arch_make(&m->arch, conf, err);
    }
    if (!status)
        status = w_plan_arch(&m->plan, &common, &m->arch, conf, W_PLAN_DECODE, W_TYPE_F32, 1, err);
    if (!status) {
        m->pass = (struct w_pass){.conf = &m->conf,
                                  .engine = {.kern = kern, .type = W_TYPE_F32, .team = team},
                                  .tokens = 1,
                                  .tensors = &m->arch.tensors,
                                  .weights = weights};
        m->block = aligned_alloc(W_ARENA_ALIGN, m->plan.bytes);
        m->layers = m->block ? w_layers_place(&m->arch, &m->plan, m->block, &m->pass) : NULL;
        if (!m->layers)
            status = w_fail(err, W_NOMEM, "no memory for the KV cache");
    }
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
        free(m->layers);
        free(m->block);
    }
    free(m);
}

void w_infer_start(struct w_infer *m)
{
    m->length = 0;
}

u64 w_infer_length(const struct w_infer *m)
{
    return m->length;
}

double w_infer_gate(const struct w_infer *m, const u8 *ctx)
{
    const struct w_tensor *t = w_tensors_find(&m->arch.tensors, "gate.weight");
    double z = (double)m->pass.gate;

    for (u64 i = 0; t && i < m->conf.counts; i++)
        z += (double)m->pass.weights[t->offset + m->conf.d_model + i] * ctx[i] / 255;
    return t ? 1 / (1 + exp(-z)) : 0;
}

const float *w_infer_next(struct w_infer *m, u32 id)
{
    const struct w_layer_at *at = m->layers;
    const struct w_batch batch = {.ids = &id};

    m->pass.batch = &batch;
    m->pass.position = m->length++;
    for (; at < m->layers + m->arch.count; at++)
        at->layer->kind->decode(at);
    m->pass.batch = NULL;
    return m->pass.logits;
}
