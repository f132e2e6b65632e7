/* A plan is made by a walk over the layers, which request buffers by name. Then the sizes of all
 * rows are known, and the rows are laid out one after the other. */
#include "net/plan.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "kern/gemm.h"
#include "net/arch.h"
#include "net/gradient_tree.h"
#include "net/optim.h"
#include "net/softmax_sample.h"

u64 w_size_mul(u64 a, u64 b)
{
    u64 product;
    return w_mul_ok(a, b, &product) ? product : UINT64_MAX;
}

u64 w_size_add(u64 a, u64 b)
{
    u64 sum;
    return w_add_ok(a, b, &sum) ? sum : UINT64_MAX;
}

u64 w_size_padded(u64 n)
{
    return n > UINT64_MAX - W_TILE_COLS_MAX ? n : w_round_up(n, W_TILE_COLS_MAX);
}

/* ---- requests of layers ---- */

static const struct w_plan_place nowhere = {.row = W_PLAN_NOWHERE};

static struct w_plan_row *row_of(struct w_planner *p, const char *name, enum w_lifetime lifetime)
{
    struct w_plan *plan = p->plan;

    for (u32 i = 0; i < plan->count; i++)
        if (!strcmp(plan->rows[i].name, name))
            return &plan->rows[i];
    assert(plan->count < W_PLAN_ROWS); /* names are constants of the sources */
    plan->rows[plan->count] = (struct w_plan_row){.name = name, .lifetime = lifetime};
    return &plan->rows[plan->count++];
}

struct w_plan_place w_plan_shared(struct w_planner *p, const char *name, enum w_lifetime lifetime,
                                  u64 bytes)
{
    struct w_plan_row *row = row_of(p, name, lifetime);

    row->bytes = W_MAX(row->bytes, bytes);
    return (struct w_plan_place){.row = (u32)(row - p->plan->rows)};
}

struct w_plan_place w_plan_each(struct w_planner *p, const char *name, enum w_lifetime lifetime,
                                u64 bytes)
{
    struct w_plan_row *row = row_of(p, name, lifetime);
    struct w_plan_place place = {.row = (u32)(row - p->plan->rows), .offset = row->bytes};

    row->bytes = w_size_add(row->bytes, bytes);
    return place;
}

struct w_plan_place w_plan_kept(struct w_planner *p, const char *name, u64 bytes)
{
    return p->mode == W_PLAN_TRAIN ? w_plan_each(p, name, W_LIFE_STEP, bytes)
                                   : w_plan_shared(p, name, W_LIFE_STEP, bytes);
}

void w_plan_thread(struct w_planner *p, u64 floats)
{
    p->thread_floats = W_MAX(p->thread_floats, floats);
}

void w_plan_product(struct w_planner *p, u64 in, u64 out)
{
    u64 largest = W_MAX(w_size_mul(in, w_size_padded(out)), w_size_mul(out, w_size_padded(in)));

    largest = W_MAX(largest, w_size_mul(W_K_UNROLL_MAX, w_size_padded(W_MAX(in, out))));
    p->panel_elements = W_MAX(p->panel_elements, largest);
    w_plan_thread(p, p->type == W_TYPE_BF16 ? W_GEMM_SCRATCH_FLOATS : W_GEMM_ROWS_FLOATS);
    if (p->decode && p->decode->weights == W_TYPE_Q8)
        w_plan_thread(p, W_GEMM_SCRATCH_FLOATS + W_GEMM_UNPACK_FLOATS);
    w_plan_partials(p, out); /* for the gradient of the bias */
}

void w_plan_partials(struct w_planner *p, u64 width)
{
    const u64 blocks = w_size_add(p->tokens / W_PARTIAL_ROWS, 1);
    p->partial_floats = W_MAX(p->partial_floats, w_size_mul(blocks, width));
}

/* ---- the walk ---- */

static u64 floats(u64 count)
{
    return w_size_mul(count, sizeof(float));
}

