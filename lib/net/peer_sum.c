#include "net/peer_sum.h"

static void add(const void *context, void *x, const void *other, u64 items)
{
    const struct w_kern *kern = context;
    kern->add(x, other, items);
}

void w_peer_sum(struct w_peers *peers, const struct w_kern *kern, float *x, float *scratch, u64 n)
{
    w_peers_combine(peers, &(struct w_peers_job){.x = x,
                                                 .scratch = scratch,
                                                 .items = n,
                                                 .item_bytes = sizeof *x,
                                                 .operation = add,
                                                 .context = kern});
}

static void add_counts(const void *context, void *x, const void *other, u64 items)
{
    u32 *to = x;
    const u32 *from = other;

    (void)context;
    for (u64 i = 0; i < items; i++)
        to[i] += from[i];
}

void w_peer_sum_counts(struct w_peers *peers, u32 *x, u32 *scratch, u64 n)
{
    w_peers_combine(peers, &(struct w_peers_job){.x = x,
                                                 .scratch = scratch,
                                                 .items = n,
                                                 .item_bytes = sizeof *x,
                                                 .operation = add_counts});
}
