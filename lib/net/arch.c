/* An architecture is a list of rows in groups, one of which stands for every block of the model.
 * Work is computed from the rows, without a list of layers, so that a search over configurations
 * allocates nothing. */
#include "net/arch.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/optim.h"
#include "net/softmax_sample.h"

/* A symbolic width; width_of() gives its value for a configuration. */
enum width { NONE, D, D3 };

/* A layer of the table. */
struct row {
    const struct w_layer_kind *kind;
    const char *name;   /* prefix of the names of its tensors */
    enum width in, out; /* of x and of y */
    const char *y, *dy; /* buffers of its output and the gradient; NULL: the residual stream */
};

/* GPT-2 (Radford and others, 2019). In the backward pass gradients use two buffers by turns. */
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

static const struct row gate_rows[] = {
    {&w_layer_gate, "gate.", D, NONE, NULL, NULL},
};

/* How often a group of rows is there. */
enum times { ONCE, EACH_BLOCK, WITH_COUNTS };

/* The rows in their order. */
static const struct group {
    const struct row *rows;
    u32 count;
    enum times times;
} groups[] = {
    {first_rows, W_COUNTOF(first_rows), ONCE},
    {block_rows, W_COUNTOF(block_rows), EACH_BLOCK},
    {last_rows, W_COUNTOF(last_rows), ONCE},
    {gate_rows, W_COUNTOF(gate_rows), WITH_COUNTS},
};

static u64 times_of(const struct group *group, const struct w_conf *conf)
{
    switch (group->times) {
    case ONCE: return 1;
    case EACH_BLOCK: return conf->num_layers;
    case WITH_COUNTS: return conf->counts > 0;
    }
    return 0;
}

#define BLOCKS_MAX 100000 /* so that indices of layers and tensors fit */

static u64 width_of(enum width width, const struct w_conf *conf)
{
    switch (width) {
    case NONE: return 0;
    case D: return conf->d_model;
    case D3: return 3 * conf->d_model;
    }
    return 0;
}

/* q, k and v stand one on the other. */
static u32 parts_of(enum width out)
{
    return out == D3 ? 3 : 1;
}

/* Without tensors and places in memory. */
static struct w_layer layer_of(const struct row *row, const struct w_conf *conf)
{
    return (struct w_layer){.kind = row->kind,
                            .in = width_of(row->in, conf),
                            .out = width_of(row->out, conf),
                            .parts = parts_of(row->out),
                            .y = row->y,
                            .dy = row->dy};
}

static void append_layer(struct w_arch *arch, const struct row *row, const char *prefix,
                         const struct w_conf *conf)
{
    struct w_layer *layer = &arch->layers[arch->count++];

    *layer = layer_of(row, conf);
    layer->tensor = arch->tensors.count;
    snprintf(layer->name, sizeof layer->name, "%s%s", prefix, row->name);
    if (layer->kind->tensors)
        layer->kind->tensors(&arch->tensors, layer, conf);
}

enum w_status w_arch_make(struct w_arch *arch, const struct w_conf *conf, struct w_err *err)
{
    const u64 blocks = conf->num_layers;

