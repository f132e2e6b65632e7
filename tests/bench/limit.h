/* limit.h - the peak of the machine at this moment: the variant's micro-kernel over and over, on
 * operands in L1, by all threads. For AMX this is a loop of TDPBF16PS with its loads, else one of
 * multiply-adds.
 *
 * A sample is short, so that it fits between two steps that are measured: the rate of a shared
 * machine changes within seconds. */
#ifndef W_LIMIT_H
#define W_LIMIT_H

#include "kern/gemm.h"

struct limit {
    const struct w_engine *engine;
    u8 *memory; /* for each thread: a, b and c of one tile */
};

/* W_NOMEM */
enum w_status limit_open(struct limit *, const struct w_engine *, struct w_err *) W_MUST_CHECK;
/* FLOP/s of all threads, over 10 ms. */
double limit_sample(const struct limit *);
void limit_close(struct limit *); /* harmless on zeros */

#endif
