#include "net/layers.h"
#include "net/plan.h"

#include <string.h>

#define ROWS 32 /* per item of the forward pass */

struct job {
    const struct w_engine *engine;
    const struct w_norm *norm;
    void *y;
    float *stats;
    const float *x;
    float *dx;
    void *operand;
    const float *dy;
    float *partials;
    u64 rows;
};

static void forward_rows(void *context, u64 item, u32 member)
{
    const struct job *job = context;
    const struct w_engine *engine = job->engine;
    const struct w_norm *n = job->norm;
    u64 end = W_MIN((item + 1) * ROWS, job->rows);

    for (u64 row = item * ROWS; row < end; row++) {
        void *y = w_at(job->y, engine->type, row * n->d);
        float *floats = engine->type == W_TYPE_BF16 ? w_engine_member(engine, member) : y;
        engine->kern->norm(floats, job->stats + row * 2, job->x + row * n->d, n->weight, n->bias,
                           n->d);
        if (engine->type == W_TYPE_BF16)
            engine->kern->narrow(y, floats, n->d);
    }
}

void w_norm_forward(const struct w_engine *engine, const struct w_norm *norm, void *y, float *stats,
                    const float *x, u64 rows)
{
    struct job job = {.engine = engine, .norm = norm, .y = y, .stats = stats, .x = x, .rows = rows};
    w_team_for(engine->team, (rows + ROWS - 1) / ROWS, forward_rows, &job);
}

/* A block of rows, with its own sums for weight and bias. */
static void backward_rows(void *context, u64 block, u32 member)
{
    const struct job *job = context;
    const u64 d = job->norm->d, end = W_MIN((block + 1) * W_PARTIAL_ROWS, job->rows);
    float *sums = job->partials + block * 2 * d;

    (void)member;
    memset(sums, 0, 2 * d * sizeof *sums);
    for (u64 row = block * W_PARTIAL_ROWS; row < end; row++) {
        float *dx = job->dx + row * d;
        job->engine->kern->norm_backward(dx, sums, sums + d, job->dy + row * d, job->x + row * d,
                                         job->stats + row * 2, job->norm->weight, d);
        if (job->engine->type == W_TYPE_BF16)
            job->engine->kern->narrow((w_bf16 *)job->operand + row * d, dx, d);
    }
}

void w_norm_backward(const struct w_sums *sums, const struct w_norm *norm, float *dx, void *operand,
                     const float *dy, const float *x, const float *stats, u64 rows)
{
    struct job job = {.engine = sums->engine,
                      .norm = norm,
                      .x = x,
                      .stats = (float *)stats,
                      .dx = dx,
                      .operand = operand,
                      .dy = dy,
                      .partials = sums->partials,
                      .rows = rows};
    u64 blocks = (rows + W_PARTIAL_ROWS - 1) / W_PARTIAL_ROWS, d = norm->d;

    w_team_for(sums->engine->team, blocks, backward_rows, &job);
    w_sum_partials(sums, norm->d_weight, sums->partials, blocks, 2 * d, d);
    w_sum_partials(sums, norm->d_bias, sums->partials + d, blocks, 2 * d, d);
}
