#include "tests/bench/limit.h"

#include <stdlib.h>

#include "sys/clock.h"

#define DEPTH 256 /* of k */
#define SAMPLE_S 0.01
#define THREAD_BYTES (128 << 10)

enum w_status limit_open(struct limit *limit, const struct w_engine *engine, struct w_err *err)
{
    const u64 bytes = (u64)w_team_size(engine->team) * THREAD_BYTES;

    *limit = (struct limit){.engine = engine, .memory = aligned_alloc(64, bytes)};
    if (!limit->memory)
        return w_fail(err, W_NOMEM, "no memory to measure the peak");
    memset(limit->memory, 0, bytes);
    return W_DONE;
}

struct sample {
    const struct limit *limit;
    double begin_s;
    double *tiles; /* of each item */
};

static void multiply_until_end(void *context, u64 item, u32 worker)
{
    const struct sample *sample = context;
    const struct w_ukernel *ukernel =
        &sample->limit->engine->kern->ukernel[sample->limit->engine->type];
    u8 *memory = sample->limit->memory + item * THREAD_BYTES;
    const u64 a_bytes = (u64)DEPTH * ukernel->tile_rows * ukernel->row_bytes;
    const u64 c_bytes = (u64)ukernel->tile_rows * ukernel->tile_cols * sizeof(float);
    struct w_tile tile = {.k = DEPTH,
                          .a = memory,
                          .b = memory + w_round_up(a_bytes, 64) + w_round_up(c_bytes, 64),
                          .c = (float *)(void *)(memory + w_round_up(a_bytes, 64)),
                          .c_row = ukernel->tile_cols,
                          .rows = ukernel->tile_rows,
                          .cols = ukernel->tile_cols};

    (void)worker;
    for (u64 done = 0; w_now_s() - sample->begin_s < SAMPLE_S; done += 16) {
        for (u32 i = 0; i < 16; i++)
            ukernel->run(&tile);
        sample->tiles[item] = (double)(done + 16);
    }
}

double limit_sample(const struct limit *limit)
{
    const struct w_ukernel *ukernel = &limit->engine->kern->ukernel[limit->engine->type];
    const u32 threads = w_team_size(limit->engine->team);
    double tiles[4096] = {0}, sum = 0;
    struct sample sample = {.limit = limit, .begin_s = w_now_s(), .tiles = tiles};

    w_team_for(limit->engine->team, threads, multiply_until_end, &sample);
    const double seconds = w_now_s() - sample.begin_s;
    for (u32 i = 0; i < threads; i++)
        sum += tiles[i];
    return 2.0 * DEPTH * ukernel->tile_rows * ukernel->tile_cols * sum / seconds;
}

void limit_close(struct limit *limit)
{
    free(limit->memory);
    *limit = (struct limit){0};
}
