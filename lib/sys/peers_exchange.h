/* peers_exchange.h - one exchange between all ranks, stage by stage, without waiting.
 *
 * Few bytes are combined whole, by recursive doubling: in stage s each rank exchanges all it has
 * with rank ^ 2^s. Many bytes by recursive halving, where a stage exchanges half of what the one
 * before it did, and then by the same stages backwards, which collect the parts (Rabenseifner,
 * 2004): that sends 2 (1 - 1/ranks) of x instead of log2(ranks). Each item is combined in the same
 * tree by both, so that the bits are the same. */
#ifndef W_PEERS_EXCHANGE_H
#define W_PEERS_EXCHANGE_H

#include "sys/peers.h"
#include "sys/peers_engine.h"

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
