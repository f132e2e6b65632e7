/* peer_sum.h - sums over the ranks of a run (sys/peers.h), in place, in the order that ranks have. These start
 * an exchange, for which w_peers_wait() waits. For a process alone (peers is NULL) x is the sum. */
#ifndef W_PEER_SUM_H
#define W_PEER_SUM_H

#include "kern/kern.h"
#include "sys/peers.h"

/* x (n); scratch: as large. */
void w_peer_sum(struct w_peers *, const struct w_kern *, float *x, float *scratch, u64 n);
/* The same of counts, modulo 2^32. */
void w_peer_sum_counts(struct w_peers *, u32 *x, u32 *scratch, u64 n);

#endif
