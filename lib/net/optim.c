/* The pass over the weights: an item is a fixed stripe of a tensor, whichever thread works on it.
 * Weights, gradients and states are read and written once; in bf16, panels are packed while the new
 * weights are in the cache. */
#include "net/optim.h"

#include <math.h>
#include <string.h>

static const struct w_optimizer optimizers[] = {
    [W_OPTIMIZER_ADAMW] = {.name = "adamw",
                           .rules = {&w_rule_adamw},
                           .keys = {"beta1", "beta2", "epsilon", "weight_decay"}},
    [W_OPTIMIZER_MUON] = {.name = "muon",
                          .rules = {&w_rule_adamw, &w_rule_muon},
                          .hidden = 1,
                          .keys = {"muon_learning_rate", "muon_momentum", "beta1", "beta2",
                                   "epsilon", "weight_decay"}},
};

const struct w_optimizer *w_optimizer_of(const struct w_conf *conf)
{
    return &optimizers[conf->optimizer];
}

u32 w_optimizer_rule(const struct w_optimizer *optimizer, const struct w_tensor *tensor)
{
    return tensor->parts > 0 ? optimizer->hidden : 0;
}

struct w_rule_state w_optimizer_state(const struct w_optimizer *optimizer, u32 state)
{
    u32 count = 0;

    for (u32 rule = 0; rule < W_OPTIMIZER_RULES && optimizer->rules[rule]; rule++)
        for (u32 i = 0; i < W_RULE_STATES && optimizer->rules[rule]->states[i]; i++)
            if (count++ == state)
                return (struct w_rule_state){.name = optimizer->rules[rule]->states[i],
                                             .rule = rule};
    return (struct w_rule_state){0};
}

/* ---- the norm of the gradient ---- */

struct norm_job {
    const struct w_engine *engine;
    const float *g;
    u64 n;
    double *partials;
};

static void square_block(void *context, u64 item, u32 worker)
{
    const struct norm_job *job = context;
    u64 begin = item * W_UPDATE_FLOATS;

    (void)worker;
    job->partials[item] =
        job->engine->kern->sum_squares(job->g + begin, W_MIN(W_UPDATE_FLOATS, job->n - begin));
}

static double sum_of(const double *partials, u64 n)
{
    double sum = 0;

    for (u64 i = 0; i < n; i++)
        sum += partials[i];
    return sum;
}

static double squares_of(const struct w_engine *engine, const float *g, u64 n, double *partials)
{
    struct norm_job job = {.engine = engine, .g = g, .n = n, .partials = partials};
    const u64 items = (n + W_UPDATE_FLOATS - 1) / W_UPDATE_FLOATS;

    w_team_for(engine->team, items, square_block, &job);
    return sum_of(partials, items);
}

struct lazy_norm_job {
    const struct w_engine *engine;
    const struct w_lazy_rows *lazy;
    const float *g;
    u64 rows; /* of an item */
    double *partials;
};

static void square_rows(void *context, u64 item, u32 worker)
{
    const struct lazy_norm_job *job = context;
    const struct w_lazy_rows *lazy = job->lazy;
    const u64 d = lazy->tensor->shape[1], end = W_MIN((item + 1) * job->rows, lazy->count);
    double sum = 0;

    (void)worker;
    for (u64 i = item * job->rows; i < end; i++)
        sum += job->engine->kern->sum_squares(job->g + lazy->tensor->offset + lazy->ids[i] * d, d);
    job->partials[item] = sum;
}

static double squares_of_rows(const struct w_engine *engine, const struct w_lazy_rows *lazy,
                              const float *g, double *partials)
{
    const u64 rows = W_MAX(W_UPDATE_FLOATS / lazy->tensor->shape[1], 1);
    const u64 items = (lazy->count + rows - 1) / rows;
    struct lazy_norm_job job = {engine, lazy, g, rows, partials};

    w_team_for(engine->team, items, square_rows, &job);
    return sum_of(partials, items);
}

double w_gradient_norm(const struct w_engine *engine, const struct w_lazy_rows *lazy,
                       const float *g, u64 n, double *partials)
{
    if (!lazy)
        return sqrt(squares_of(engine, g, n, partials));
    const u64 begin = lazy->tensor->offset, end = begin + lazy->tensor->count;
    return sqrt(squares_of(engine, g, begin, partials) +
                squares_of_rows(engine, lazy, g, partials) +
                squares_of(engine, g + end, n - end, partials));
}

/* ---- the update ---- */

/* Rows of a matrix in an item: a multiple of tile_cols and of k_unroll of any variant. And columns
 * at a time, so that a block stays in the cache until it is packed. */
#define ROWS 32
#define COLS 1024

struct update_job {
    const struct w_engine *engine;
    const struct w_update *u;
};

/* Rows [row, row + rows) of a tensor; a vector is one row. Of lazy rows, places in their list. */
struct stripe {
    const struct w_tensor *tensor;
    u64 row, rows, width;
    const u32 *ids; /* of the list, from `row` on; NULL: rows stand one after the other */
};