    *arch = (struct w_arch){.tensors.optimizer = w_optimizer_of(conf)};
    if (blocks > BLOCKS_MAX || conf->d_model > UINT64_MAX / 3)
        return w_fail(err, W_USAGE, "%llu layers of width %llu are more than can be counted",
                      (unsigned long long)blocks, (unsigned long long)conf->d_model);
    arch->layers = calloc(W_COUNTOF(first_rows) + blocks * W_COUNTOF(block_rows) +
                              W_COUNTOF(last_rows) + W_COUNTOF(gate_rows),
                          sizeof *arch->layers);
    if (!arch->layers)
        return w_fail(err, W_NOMEM, "no memory for a list of layers");
    for (const struct group *g = groups; g < groups + W_COUNTOF(groups); g++)
        for (u64 block = 0; block < times_of(g, conf); block++) {
            char prefix[24] = "";
            if (g->times == EACH_BLOCK)
                snprintf(prefix, sizeof prefix, "h.%llu.", (unsigned long long)block);
            for (u32 i = 0; i < g->count; i++)
                append_layer(arch, &g->rows[i], prefix, conf);
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

u32 w_arch_head(const struct w_arch *arch)
{
    u32 head = arch->count - 1;

    while (arch->layers[head - 1].kind->losses)
        head--;
    return head;
}

/* ---- work ---- */

/* Add the work of `times` layers of a kind. */
static void add_work(struct w_work *sum, const struct w_work *work, double times)
{
    sum->flops += times * work->flops;
    sum->bytes += times * work->bytes;
    sum->units += times * work->units;
    sum->set = W_MAX(sum->set, work->set);
    sum->thread_set = W_MAX(sum->thread_set, work->thread_set);
}

/* A rule's update takes as long as its traffic, in units of that of AdamW. What comes before it is
 * counted in FLOPs. */
static void add_update(struct w_work work[W_PHASES], const struct w_layer *layer,
                       const struct w_conf *conf, double times)
{
    struct w_work *sum = &work[W_PHASE_UPDATE], *before = &work[W_PHASE_ORTHOGONALISE];
    const struct w_optimizer *optimizer = w_optimizer_of(conf);
    struct w_tensors tensors = {.sums_only = true, .optimizer = optimizer};

    if (layer->kind->tensors)
        layer->kind->tensors(&tensors, layer, conf);
    /* rows of the table that a step does not use; the table follows the first rule */
    const double idle =
        (double)tensors.table * (1 - w_softmax_sample_rows(conf) / (double)conf->vocab_size);
    for (u32 i = 0; i < W_OPTIMIZER_RULES && optimizer->rules[i]; i++) {
        const struct w_rule *rule = optimizer->rules[i];
        const double rest = i == 0 ? idle : 0;
        const double parameters = times * ((double)tensors.rules[i].parameters - rest);
        sum->flops += rule->flops * parameters;
        sum->bytes += rule->bytes * parameters;
        sum->units +=
            times * ((double)tensors.rules[i].matrices - rest) * rule->bytes / w_rule_adamw.bytes;
        before->flops += times * tensors.rules[i].prepare_flops;
        before->bytes += rule->prepare_bytes * parameters;
    }
    before->units = before->flops;
    /* weights, gradients and two moments; each step uses other rows */
    sum->set += 16 * times * (double)tensors.matrices;
}

void w_arch_work(struct w_work work[W_PHASES], const struct w_conf *conf, enum w_type type)
{
    for (u32 phase = 0; phase < W_PHASES; phase++)
        work[phase] = (struct w_work){0};
    for (const struct group *g = groups; g < groups + W_COUNTOF(groups); g++)
        for (u32 i = 0; i < g->count; i++) {
            const double times = (double)times_of(g, conf);
            const struct w_layer layer = layer_of(&g->rows[i], conf);
            const struct w_layer_kind *kind = layer.kind;
            struct w_work forward = {0}, backward = {0};
            kind->work(&layer, conf, type, &forward, &backward);
            add_work(&work[kind->forward_phase], &forward, times);
            add_work(&work[kind->backward_phase], &backward, times);
            add_update(work, &layer, conf, times);
            /* what is computed again has no units of its own; the output of the last norm still
             * exists */
            forward.units = 0;
            if (kind->recomputed && g->times == EACH_BLOCK)
                add_work(&work[kind->forward_phase], &forward, times);
        }
}

double w_arch_matrices(const struct w_conf *conf)
{
    double matrices = 0;

    for (const struct group *g = groups; g < groups + W_COUNTOF(groups); g++)
        for (u32 i = 0; i < g->count; i++) {
            const struct w_layer layer = layer_of(&g->rows[i], conf);
            struct w_tensors tensors = {.sums_only = true, .optimizer = w_optimizer_of(conf)};
            if (layer.kind->tensors)
                layer.kind->tensors(&tensors, &layer, conf);
            matrices += (double)tensors.matrices * (double)times_of(g, conf);
        }
    return matrices;
}

double w_arch_flops_per_token(const struct w_conf *conf)
{
    double forward_flops = 0;

    for (const struct group *g = groups; g < groups + W_COUNTOF(groups); g++)
        for (u32 i = 0; i < g->count; i++) {
            const struct w_layer layer = layer_of(&g->rows[i], conf);
            struct w_work forward = {0}, backward = {0};
            layer.kind->work(&layer, conf, W_TYPE_F32, &forward, &backward);
            if (layer.kind->multiplies)
                forward_flops += forward.flops * (double)times_of(g, conf);
        }
    return 3 * forward_flops / w_work_rows(conf);
}