/* With local steps: the momentum of the outer step, and copies of what all ranks have in common. */
static void plan_outer(struct w_planner *p, struct w_plan_common *common,
                       const struct w_tensors *tensors)
{
    static const char copies[] = "outer.common";
    const u64 bytes = floats(tensors->floats);
    struct w_rule_state state;

    common->states[W_OUTER_STATE] = w_plan_shared(p, "outer.m", W_LIFE_RUN, bytes);
    common->common_weights = w_plan_each(p, copies, W_LIFE_RUN, bytes);
    for (u32 i = 0; (state = w_optimizer_state(tensors->optimizer, i)).name; i++)
        common->common_states[i] =
            w_plan_each(p, copies, W_LIFE_RUN, floats(tensors->rules[state.rule].floats));
    if (w_softmax_is_sampled(p->conf))
        common->common_seen =
            w_plan_each(p, copies, W_LIFE_RUN, w_size_mul(p->conf->vocab_size, sizeof(u32)));
}

/* Weights, and the buffers that are as large as they are. */
static void plan_parameters(struct w_planner *p, struct w_plan_common *common,
                            const struct w_tensors *tensors, u32 threads)
{
    const struct w_optimizer *optimizer = w_optimizer_of(p->conf);
    const u64 bytes = floats(tensors->floats), packed = w_size_mul(tensors->packed, p->element);
    const u64 vocab = p->conf->vocab_size, ids = w_size_mul(vocab, sizeof(u32));
    const bool train = p->mode == W_PLAN_TRAIN;
    struct w_rule_state state;
    u64 levels = 0;

    common->weights = w_plan_shared(p, "weights", W_LIFE_RUN, bytes);
    if (train) {
        common->gradients = w_plan_shared(p, "gradients", W_LIFE_RUN, bytes);
        for (u32 parts = w_gradient_parts(p->conf); parts > 1; parts /= 2)
            levels = w_size_add(levels, bytes);
        if (levels)
            common->gradient_levels = w_plan_shared(p, "gradients.levels", W_LIFE_STEP, levels);
        for (u32 i = 0; (state = w_optimizer_state(optimizer, i)).name; i++) {
            assert(i < W_OUTER_STATE);
            common->states[i] =
                w_plan_shared(p, state.name, W_LIFE_RUN, floats(tensors->rules[state.rule].floats));
        }
        for (u32 i = 0; i < W_OPTIMIZER_RULES && optimizer->rules[i]; i++)
            if (optimizer->rules[i]->scratch_bytes)
                common->optimizer =
                    w_plan_shared(p, "optimizer", W_LIFE_SCRATCH,
                                  optimizer->rules[i]->scratch_bytes(tensors, p->type, threads));
        /* of the norm of the gradient: a double for each stripe, and as many to exchange them */
        p->partial_floats =
            w_size_mul(w_update_stripes(tensors), 2 * sizeof(double) / sizeof(float));
    }
    if (train && w_softmax_is_sampled(p->conf)) {
        common->seen = w_plan_shared(p, "softmax.seen", W_LIFE_RUN, ids);
        common->seen_step = w_plan_shared(p, "softmax.seen_step", W_LIFE_STEP, ids);
    }
    if (train && w_softmax_has_lazy_rows(p->conf)) {
        common->lazy_bits = w_plan_shared(p, "lazy.bits", W_LIFE_STEP,
                                          w_size_mul(W_ID_SET_WORDS(vocab), sizeof(u64)));
        common->lazy_ids = w_plan_shared(p, "lazy.ids", W_LIFE_STEP, ids);
    }
    if (train && p->conf->peer_sums == W_PEER_SUMS_BF16)
        common->sum_error = w_plan_shared(p, "sums.error", W_LIFE_RUN, bytes);
    if (train && p->conf->local_steps)
        plan_outer(p, common, tensors);
    if (p->type == W_TYPE_BF16)
        common->packed = w_plan_shared(p, "weights.packed", W_LIFE_RUN, packed);
    if (p->type == W_TYPE_BF16 && train)
        common->packed_back = w_plan_shared(p, "weights.packed_back", W_LIFE_RUN, packed);
}

/* In generation: packed weights, in the type that was asked for; and for each thread what it takes
 * to convert the rows of a panel. */
