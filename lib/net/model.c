/* The life cycle of a model: its layers, the plan of their memory, one block of it, and where each
 * layer finds its part (w_layers_place). The arithmetic is step.c. */
#include "net/model_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "sys/machine.h"
#include "sys/pages.h"

#define STRIPE_BYTES (2u << 20) /* of an item */

/* Each use of random numbers has a stream of its own. */
#define INIT_STREAM 0x696e6974 /* "init" */

struct w_layer_at *w_layers_place(const struct w_arch *arch, const struct w_plan *plan, u8 *block,
                                  struct w_pass *pass)
{
    struct w_layer_at *layers = calloc(arch->count, sizeof *layers);

    for (u32 i = 0; layers && i < arch->count; i++) {
        const struct w_layer *layer = &arch->layers[i];
        struct w_layer_at *at = &layers[i];
        *at = (struct w_layer_at){.layer = layer,
                                  .pass = pass,
                                  .tensors = arch->tensors.rows + layer->tensor,
                                  .y = w_plan_at(plan, block, layer->y_at),
                                  .dy = w_plan_at(plan, block, layer->dy_at),
                                  .stream = w_plan_at(plan, block, layer->stream_at)};
        for (u32 b = 0; b < W_LAYER_BUFFERS; b++)
            at->own[b] = w_plan_at(plan, block, layer->own_at[b]);
        if (i > 0) {
            at->x = at[-1].y;
            at->dx = at[-1].dy;
        }
    }
    return layers;
}

/* The team touches every page before the first step, so that no step waits for the system to clear
 * pages, and missing memory shows now. */
static void touch_stripe(void *context, u64 item, u32 worker)
{
    const struct w_model *m = context;
    u64 begin = item * STRIPE_BYTES, end = W_MIN(begin + STRIPE_BYTES, m->plan.bytes);

    (void)worker;
    memset(m->block + begin, 0, end - begin);
}

/* A block of which a round of local steps keeps what all ranks have in common; NULL: it does
 * not. */
static void add_to_round(struct w_model *m, float *now, float *common, u64 floats)
{
    if (common)
        m->outer.blocks[m->outer.count++] = (struct w_outer_block){now, common, floats};
}

/* The model's own blocks, and what all layers share. */
static void wire(struct w_model *m, const struct w_plan_common *common, enum w_type type,
                 const struct w_kern *kern, struct w_team *team)
{
    struct w_machine machine;
    struct w_pass *pass = &m->pass;
#define AT(place) w_plan_at(&m->plan, m->block, common->place)

    w_machine_read(&machine, "");
    m->weights = AT(weights);
    m->table_stale = true;
    for (u32 i = 0; i < W_OPTIMIZER_STATES; i++)
        m->states[i] = AT(states[i]);
    m->optimizer_scratch = AT(optimizer);
    *pass = (struct w_pass){.conf = &m->conf,
                            .tokens = m->conf.batch_size * m->conf.max_length,
                            .tensors = &m->arch.tensors,
                            .weights = m->weights,
                            .gradients = AT(gradients),
                            .packed = AT(packed),
                            .packed_back = AT(packed_back),
                            .packed_type = type,
                            .d_residual = AT(d_residual),
                            .d_stream = type == W_TYPE_BF16 ? AT(d_stream) : AT(d_residual),
                            .partials = AT(partials),
                            .nll = AT(nll)};
    m->lazy = (struct w_lazy_rows){.tensor = w_tensors_find_table(&m->arch.tensors),
                                   .used = {AT(lazy_bits), m->conf.vocab_size},
                                   .ids = AT(lazy_ids)};
    pass->lazy = m->lazy.ids ? &m->lazy : NULL;
    m->seen =
        (struct w_seen_targets){.run = AT(seen), .step = AT(seen_step), .common = AT(common_seen)};
    pass->seen = m->seen.run ? &m->seen : NULL;
    pass->engine = (struct w_engine){
        .kern = kern,
        .type = type,
        .blocks = {w_blocks_choose(kern, W_TYPE_F32, machine.l1d.bytes, machine.l2.bytes),
                   w_blocks_choose(kern, W_TYPE_BF16, machine.l1d.bytes, machine.l2.bytes)},
        .team = team,
        .panels = AT(panels),
        .panel_floats = m->plan.rows[common->panels.row].bytes / sizeof(float),
        .scratch = AT(threads),
        .scratch_floats = m->plan.thread_bytes / sizeof(float),
    };
    w_gradient_tree_init(&m->tree, &pass->engine, &m->conf, pass->gradients, AT(gradient_levels),
                         m->arch.tensors.floats);
    m->sum = (struct w_peer_sum){.engine = &pass->engine,
                                 .bf16 = m->conf.peer_sums == W_PEER_SUMS_BF16,
                                 .error = AT(sum_error)};
    m->outer = (struct w_outer){
        .engine = &pass->engine, .momentum = m->states[W_OUTER_STATE], .gradient = pass->gradients};
    add_to_round(m, m->weights, AT(common_weights), m->arch.tensors.floats);
    for (u32 i = 0; i < W_OUTER_STATE; i++)
        add_to_round(m, m->states[i], AT(common_states[i]),
                     m->arch.tensors.rules[w_optimizer_state(m->optimizer, i).rule].floats);
#undef AT
}

