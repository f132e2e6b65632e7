#include "sys/peers_exchange.h"

/* Up to so many bytes are combined whole: the time of a message is that of its way, not of its
 * bytes. */
#define WHOLE_BYTES 65536

/* Items in a cache line of floats: where a part may begin. */
#define PART_ITEMS 16

static bool is_whole(const struct w_peers_job *job)
{
    return job->way == W_PEERS_ALL && !job->by_one && job->items * job->item_bytes <= WHOLE_BYTES;
}

static u32 levels_of(u32 size)
{
    return (u32)__builtin_ctz(size);
}

/* What a rank is left with after so many halvings: of each pair the rank with bit s clear keeps the
 * lower half; or the one whose bit s is the owner's keeps all, and the other nothing. */
static struct w_exchange_part part_of(const struct w_peers_job *job, u32 rank, u32 halvings)
{
    struct w_exchange_part part = {0, job->items};

    if (job->way != W_PEERS_ALL) {
        const u32 differs = (rank ^ job->owner) & ((1u << halvings) - 1);
        part.end = differs ? 0 : part.end;
        return part;
    }
    for (u32 s = 0; s < halvings; s++) {
        const u64 half = (part.end - part.begin) / 2 / PART_ITEMS * PART_ITEMS;
        if (rank >> s & 1)
            part.begin += half;
        else
            part.end = part.begin + half;
    }
    return part;
}

u32 w_exchange_stages(const struct w_peers_job *job, u32 size)
{
    return is_whole(job) || job->way != W_PEERS_ALL ? levels_of(size) : 2 * levels_of(size);
}

struct w_exchange_stage w_exchange_stage(const struct w_peers_job *job, u32 s, u32 rank, u32 size)
{
    const u32 levels = levels_of(size);
    const bool collects = s >= levels || job->way == W_PEERS_FROM;
    const u32 bit = collects ? w_exchange_stages(job, size) - 1 - s : s;
    struct w_exchange_stage stage = {.partner = rank ^ 1u << bit, .combines = !collects};

    if (is_whole(job)) {
        stage.out = stage.in = (struct w_exchange_part){0, job->items};
    } else {
        const struct w_exchange_part own = part_of(job, rank, bit + 1),
                                     other = part_of(job, stage.partner, bit + 1);
        stage.out = collects ? own : other;
        stage.in = collects ? other : own;
    }
    return stage;
}

static u64 bytes_of(const struct w_exchange *e, const struct w_exchange_part *part)
{
    return (part->end - part->begin) * e->job.item_bytes;
}

/* Where nothing goes out or comes in, there is no message. */
static int begin_stage(struct w_exchange *e, const struct w_peers_engine *engine,
                       const struct w_exchange_stage *stage)
{
    const u64 item = e->job.item_bytes, out = bytes_of(e, &stage->out),
              in = bytes_of(e, &stage->in);
    u8 *into = stage->combines ? e->job.scratch : e->job.x;
    int error = 0;

    e->sent = out == 0;
    e->received = in == 0;
    e->under_way = true;
    if (!e->received)
        error =
            engine->receive(stage->partner, e->tag, into + stage->in.begin * item, in, &e->receive);
    if (!error && !e->sent)
        error = engine->send(stage->partner, e->tag, (u8 *)e->job.x + stage->out.begin * item, out,
                             &e->send);
    return error;
}

static void end_stage(struct w_exchange *e, const struct w_exchange_stage *stage)
{
    const u64 at = stage->in.begin * e->job.item_bytes;

    if (stage->combines && stage->in.begin < stage->in.end)
        e->job.operation(e->job.context, (u8 *)e->job.x + at, (u8 *)e->job.scratch + at,
                         stage->in.end - stage->in.begin);
    e->under_way = false;
    e->stage++;
}

int w_exchange_advance(struct w_exchange *e, const struct w_peers_engine *engine, u32 rank,
                       u32 size, bool *done)
{
    const u32 stages = w_exchange_stages(&e->job, size);
    int error = 0;

    while (!error && e->stage < stages) {
        const struct w_exchange_stage stage = w_exchange_stage(&e->job, e->stage, rank, size);
        if (!e->under_way)
            error = begin_stage(e, engine, &stage);
        if (!error && !e->received)
            error = engine->test(&e->receive, &e->received, NULL);
        if (!error && !e->sent)
            error = engine->test(&e->send, &e->sent, NULL);
        if (error || !e->received || !e->sent)
            break;
        end_stage(e, &stage);
    }
    *done = e->stage == stages;
    return error;
}
