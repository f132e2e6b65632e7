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

/* ---- stripes ---- */

struct update_job {
    const struct w_engine *engine;
    const struct w_update *u;
    double *partials; /* of squares */
};

/* Rows [row, row + rows) of a tensor; a vector is one row. Of lazy rows, places in their list. */
struct stripe {
    const struct w_tensor *tensor;
    u64 row, rows, width;
    const u32 *ids; /* of the list, from `row` on; NULL: rows stand one after the other */
};

static bool is_lazy(const struct w_update *u, const struct w_tensor *t)
{
    return u->lazy && t == u->lazy->tensor;
}

/* Rows of a tensor to work on: none where there is neither an update nor packing. */
static u64 rows_in_pass(const struct w_update *u, const struct w_tensor *t)
{
    if (!u->optimizer && t == u->unpacked)
        return 0;
    return is_lazy(u, t) ? u->lazy->count : w_tensor_rows(t);
}

static u64 items_of(const struct w_update *u, const struct w_tensor *t)
{
    return w_ceil_div(rows_in_pass(u, t), W_STRIPE_ROWS);
}

static struct stripe find_stripe(const struct w_update *u, u64 item)
{
    const struct w_tensor *t = u->tensors->rows;

    for (; item >= items_of(u, t); t++)
        item -= items_of(u, t);
    return (struct stripe){.tensor = t,
                           .row = item * W_STRIPE_ROWS,
                           .rows = W_MIN(rows_in_pass(u, t) - item * W_STRIPE_ROWS, W_STRIPE_ROWS),
                           .width = t->count / w_tensor_rows(t),
                           .ids = is_lazy(u, t) ? u->lazy->ids + item * W_STRIPE_ROWS : NULL};
}

static u64 row_of(const struct stripe *s, u64 i)
{
    return s->ids ? s->ids[i] : s->row + i;
}

static u64 stripes_of(const struct w_update *u)
{
    u64 stripes = 0;

    for (u32 i = 0; i < u->tensors->count; i++)
        stripes += items_of(u, &u->tensors->rows[i]);
    return stripes;
}

u64 w_update_stripes(const struct w_tensors *tensors)
{
    return stripes_of(&(struct w_update){.tensors = tensors});
}

bool w_update_takes(const struct w_update *u, const struct w_tensor *t, u64 at)
{
    if (!u->deal)
        return true;
    const u32 owner = w_deal_owner(u->deal, t->offset + at);
    return (owner == W_DEAL_ALL || owner == u->deal->rank) != u->others;
}

/* ---- the norm of the gradient ---- */

/* Of what each rank updates, the first one makes the sum. */
static bool makes_sum(const struct w_deal *deal, const struct stripe *s)
{
    if (!deal)
        return true;
    const u32 owner = w_deal_owner(deal, s->tensor->offset + row_of(s, 0) * s->width);
    return deal->rank == (owner == W_DEAL_ALL ? 0 : owner);
}

static void square_stripe(void *context, u64 item, u32 worker)
{
    const struct update_job *job = context;
    const struct stripe s = find_stripe(job->u, item);
    const float *g = job->u->gradients + s.tensor->offset;
    const u64 rows = makes_sum(job->u->deal, &s) ? s.rows : 0;
    double sum = 0;

    (void)worker;
    for (u64 i = 0; i < rows; i++)
        sum += job->engine->kern->sum_squares(g + row_of(&s, i) * s.width, s.width);
    job->partials[item] = sum;
}

u64 w_update_squares(const struct w_engine *engine, const struct w_update *update, double *partials)
{
    struct update_job job = {.engine = engine, .u = update, .partials = partials};
    const u64 stripes = stripes_of(update);

    w_team_for(engine->team, stripes, square_stripe, &job);
    return stripes;
}

double w_norm_of_squares(const double *partials, u64 n)
{
    double sum = 0;

    for (u64 i = 0; i < n; i++)
        sum += partials[i];
    return sqrt(sum);
}

/* ---- the update ---- */

/* Columns at a time, so that a block stays in the cache until it is packed. */
#define COLS 1024

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

    if (!w_update_takes(u, s.tensor, row_of(&s, 0) * s.width))
        return;
    for (u64 col = 0, cols; col < s.width; col += cols) {
        cols = W_MIN(COLS, s.width - col);
        for (u64 i = 0; i < s.rows; i++) {
            const u64 at = row_of(&s, i) * s.width + col; /* in the tensor */
            if (u->others)
                memset(u->gradients + s.tensor->offset + at, 0, cols * sizeof *u->gradients);
            else if (u->optimizer)
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

    w_team_for(engine->team, stripes_of(update), update_stripe, &job);
}