static u64 rows_of(const struct w_tensor *t)
{
    return t->ndim == 2 ? t->shape[0] : 1;
}

static bool is_lazy(const struct w_update *u, const struct w_tensor *t)
{
    return u->lazy && t == u->lazy->tensor;
}

/* Rows of a tensor to work on: none where there is neither an update nor packing. */
static u64 rows_in_pass(const struct w_update *u, const struct w_tensor *t)
{
    if (!u->optimizer && t == u->unpacked)
        return 0;
    return is_lazy(u, t) ? u->lazy->count : rows_of(t);
}

static u64 items_of(const struct w_update *u, const struct w_tensor *t)
{
    return (rows_in_pass(u, t) + ROWS - 1) / ROWS;
}

static struct stripe find_stripe(const struct w_update *u, u64 item)
{
    const struct w_tensor *t = u->tensors->rows;

    for (; item >= items_of(u, t); t++)
        item -= items_of(u, t);
    return (struct stripe){.tensor = t,
                           .row = item * ROWS,
                           .rows = W_MIN(rows_in_pass(u, t) - item * ROWS, ROWS),
                           .width = t->count / rows_of(t),
                           .ids = is_lazy(u, t) ? u->lazy->ids + item * ROWS : NULL};
}

/* Pack columns [col, col + cols) of the stripe, which `block` holds in bf16, into the tensor's
 * panels. Forward, its rows are columns of b; backward, they are rows of b. */
static void pack_block(const struct update_job *job, const struct stripe *s, const w_bf16 *block,
                       u64 col, u64 cols)
{
    const struct w_ukernel *ukernel = &job->engine->kern->ukernel[W_TYPE_BF16];
    const struct w_update *u = job->u;
    const u64 width = w_round_up(s->width, ukernel->k_unroll), tile = ukernel->tile_cols;
    const u64 height = w_round_up(s->tensor->shape[0], ukernel->k_unroll);

    for (u64 i = 0; i < s->rows; i += tile)
        ukernel->pack_panel(u->packed + s->tensor->packed + (s->row + i) * width + col * tile,
                            block + i * cols, 1, cols, cols, (u32)W_MIN(tile, s->rows - i));
    for (u64 j = 0; u->packed_back && j < cols; j += tile)
        ukernel->pack_panel(u->packed_back + s->tensor->packed + (col + j) * height + s->row * tile,
                            block + j, cols, 1, s->rows, (u32)W_MIN(tile, cols - j));
}

float *w_update_state(const struct w_update *u, const struct w_tensor *t, u32 state)
{
    u32 first = 0; /* state of the tensor's rule */

    while (w_optimizer_state(u->optimizer, first).rule != t->rule)
        first++;
    return u->states[first + state] + t->state;
}

void w_update_prepare(const struct w_engine *engine, const struct w_update *update)
{
    const struct w_optimizer *optimizer = update->optimizer;

    for (u32 i = 0; i < W_OPTIMIZER_RULES && optimizer->rules[i]; i++)
        if (optimizer->rules[i]->prepare)
            optimizer->rules[i]->prepare(engine, update);
}

/* n weights of a tensor from its weight `at` on. */
static void apply_rule(const struct w_update *u, const struct w_kern *kern,
                       const struct w_tensor *t, u64 at, u64 n)
{
    const struct w_rule *rule = u->optimizer->rules[t->rule];
    float *states[W_RULE_STATES] = {0};

    for (u32 i = 0; i < W_RULE_STATES && rule->states[i]; i++)
        states[i] = w_update_state(u, t, i) + at;
    rule->update(&u->step, kern, t, u->weights + t->offset + at, u->gradients + t->offset + at,
                 states, n);
}

static void update_stripe(void *context, u64 item, u32 worker)
{
    const struct update_job *job = context;
    const struct w_kern *kern = job->engine->kern;
    const struct w_update *u = job->u;
    const struct stripe s = find_stripe(u, item);
    const bool packs = u->packed && s.tensor->operand && s.tensor != u->unpacked;
    w_bf16 *block = (w_bf16 *)(void *)w_engine_scratch(job->engine, worker);

    for (u64 col = 0, cols; col < s.width; col += cols) {
        cols = W_MIN(COLS, s.width - col);
        for (u64 i = 0; i < s.rows; i++) {
            const u64 row = s.ids ? s.ids[i] : s.row + i;
            const u64 at = row * s.width + col; /* in the tensor */
            if (u->optimizer)
                apply_rule(u, kern, s.tensor, at, cols);
            if (packs)
                kern->to_bf16(block + i * cols, u->weights + s.tensor->offset + at, cols);
        }
        if (packs)
            pack_block(job, &s, block, col, cols);
    }
}

void w_update_weights(const struct w_engine *engine, const struct w_update *update)
{
    struct update_job job = {.engine = engine, .u = update};
    u64 items = 0;

    for (u32 i = 0; i < update->tensors->count; i++)
        items += items_of(update, &update->tensors->rows[i]);
    w_team_for(engine->team, items, update_stripe, &job);
}
