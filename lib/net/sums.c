/* Sums over rows in two passes of the team: every block of rows makes its own partial sum of all
 * columns, then every item adds up the partial sums of some columns in the order of the blocks. The
 * partition into blocks is fixed, so the bits are too; x is read once, and the partial sums are 1 /
 * W_PARTIAL_ROWS of it. */
#include "net/sums.h"

#include <string.h>

/* Columns that one item adds up. */
#define COLS 256

struct job {
    const struct w_engine *engine;
    float *out;
    const void *x;
    u64 rows, n, stride;
};

/* sums += a row in the compute type */
static void add_row(const struct w_engine *engine, float *sums, const void *row, u64 n)
{
    float floats[COLS];

    if (engine->type == W_TYPE_F32) {
        engine->kern->add(sums, row, n);
        return;
    }
    for (u64 col = 0; col < n; col += COLS) {
        const u64 cols = W_MIN(COLS, n - col);
        engine->kern->to_fp32(floats, (const w_bf16 *)row + col, cols);
        engine->kern->add(sums + col, floats, cols);
    }
}

static void sum_block(void *context, u64 block, u32 worker)
{
    const struct job *job = context;
    u64 begin = block * W_PARTIAL_ROWS, end = W_MIN(begin + W_PARTIAL_ROWS, job->rows);
    float *sums = job->out + block * job->n;

    (void)worker;
    memset(sums, 0, job->n * sizeof *sums);
    for (u64 row = begin; row < end; row++)
        add_row(job->engine, sums, w_at(job->x, job->engine->type, row * job->n), job->n);
}

static void add_blocks(void *context, u64 item, u32 worker)
{
    const struct job *job = context;
    const float *partials = job->x;
    u64 col = item * COLS, cols = W_MIN(COLS, job->n - col);

    (void)worker;
    for (u64 block = 0; block < job->rows; block++)
        job->engine->kern->add(job->out + col, partials + block * job->stride + col, cols);
}

void w_sum_partials(const struct w_pass *pass, float *out, u64 first, u64 blocks, u64 stride, u64 n)
{
    struct job job = {.engine = &pass->engine,
                      .out = out,
                      .x = pass->partials + first,
                      .rows = blocks,
                      .n = n,
                      .stride = stride};
    w_team_for(pass->engine.team, w_ceil_div(n, COLS), add_blocks, &job);
}

void w_sum_rows(const struct w_pass *pass, float *out, const void *x, u64 rows, u64 n)
{
    struct job job = {.engine = &pass->engine, .out = pass->partials, .x = x, .rows = rows, .n = n};

    w_team_for(pass->engine.team, w_sum_blocks(rows), sum_block, &job);
    w_sum_partials(pass, out, 0, w_sum_blocks(rows), n, n);
}
