/* rng.h - random numbers as a pure function of (seed, stream, counter).
 *
 * Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw: "Parallel random numbers:
 * as easy as 1, 2, 3", SC 2011). There is no state to save: the position is the counter, so that
 * threads, restarts and random access all see the same numbers. A stream separates the uses of one
 * seed from each other. */
#ifndef W_RNG_H
#define W_RNG_H

#include "base/base.h"

struct w_rng {
    u64 seed;
    u64 stream;
    u64 counter; /* of the next number; may be set freely */
};

/* The 128 bits at a position. */
void w_philox(u64 seed, u64 stream, u64 counter, u32 out[4]);

/* The next 64 random bits; advances the counter by one. */
u64 w_rng_u64(struct w_rng *rng);

/* Uniform in [0, n), without bias, n > 0. May advance the counter by more than one. */
u64 w_rng_below(struct w_rng *rng, u64 n);

/* Uniform in [0, 1), 53 bits. */
double w_rng_unit(struct w_rng *rng);

/* Normal with mean 0 and variance 1 (Box and Muller, 1958); advances the counter by one. */
double w_rng_normal(struct w_rng *rng);

#endif
