/* orthogonal.h - orthogonalise a matrix: give it the singular vectors that it has, and singular
 * values near 1. x = U S V^T becomes about U V^T, its polar factor, by products alone: what Muon
 * does to a gradient (muon.c).
 *
 * Odd polynomials p(s) = a s + b s^3 + c s^5, one after the other, pull singular values towards 1
 * (Jordan and others: "Muon", 2024). Their coefficients are those of "Polar Express" (Amsel,
 * Persson, Musco and Gower, 2025): each is the best one for the interval that the one before
 * leaves. Three of them take singular values from W_ORTHOGONAL_LEAST of the bound to
 * W_ORTHOGONAL_LOW to W_ORTHOGONAL_HIGH; smaller ones grow by W_ORTHOGONAL_SLOPE at most. The bound
 * of all singular values is the fourth root of the sum of their fourth powers, the norm of x x^T:
 * it costs nothing beside the products and is up to n^(1/4) times tighter than the norm of x, which
 * is why three are enough.
 *
 *     const u64 bytes = w_orthogonal_bytes(rows, cols, engine.type);
 *     w_orthogonalise(&engine, scratch, x, rows, cols);      // in place; scratch has the bytes
 *
 * Products are in the engine's compute type, their sums in fp32. The result has the same bits for
 * any number of threads. */
#ifndef W_ORTHOGONAL_H
#define W_ORTHOGONAL_H

#include "kern/gemm.h"

#define W_ORTHOGONAL_LEAST 0.008
#define W_ORTHOGONAL_LOW 0.64
#define W_ORTHOGONAL_HIGH 1.36
#define W_ORTHOGONAL_SLOPE 85

/* Scratch memory of a matrix; UINT64_MAX: more than can be counted. The same for its transpose. */
u64 w_orthogonal_bytes(u64 rows, u64 cols, enum w_type);

/* x (rows, cols) in place. A matrix of zeros stays zero. */
void w_orthogonalise(const struct w_engine *, void *scratch, float *x, u64 rows, u64 cols);

/* FLOPs, those of symmetric products counted once for both halves. */
double w_orthogonal_flops(double rows, double cols);

#endif
