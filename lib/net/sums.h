/* sums.h - sums over the rows of a matrix, for the gradients of biases and norms. Every block of
 * W_PARTIAL_ROWS rows has a partial sum; these are added up in their order, so that the result does
 * not depend on the number of threads. */
#ifndef W_SUMS_H
#define W_SUMS_H

#include "net/layer.h"

/* out[j] += sum over rows of x[row * n + j], x (rows, n) in the compute type */
void w_sum_rows(const struct w_pass *, float *out, const void *x, u64 rows, u64 n);
/* out[j] += sum over blocks of pass->partials[first + block * stride + j] */
void w_sum_partials(const struct w_pass *, float *out, u64 first, u64 blocks, u64 stride, u64 n);

static inline u64 w_sum_blocks(u64 rows)
{
    return w_ceil_div(rows, W_PARTIAL_ROWS);
}

#endif
