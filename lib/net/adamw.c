/* The optimizer: the norm of the gradient, and one pass over weights, gradients and moments. Items
 * are fixed stretches of the block of parameters. */
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

struct update_job {
    const struct w_engine *engine;
    const struct w_update *u;
};

/* The parts of all tensors that lie in one stretch. */
static void update_stretch(void *context, u64 item, u32 member)
{
    const struct update_job *job = context;
    const struct w_update *u = job->u;
    const u64 begin = item * W_UPDATE_FLOATS, end = begin + W_UPDATE_FLOATS;

    (void)member;
    for (u32 i = 0; i < u->tensors->count; i++) {
        const struct w_tensor *t = &u->tensors->rows[i];
        u64 from = W_MAX(begin, t->offset), to = W_MIN(end, t->offset + t->count);
        if (from < to)
            job->engine->kern->adamw(u->weights + from, u->gradients + from, u->moments1 + from,
                                     u->moments2 + from, t->decays ? &u->decayed : &u->plain,
                                     to - from);
    }
}

void w_update_weights(const struct w_engine *engine, const struct w_update *update)
{
    struct update_job job = {.engine = engine, .u = update};
    w_team_for(engine->team, (update->tensors->floats + W_UPDATE_FLOATS - 1) / W_UPDATE_FLOATS,
               update_stretch, &job);
}