static void plan_packed(struct w_planner *p, struct w_plan_common *common,
                        const struct w_tensors *tensors)
{
    const u64 numbers = tensors->packed;

    common->packed = w_plan_shared(p, "weights.packed", W_LIFE_RUN,
                                   numbers > UINT64_MAX / sizeof(float)
                                       ? UINT64_MAX
                                       : w_panel_bytes(p->decode->weights, numbers));
    for (u32 i = 0; i < tensors->count; i++)
        if (tensors->rows[i].operand)
            w_plan_thread(p, w_size_mul(W_TILE_COLS_MAX, tensors->rows[i].shape[1]));
}

/* Outputs of the layers and their gradients, then what each kind requests in addition. */
static void plan_layers(struct w_planner *p, struct w_plan_common *common, struct w_arch *arch)
{
    const bool train = p->mode == W_PLAN_TRAIN;
    struct w_plan_place stream = nowhere;

    for (u32 i = 0; i < arch->count; i++) {
        struct w_layer *layer = &arch->layers[i];
        const u64 numbers = w_size_mul(p->tokens, layer->out);
        const u64 bytes = w_size_mul(numbers, p->element);

        layer->stream_at = stream;
        layer->y_at = layer->dy_at = nowhere;
        for (u32 b = 0; b < W_LAYER_BUFFERS; b++)
            layer->own_at[b] = nowhere;
        if (layer->out && !layer->y)
            layer->y_at = stream = w_plan_kept(p, "residual", floats(numbers));
        else if (layer->out && layer->kind->recomputed)
            layer->y_at = w_plan_shared(p, layer->y, W_LIFE_SCRATCH, bytes);
        else if (layer->out)
            layer->y_at = w_plan_kept(p, layer->y, bytes);
        if (layer->dy && train)
            layer->dy_at = w_plan_shared(p, layer->dy, W_LIFE_SCRATCH,
                                         layer->kind->dy_fp32 ? floats(numbers) : bytes);
        else if (layer->out && train)
            layer->dy_at = common->d_residual =
                w_plan_shared(p, "d.residual", W_LIFE_STEP, floats(numbers));
        if (layer->out && !layer->dy && train && p->type == W_TYPE_BF16)
            layer->dy_at = common->d_stream = w_plan_shared(p, "d.stream", W_LIFE_STEP, bytes);
        if (layer->kind->plan)
            layer->kind->plan(p, layer);
    }
}

/* Between the scratch of two threads. A core that prefetches lines beyond those that its thread
 * writes, row after row, takes them from the next thread's core: without the gap, GEMMs without c
 * in memory lose a sixth of their speed with two threads (Zen 5, which prefetches 100 KB ahead). */
#define GAP_FLOATS ((u64)(128 << 10) / sizeof(float))

/* With fewer, there would be too little work between two barriers. */
#define PANEL_ELEMENTS_MIN (1 << 20)

static void plan_scratch(struct w_planner *p, struct w_plan_common *common, u32 threads)
{
    const u64 thread_floats = w_size_add(w_size_padded(p->thread_floats), GAP_FLOATS);
    const u64 panels = W_MAX(p->panel_elements, PANEL_ELEMENTS_MIN);

    if (p->mode != W_PLAN_DECODE)
        common->nll = w_plan_shared(p, "head.nll", W_LIFE_STEP, floats(p->tokens));
    if (p->mode == W_PLAN_TRAIN)
        common->partials = w_plan_shared(p, "partials", W_LIFE_SCRATCH, floats(p->partial_floats));
    if (p->mode != W_PLAN_DECODE)
        common->panels =
            w_plan_shared(p, "gemm.panels", W_LIFE_SCRATCH, w_size_mul(panels, p->element));
    common->threads =
        w_plan_shared(p, "threads", W_LIFE_SCRATCH, floats(w_size_mul(threads, thread_floats)));
    p->plan->thread_bytes = floats(thread_floats);
}

static enum w_status lay_out(struct w_planner *p, struct w_err *err)
{
    struct w_plan *plan = p->plan;
    struct w_arena arena = {0};

    for (u32 i = 0; i < plan->count; i++) {
        struct w_plan_row *row = &plan->rows[i];
        row->offset = arena.used;
        w_arena_push(&arena, row->bytes, 1);
        row->bytes = arena.used - row->offset;
    }
    plan->bytes = arena.used;
    /* 2^53, the largest whole number that JSON holds exactly */
    if (arena.overflow || plan->bytes > W_JSON_INT_MAX)
        return w_fail(err, W_USAGE, "the memory of this configuration is more than can be counted");
    return W_DONE;
}

