/* In bf16 the scratch memory holds two arrays as long as x: this rank's numbers, which become the
 * sum, and what arrives. */
#include "net/peer_sum.h"

/* Floats of an item of the team, and of what an operation converts at a time. */
#define ITEM_FLOATS 16384
#define CHUNK 512

static void add(const void *context, void *x, const void *other, u64 items)
{
    const struct w_peer_sum *sum = context;
    sum->engine->kern->add(x, other, items);
}

static w_bf16 *rounded_of(const struct w_peer_sum *sum)
{
    return (w_bf16 *)(void *)sum->scratch;
}

/* rounded[i] = x[i], and kept[i] += what that leaves out, unless kept is NULL; x is lost. n <=
 * CHUNK */
static void round_off(const struct w_kern *kern, w_bf16 *rounded, float *x, float *kept, u64 n)
{
    float back[CHUNK];

    kern->to_bf16(rounded, x, n);
    if (!kept)
        return;
    kern->to_fp32(back, rounded, n);
    for (u64 i = 0; i < n; i++)
        x[i] -= back[i];
    kern->add(kept, x, n);
}

/* The sum of two ranks, which one of them makes of each number. */
static void add_rounded(const void *context, void *x, const void *other, u64 items)
{
    const struct w_peer_sum *sum = context;
    const struct w_kern *kern = sum->engine->kern;
    w_bf16 *rounded = x;
    const w_bf16 *theirs = other;
    float *kept = sum->feedback ? sum->error + (rounded - rounded_of(sum)) : NULL;

    for (u64 i = 0; i < items; i += CHUNK) {
        const u64 n = W_MIN(CHUNK, items - i);
        float a[CHUNK], b[CHUNK];
        kern->to_fp32(a, rounded + i, n);
        kern->to_fp32(b, theirs + i, n);
        kern->add(a, b, n);
        round_off(kern, rounded + i, a, kept ? kept + i : NULL, n);
    }
}

/* A range of the block. */
struct sum_range {
    const struct w_peer_sum *sum;
    u64 at, n;
};

/* Add what was kept to this rank's numbers, and round them. */
static void pack_item(void *context, u64 item, u32 worker)
{
    const struct sum_range *range = context;
    const struct w_peer_sum *sum = range->sum;
    const struct w_kern *kern = sum->engine->kern;
    const u64 from = range->at + item * ITEM_FLOATS;
    const u64 to = W_MIN(from + ITEM_FLOATS, range->at + range->n);

    (void)worker;
    for (u64 i = from; i < to; i += CHUNK) {
        const u64 n = W_MIN(CHUNK, to - i);
        float *kept = sum->feedback ? sum->error + i : NULL;
        if (kept) {
            kern->add(sum->x + i, kept, n);
            memset(kept, 0, n * sizeof *kept);
        }
        round_off(kern, rounded_of(sum) + i, sum->x + i, kept, n);
    }
}

static void unpack_item(void *context, u64 item, u32 worker)
{
    const struct sum_range *range = context;
    const u64 at = item * ITEM_FLOATS;

    (void)worker;
    range->sum->engine->kern->to_fp32(range->sum->x + at, rounded_of(range->sum) + at,
                                      W_MIN(ITEM_FLOATS, range->n - at));
}

static void over_range(const struct w_peer_sum *sum, u64 at, u64 n,
                       void (*work)(void *context, u64 item, u32 worker))
{
    struct sum_range range = {sum, at, n};
    w_team_for(sum->engine->team, w_ceil_div(n, ITEM_FLOATS), work, &range);
}

void w_peer_sum_begin(struct w_peer_sum *sum, float *x, float *scratch, u64 floats, bool feedback)
{
    sum->x = x;
    sum->scratch = scratch;
    sum->floats = floats;
    sum->feedback = feedback;
}

void w_peer_sum_send(struct w_peer_sum *sum, u64 at, u64 n)
{
    struct w_peers_job job = {.items = n, .context = sum};

    if (!sum->peers)
        return;
    if (sum->bf16) {
        over_range(sum, at, n, pack_item);
        job.x = rounded_of(sum) + at;
        job.scratch = rounded_of(sum) + sum->floats + at;
        job.item_bytes = sizeof(w_bf16);
        job.operation = add_rounded;
        job.by_one = true;
    } else {
        job.x = sum->x + at;
        job.scratch = sum->scratch + at;
        job.item_bytes = sizeof *sum->x;
        job.operation = add;
    }
    w_peers_combine(sum->peers, &job);
}

void w_peer_sum_send_to(struct w_peer_sum *sum, u32 owner, u64 at, u64 n)
{
    w_peers_combine(sum->peers, &(struct w_peers_job){.x = sum->x + at,
                                                      .scratch = sum->scratch + at,
                                                      .items = n,
                                                      .item_bytes = sizeof *sum->x,
                                                      .operation = add,
                                                      .context = sum,
                                                      .way = W_PEERS_TO,
                                                      .owner = owner});
}

enum w_status w_peer_sum_end(struct w_peer_sum *sum, struct w_err *err)
{
    enum w_status status = w_peers_wait(sum->peers, err);

    if (!status && sum->peers && sum->bf16)
        over_range(sum, 0, sum->floats, unpack_item);
    return status;
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
