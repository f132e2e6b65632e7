/* peer_sum.h - the sum of a block of floats over the ranks of a run (sys/peers.h), in place and in
 * the order that ranks have, in pieces that are on their way while others are still being made.
 *
 *     w_peer_sum_begin(&sum, x, scratch, floats, true)
 *     w_peer_sum_send(&sum, at, n)                    // x[at] to x[at + n - 1] are final
 *     ...                                             // until all of x is
 *     w_peer_sum_end(&sum, &err)                      // x is the sum
 *
 * By choice (conf.peer_sums) numbers are sent as bf16, in half the bytes: each rank rounds its own,
 * and the sums of a pair of ranks are rounded again, up to that of all. What a rounding leaves out
 * is kept by the rank that rounds, and added to its own numbers of the next sum (error feedback,
 * Seide and others, 2014): so nothing is lost over all sums but what is kept last. */
#ifndef W_PEER_SUM_H
#define W_PEER_SUM_H

#include "conf/conf.h"
#include "kern/gemm.h"
#include "sys/peers.h"

/* Bytes of a number that is sent. */
static inline u64 w_peer_sum_item_bytes(const struct w_conf *conf)
{
    return conf->peer_sums == W_PEER_SUMS_BF16 ? sizeof(w_bf16) : sizeof(float);
}

struct w_peer_sum {
    const struct w_engine *engine;
    struct w_peers *peers; /* NULL: alone, where x is the sum */
    bool bf16;
    float *error; /* with bf16: what is kept, as large as the largest x; zeros at first */
    /* of the sum that is being made */
    float *x, *scratch;
    u64 floats;
    bool feedback;
};

/* x and scratch: (floats). feedback: with bf16, keep what is left out. */
void w_peer_sum_begin(struct w_peer_sum *, float *x, float *scratch, u64 floats, bool feedback);
/* Starts an exchange. */
void w_peer_sum_send(struct w_peer_sum *, u64 at, u64 n);
/* The same for a sum that one rank alone is to have; the others' numbers are lost. In fp32 only:
 * in bf16 it would have other bits than that for all. */
void w_peer_sum_send_to(struct w_peer_sum *, u32 owner, u64 at, u64 n);
/* Wait until x, all of which was sent, is the sum. Status as of w_peers_wait(). */
enum w_status w_peer_sum_end(struct w_peer_sum *, struct w_err *) W_MUST_CHECK;

/* Start a sum of counts x (n), modulo 2^32, for which w_peers_wait() waits. */
void w_peer_sum_counts(struct w_peers *, u32 *x, u32 *scratch, u64 n);

#endif
