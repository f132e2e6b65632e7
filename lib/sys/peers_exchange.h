/* peers_exchange.h - one exchange between all ranks, stage by stage, without waiting.
 *
 * Few bytes are combined whole (unless job.by_one), by recursive doubling: in stage s each rank
 * exchanges all it has with rank ^ 2^s. Many bytes by recursive halving, where a stage exchanges
 * half of what the one before it did, and then by the same stages backwards, which collect the
 * parts (Rabenseifner, 2004): that sends 2 (1 - 1/ranks) of x instead of log2(ranks). To or from
 * one owner go the same stages, with all items the owner's part: the first half alone, or the
 * second. Each item is combined in the same tree by all of them, so that the bits are the same. */
#ifndef W_PEERS_EXCHANGE_H
#define W_PEERS_EXCHANGE_H

#include "sys/peers.h"
#include "sys/peers_engine.h"

/* Items [begin, end) of x. */
struct w_exchange_part {
    u64 begin, end;
};

/* A stage of one rank: with whom, what goes out, what comes in, and whether that is combined with
 * what is there. */
struct w_exchange_stage {
    u32 partner;
    struct w_exchange_part out, in;
    bool combines;
};

/* Of a job among `size` ranks, a power of two: the number of its stages, and one of them. */
u32 w_exchange_stages(const struct w_peers_job *, u32 size);
struct w_exchange_stage w_exchange_stage(const struct w_peers_job *, u32 stage, u32 rank, u32 size);

struct w_exchange {
    struct w_peers_job job;
    u32 tag;
    u32 stage;
    bool under_way; /* the messages of this stage */
    bool sent, received;
    struct w_peers_request send, receive;
};

/* Go on as far as that does not wait. Returns an error of the engine, or 0. */
int w_exchange_advance(struct w_exchange *, const struct w_peers_engine *, u32 rank, u32 size,
                       bool *done);

#endif
