#include "net/arch.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/optim.h"

/* A width, as a word: what it is for a configuration is width_of(). */
enum width { NONE, D, D3 };

/* A layer of the table. */
struct row {
    const struct w_layer_kind *kind;
    const char *name;   /* in front of the names of its tensors */
    enum width in, out; /* of its rows */
    const char *y, *dy; /* buffers of its output and of that one's gradient; NULL: the residual stream */
};

/* GPT-2 (Radford and others, 2019). Gradients on the way back use two buffers by turns. */
static const struct row first_rows[] = {
    {&w_layer_embedding, "", NONE, D, NULL, NULL},
};
static const struct row block_rows[] = {
    {&w_layer_norm, "ln_1.", D, D, "norm", "d.norm"},
    {&w_layer_linear, "attn.c_attn.", D, D3, "attn.qkv", "d.hidden"},
    {&w_layer_attention, "", D3, D, "attn.out", "d.norm"},
    {&w_layer_linear_add, "attn.c_proj.", D, D, NULL, NULL},
    {&w_layer_norm, "ln_2.", D, D, "norm", "d.norm"},
    {&w_layer_mlp, "mlp.", D, D, NULL, NULL},
};
static const struct row last_rows[] = {
    {&w_layer_norm, "ln_f.", D, D, "norm", "d.norm"},
    {&w_layer_head, "", D, NONE, NULL, NULL},
};

#define LAYERS_MAX 1000000 /* of a model, so that indices of tensors fit */

static u64 width_of(enum width width, const struct w_conf *conf)
{
    switch (width) {
    case NONE: return 0;
    case D: return conf->d_model;
    case D3: return 3 * conf->d_model;
    }
    return 0;
}

u64 w_arch_count(const struct w_conf *conf)
{
    return W_COUNTOF(first_rows) + conf->num_layers * W_COUNTOF(block_rows) + W_COUNTOF(last_rows);
}

struct w_layer w_arch_layer(const struct w_conf *conf, u64 i)
{
    const u64 in_blocks = conf->num_layers * W_COUNTOF(block_rows);
    const struct row *row;
    struct w_layer layer;

    if (i < W_COUNTOF(first_rows))
        row = &first_rows[i];
    else if (i - W_COUNTOF(first_rows) < in_blocks)
        row = &block_rows[(i - W_COUNTOF(first_rows)) % W_COUNTOF(block_rows)];
    else
        row = &last_rows[i - W_COUNTOF(first_rows) - in_blocks];
    layer = (struct w_layer){.kind = row->kind,
                             .in = width_of(row->in, conf),
                             .out = width_of(row->out, conf),
                             .y = row->y,
                             .dy = row->dy};
    if (row >= block_rows && row < block_rows + W_COUNTOF(block_rows))
        snprintf(layer.name, sizeof layer.name, "h.%llu.%s",
                 (unsigned long long)((i - W_COUNTOF(first_rows)) / W_COUNTOF(block_rows)),
                 row->name);
    else
        snprintf(layer.name, sizeof layer.name, "%s", row->name);
    return layer;
}

enum w_status w_arch_make(struct w_arch *arch, const struct w_conf *conf, struct w_err *err)
{
    *arch = (struct w_arch){0};
    if (conf->num_layers > LAYERS_MAX / W_COUNTOF(block_rows) || conf->d_model > UINT64_MAX / 3)
        return w_fail(err, W_USAGE, "%llu layers of width %llu are more than can be counted",
                      (unsigned long long)conf->num_layers, (unsigned long long)conf->d_model);
    const u32 count = (u32)w_arch_count(conf);
    arch->layers = calloc(count, sizeof *arch->layers);
    if (!arch->layers)
        return w_fail(err, W_NOMEM, "no memory for a list of %u layers", (unsigned)count);
    for (; arch->count < count; arch->count++) {
        struct w_layer *layer = &arch->layers[arch->count];
        *layer = w_arch_layer(conf, arch->count);
        layer->tensor = arch->tensors.count;
        if (layer->kind->tensors)
            layer->kind->tensors(&arch->tensors, layer, conf);
    }
    enum w_status status = w_tensors_check(&arch->tensors, err);
    if (status)
        w_arch_free(arch);
    return status;
}

void w_arch_free(struct w_arch *arch)
{
    free(arch->layers);
    w_tensors_free(&arch->tensors);
    *arch = (struct w_arch){0};
}

static void add_work(struct w_work *sum, const struct w_work *work)
{
    sum->flops += work->flops;
    sum->bytes += work->bytes;
    sum->units += work->units;
    sum->set = W_MAX(sum->set, work->set);
    sum->thread_set = W_MAX(sum->thread_set, work->thread_set);
}

void w_arch_work(struct w_work work[W_PHASES], const struct w_conf *conf, enum w_type type)
{
    const struct w_optimizer *optimizer = w_optimizer_of(conf);
    struct w_tensors sums = {.sums_only = true};
    const u64 count = w_arch_count(conf);

    for (u32 phase = 0; phase < W_PHASES; phase++)
        work[phase] = (struct w_work){0};
    for (u64 i = 0; i < count; i++) {
        const struct w_layer layer = w_arch_layer(conf, i);
        const struct w_layer_kind *kind = layer.kind;
        struct w_work forward = {0}, backward = {0};
        kind->work(&layer, conf, type, &forward, &backward);
        add_work(&work[kind->forward_phase], &forward);
        add_work(&work[kind->backward_phase], &backward);
        if (kind->tensors)
            kind->tensors(&sums, &layer, conf);
        /* the head's input is there still when its gradient is computed */
        if (kind->recomputed && i + 2 < count) {
            forward.units = 0;
            add_work(&work[kind->forward_phase], &forward);
        }
    }
    work[W_PHASE_UPDATE] = (struct w_work){.flops = optimizer->flops * (double)sums.parameters,
                                           .bytes = optimizer->bytes * (double)sums.parameters,
                                           .units = (double)sums.matrices,
                                           .set = 16 * (double)sums.matrices};
}

double w_arch_flops_per_token(const struct w_conf *conf)
{
    double forward_flops = 0;

    for (u64 i = 0; i < w_arch_count(conf); i++) {
        const struct w_layer layer = w_arch_layer(conf, i);
        struct w_work forward = {0}, backward = {0};
        layer.kind->work(&layer, conf, W_TYPE_F32, &forward, &backward);
        forward_flops += layer.kind->multiplies ? forward.flops : 0;
    }
    return 3 * forward_flops / w_work_rows(conf);
}