enum w_status w_model_new(struct w_model **out, const struct w_conf *conf, enum w_plan_mode mode,
                          enum w_type type, const struct w_kern *kern, struct w_team *team,
                          struct w_err *err)
{
    struct w_model *m = calloc(1, sizeof *m);
    struct w_plan_common common;
    enum w_status status = m ? W_DONE : w_fail(err, W_NOMEM, "no memory for a model");

    *out = NULL;
    if (!status) {
        m->conf = *conf;
        m->optimizer = w_optimizer_of(conf);
        status = w_arch_make(&m->arch, conf, err);
    }
    if (!status)
        status = w_plan_arch(&m->plan, &common, &m->arch, conf, mode, type, NULL, w_team_size(team),
                             err);
    if (!status) {
        m->block = w_pages_new(m->plan.bytes);
        m->layers = m->block ? w_layers_place(&m->arch, &m->plan, m->block, &m->pass) : NULL;
        if (!m->layers)
            status = w_fail(err, W_NOMEM,
                            "no memory for the %llu bytes of this configuration; a smaller "
                            "batch_size or max_length needs less",
                            (unsigned long long)m->plan.bytes);
    }
    if (status) {
        w_model_free(m);
        return status;
    }
    wire(m, &common, type, kern, team);
    w_team_for(team, w_ceil_div(m->plan.bytes, STRIPE_BYTES), touch_stripe, m);
    *out = m;
    return W_DONE;
}

void w_model_share(struct w_model *m, struct w_peers *peers)
{
    m->sum.peers = peers;
    w_gradient_tree_share(&m->tree, &m->conf, &m->sum, &m->deal);
}

void w_model_free(struct w_model *m)
{
    if (!m)
        return;
    w_pages_free(m->block, m->plan.bytes);
    w_deal_free(&m->deal);
    w_arch_free(&m->arch);
    free(m->layers);
    free(m);
}

u64 w_model_bytes(const struct w_model *m)
{
    return m->plan.bytes;
}

const struct w_tensors *w_model_tensors(const struct w_model *m)
{
    return &m->arch.tensors;
}

const struct w_engine *w_model_engine(const struct w_model *m)
{
    return &m->pass.engine;
}

float *w_model_weights(struct w_model *m)
{
    m->stale = m->table_stale = true;
    return m->weights;
}

float *w_model_gradients(struct w_model *m)
{
    return m->pass.gradients;
}

const char *w_model_state_name(const struct w_model *m, u32 state)
{
    return w_optimizer_state(m->optimizer, state).name;
}

float *w_model_state(struct w_model *m, u32 state)
{
    return m->states[state];
}

u32 *w_model_seen(struct w_model *m)
{
    return m->seen.run;
}

void w_model_init(struct w_model *m)
{
    const double std = m->conf.init_std;
    const double residual_std = std / sqrt(2 * (double)m->conf.num_layers);

    for (u32 i = 0; i < m->arch.tensors.count; i++) {
        const struct w_tensor *t = &m->arch.tensors.rows[i];
        float *w = w_model_weights(m) + t->offset;
        struct w_rng rng = {.seed = m->conf.seed, .stream = (u64)INIT_STREAM << 32 | i};
        for (u64 j = 0; j < t->count; j++)
            switch (t->init) {
            case W_INIT_ZERO: w[j] = 0; break;
            case W_INIT_ONE: w[j] = 1; break;
            case W_INIT_NORMAL: w[j] = (float)(std * w_rng_normal(&rng)); break;
            case W_INIT_RESIDUAL: w[j] = (float)(residual_std * w_rng_normal(&rng)); break;
            }
    }
}

const double *w_model_seconds(const struct w_model *m)
{
    return m->pass.clock.seconds;
}

void w_model_seconds_reset(struct w_model *m)
{
    m->pass.clock = (struct w_clock){0};
}
