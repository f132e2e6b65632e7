/* limit.h - how fast the machine multiplies at this moment, at best: the variant's own tile, over and
 * over on operands in L1, by all threads. For AMX this is a loop of TDPBF16PS with its loads, else one
 * of multiply-adds.
 *
 * A slice is short, so that it can stand between two steps that are measured: the tile unit of a shared
 * machine may run at full or at half rate, and changes within seconds. */
#ifndef W_LIMIT_H
#define W_LIMIT_H

#include "kern/gemm.h"

struct limit {
    const struct w_engine *engine;
    u8 *memory; /* for each thread: a, b and c of one tile */
};

enum w_status limit_open(struct limit *, const struct w_engine *, struct w_err *) W_MUST_CHECK;
/* FLOP/s of all threads, over 10 ms. */
double limit_slice(const struct limit *);
void limit_close(struct limit *); /* harmless on zeroes */

#endif
