/* The optimizer: the norm of the gradient, and one pass over weights, gradients and moments, which also
 * writes the weights' panels where products are of bf16. Items are fixed parts of the parameters. */
#include "net/layers.h"

#include <math.h>

struct norm_job {
    const struct w_engine *engine;
    const float *g;
    u64 n;
    double *partials;
};

static void square_stretch(void *context, u64 item, u32 member)
{
    const struct norm_job *job = context;
    u64 begin = item * W_UPDATE_FLOATS;

    (void)member;
    job->partials[item] =
        job->engine->kern->sum_squares(job->g + begin, W_MIN(W_UPDATE_FLOATS, job->n - begin));
}

double w_gradient_norm(const struct w_engine *engine, const float *g, u64 n, double *partials)
{
    struct norm_job job = {.engine = engine, .g = g, .n = n, .partials = partials};
    u64 items = (n + W_UPDATE_FLOATS - 1) / W_UPDATE_FLOATS;
    double sum = 0;

    w_team_for(engine->team, items, square_stretch, &job);
    for (u64 i = 0; i < items; i++)
        sum += partials[i];
    return sqrt(sum);
}

/* ---- the update ---- */

/* Rows of a matrix per item: whole panels of its columns and whole steps of its rows, for any variant.
 * And columns at a time, so that a piece stays in the cache until it is packed. */
#define ROWS 32
#define COLS 1024

struct update_job {
    const struct w_engine *engine;
    const struct w_update *u;
    bool pack_only;
};

/* Rows [row, row + rows) of a tensor; a vector is one row. */
struct stretch {
    const struct w_tensor *tensor;
    u64 row, rows, width;
};

static u64 rows_of(const struct w_tensor *t)
{
    return t->ndim == 2 ? t->shape[0] : 1;
}

static u64 items_of(const struct w_tensor *t)
{
    return (rows_of(t) + ROWS - 1) / ROWS;
}

static struct stretch find_stretch(const struct w_tensors *tensors, u64 item)
{
    const struct w_tensor *t = tensors->rows;

    for (; item >= items_of(t); t++)
        item -= items_of(t);
    return (struct stretch){.tensor = t,
                            .row = item * ROWS,
                            .rows = W_MIN(rows_of(t) - item * ROWS, ROWS),
                            .width = t->count / rows_of(t)};
}

/* Columns [col, col + cols) of the stretch, of which `block` has the numbers, into the tensor's panels.
 * Forward, rows are the columns of b; backward, they are its steps of k. */
static void pack_block(const struct update_job *job, const struct stretch *s, const w_bf16 *block,
                       u64 col, u64 cols)
{
    const struct w_mul *mul = &job->engine->kern->mul[W_TYPE_BF16];
    const struct w_panels *panels = &job->u->panels;
    const u64 width = w_round_up(s->width, mul->step), tile = mul->tile_cols;
    const u64 height = w_round_up(s->tensor->shape[0], mul->step);

    for (u64 i = 0; i < s->rows; i += tile)
        mul->pack_panel(panels->forward + s->tensor->packed + (s->row + i) * width + col * tile,
                        block + i * cols, 1, cols, cols, (u32)W_MIN(tile, s->rows - i));
    for (u64 j = 0; panels->back && j < cols; j += tile)
        mul->pack_panel(panels->back + s->tensor->packed + (col + j) * height + s->row * tile,
                        block + j, cols, 1, s->rows, (u32)W_MIN(tile, cols - j));
}

static void update_stretch(void *context, u64 item, u32 member)
{
    const struct update_job *job = context;
    const struct w_kern *kern = job->engine->kern;
    const struct w_update *u = job->u;
    const struct stretch s = find_stretch(u->tensors, item);
    const struct w_adamw *adamw = s.tensor->decays ? &u->decayed : &u->plain;
    const bool packs = u->panels.forward && s.tensor->operand;
    w_bf16 *block = (w_bf16 *)(void *)w_engine_member(job->engine, member);

    for (u64 col = 0, cols; col < s.width; col += cols) {
        cols = W_MIN(COLS, s.width - col);
        for (u64 i = 0; i < s.rows; i++) {
            const u64 at = s.tensor->offset + (s.row + i) * s.width + col;
            if (!job->pack_only)
                kern->adamw(u->weights + at, u->gradients + at, u->moments1 + at, u->moments2 + at,
                            adamw, cols);
            if (packs)
                kern->narrow(block + i * cols, u->weights + at, cols);
        }
        if (packs)
            pack_block(job, &s, block, col, cols);
    }
}

static void run(struct update_job *job)
{
    const struct w_tensors *tensors = job->u->tensors;
    u64 items = 0;

    for (u32 i = 0; i < tensors->count; i++)
        items += items_of(&tensors->rows[i]);
    w_team_for(job->engine->team, items, update_stretch, job);
}

void w_update_weights(const struct w_engine *engine, const struct w_update *update)
{
    run(&(struct update_job){.engine = engine, .u = update});
}

void w_pack_weights(const struct w_engine *engine, const struct w_update *update)
{
    run(&(struct update_job){.engine = engine, .u = update, .pack_only = true});
}
