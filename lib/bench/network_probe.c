#include "bench/network_probe.h"

#include <stdlib.h>

#include "bench/probe.h"
#include "sys/clock.h"

#define ROUNDS 15              /* of a row, of which the lower quartile counts */
#define ROUNDS_S 3.0           /* but no new one after so many seconds, by the clock of rank 0 */
#define LARGEST ((u64)2 << 20) /* as a step of training exchanges it (net/gradient_tree.c) */
#define TOGETHER (2 * W_PEERS_AT_A_TIME)

static const struct {
    u32 exchanges;
    u64 bytes;
} plan[W_NETWORK_PROBES] = {
    {1, 1}, {1, 4096}, {1, 65536}, {1, LARGEST}, {TOGETHER, LARGEST},
};

/* Bytes arrive, and are not looked at. */
static void ignore(const void *context, void *x, const void *other, u64 items)
{
    (void)context;
    (void)x;
    (void)other;
    (void)items;
}

static void keep_larger(const void *context, void *x, const void *other, u64 items)
{
    double *to = x;
    const double *from = other;

    (void)context;
    for (u64 i = 0; i < items; i++)
        to[i] = W_MAX(to[i], from[i]);
}

/* One round of a row; *seconds: of the rank for which it took longer, so that both have the
 * same. */
static enum w_status take_round(struct w_peers *peers, u8 *memory, u32 exchanges, u64 bytes,
                                double *seconds, struct w_err *err)
{
    const double began_s = w_now_s();
    double took_s[2] = {0};

    for (u32 i = 0; i < exchanges; i++)
        w_peers_combine(peers, &(struct w_peers_job){.x = memory + 2 * i * bytes,
                                                     .scratch = memory + (2 * i + 1) * bytes,
                                                     .items = bytes,
                                                     .item_bytes = 1,
                                                     .operation = ignore});
    enum w_status status = w_peers_wait(peers, err);
    if (status)
        return status;
    took_s[0] = w_now_s() - began_s;
    w_peers_combine(peers, &(struct w_peers_job){.x = &took_s[0],
                                                 .scratch = &took_s[1],
                                                 .items = 1,
                                                 .item_bytes = sizeof *took_s,
                                                 .operation = keep_larger});
    status = w_peers_wait(peers, err);
    *seconds = took_s[0];
    return status;
}

static enum w_status measure(struct w_network_probe *probe, u32 row, struct w_peers *peers,
                             u8 *memory, struct w_err *err)
{
    double seconds[ROUNDS], sum_s = 0;
    u32 rounds = 0;
    enum w_status status = W_DONE;

    while (rounds < ROUNDS && (rounds == 0 || sum_s < ROUNDS_S) && !status) {
        status =
            take_round(peers, memory, plan[row].exchanges, plan[row].bytes, &seconds[rounds], err);
        if (!status)
            sum_s += seconds[rounds++];
    }
    if (status)
        return status;
    w_sort_reals(seconds, rounds);
    probe->rows[row].exchanges = plan[row].exchanges;
    probe->rows[row].bytes = plan[row].bytes;
    probe->rows[row].seconds = seconds[rounds / 4];
    return W_DONE;
}

enum w_status w_network_probe_run(struct w_network_probe *probe, struct w_peers *peers,
                                  struct w_err *err)
{
    u8 *memory = calloc(2 * TOGETHER, LARGEST);
    enum w_status status = memory ? W_DONE : w_fail(err, W_NOMEM, "no memory for messages");

    *probe = (struct w_network_probe){0};
    for (u32 row = 0; row < W_NETWORK_PROBES && !status; row++)
        status = measure(probe, row, peers, memory, err);
    if (!status) {
        /* The last messages come after the latency of both stages of their exchange. */
        const double all_s = probe->rows[W_NETWORK_PROBES - 1].seconds;
        probe->latency_s = probe->rows[0].seconds;
        probe->bytes_s =
            (double)(TOGETHER * LARGEST) / W_MAX(all_s - 2 * probe->latency_s, all_s / 2);
    }
    free(memory);
    return status;
}