enum w_status w_plan_arch(struct w_plan *plan, struct w_plan_common *common, struct w_arch *arch,
                          const struct w_conf *conf, enum w_plan_mode mode, enum w_type type,
                          const struct w_plan_decode *decode, u32 threads, struct w_err *err)
{
    struct w_planner p = {.plan = plan,
                          .conf = conf,
                          .mode = mode,
                          .type = type,
                          .element = w_type_bytes(type),
                          .decode = decode,
                          .tokens = decode ? decode->rows
                                           : w_size_mul(conf->batch_size, conf->max_length)};

    *plan = (struct w_plan){0};
    memset(common, 0xff, sizeof *common); /* each row W_PLAN_NOWHERE */
    if (mode == W_PLAN_DECODE)
        plan_packed(&p, common, &arch->tensors);
    else
        plan_parameters(&p, common, &arch->tensors, threads);
    plan_layers(&p, common, arch);
    plan_scratch(&p, common, threads);
    return lay_out(&p, err);
}

enum w_status w_plan_make(struct w_plan *plan, const struct w_conf *conf, enum w_plan_mode mode,
                          enum w_type type, u32 threads, struct w_err *err)
{
    struct w_plan_common common;
    struct w_arch arch;
    enum w_status status = w_arch_make(&arch, conf, err);

    if (!status)
        status = w_plan_arch(plan, &common, &arch, conf, mode, type, NULL, threads, err);
    w_arch_free(&arch);
    return status;
}

const enum w_type w_decode_types[W_DECODE_TYPES] = {W_TYPE_F32, W_TYPE_BF16, W_TYPE_Q8};

enum w_type w_decode_type(enum w_type weights)
{
    return weights == W_TYPE_F32 ? W_TYPE_F32 : W_TYPE_BF16;
}

enum w_status w_plan_decode(struct w_plan *plan, const struct w_conf *conf,
                            const struct w_plan_decode *decode, u32 threads, struct w_err *err)
{
    struct w_plan_common common;
    struct w_arch arch;
    enum w_status status = w_arch_make(&arch, conf, err);

    if (!status)
        status = w_plan_arch(plan, &common, &arch, conf, W_PLAN_DECODE,
                             w_decode_type(decode->weights), decode, threads, err);
    w_arch_free(&arch);
    return status;
}

const char *w_lifetime_name(enum w_lifetime lifetime)
{
    static const char *const names[] = {"run", "step", "scratch"};
    return names[lifetime];
}

const struct w_plan_row *w_plan_find(const struct w_plan *plan, const char *name)
{
    for (u32 i = 0; i < plan->count; i++)
        if (!strcmp(plan->rows[i].name, name))
            return &plan->rows[i];
    return NULL;
}

/* ---- what fits ---- */

enum w_status w_plan_fits(const struct w_conf *conf, enum w_type type, u32 threads, double bytes,
                          u64 *needed, struct w_err *err)
{
    struct w_plan plan = {0};
    enum w_status status = w_conf_check(conf, err);

    if (!status)
        status = w_plan_make(&plan, conf, W_PLAN_TRAIN, type, threads, err);
    if (!status && needed)
        *needed = plan.bytes;
    if (status == W_USAGE || (!status && (double)plan.bytes > bytes))
        return W_NO;
    return status;
}

enum w_status w_plan_largest_batch(const struct w_conf *conf, enum w_type type, u32 threads,
                                   double bytes, u64 most, u64 *batch, struct w_err *err)
{
    struct w_conf c = *conf;
    enum w_status status = W_DONE;
    u64 fits = 0, fails = most + 1;

    while (fails - fits > 1 && !status) {
        c.batch_size = fits + (fails - fits) / 2;
        status = w_plan_fits(&c, type, threads, bytes, NULL, err);
        if (!status)
            fits = c.batch_size;
        else if (status == W_NO) {
            fails = c.batch_size;
            status = W_DONE;
        }
    }
    *batch = fits;
    return status;
}
