/* simulation.h - steps of a run among ranks, by discrete events: what each rank does in a step
 * (fit/rank_step.h), and messages that take their turns on the network. The exchanges have the
 * stages of sys/peers_exchange.h, and go on as in sys/peers.c: W_PEERS_AT_A_TIME of them together.
 *
 * A message is on its way once both ranks of the pair have come to that stage. It has the sending
 * side of one rank and the receiving side of the other for its bytes / bytes_s, in the order in
 * which messages come to each, and is done a latency later. What has come is added up by one thread
 * of each rank. The network between the ranks is no limit: any number of pairs have their own
 * bandwidth.
 *
 * Stragglers: the computing of each rank takes exp(spread * z) times its time, with a z of its own
 * in each step, normal with mean 0 and variance 1. The same seed gives the same bits. */
#ifndef W_SIMULATION_H
#define W_SIMULATION_H

#include "fit/network.h"
#include "fit/rank_step.h"

struct w_simulation {
    u32 ranks; /* a power of two, at most W_PEERS_MAX */
    u32 steps; /* one after the other; at least 1 */
    struct w_network network;
    double add_bytes_s; /* of a message, as they are added up; INFINITY: in no time */
    double spread;      /* 0: all ranks are equally fast */
    u64 seed;
};

/* *step_s: the mean seconds of a step, by the last rank. W_NOMEM. Takes about a tenth of a
 * microsecond for each rank, exchange and stage. */
enum w_status w_simulation_run(const struct w_simulation *, const struct w_rank_step *,
                               double *step_s, struct w_err *) W_MUST_CHECK;

#endif
