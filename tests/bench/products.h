/* products.h - the matrix products of a training step, and how fast sgemm is at them. */
#ifndef W_PRODUCTS_H
#define W_PRODUCTS_H

#include "conf/conf.h"
#include "kern/gemm_blas.h"

/* Products of one layer's four matrices and of the head, each forward, for the input's gradient and
 * for the weight's. */
#define PRODUCTS 15

struct products {
    struct w_blas blas;
    const struct w_conf *conf;
    float *a, *b, *c; /* room for the largest */
};

enum w_status products_open(struct products *, const struct w_conf *, u32 threads,
                            struct w_err *) W_MUST_CHECK;
/* FLOP/s over all products of a step, each counted as often as the step has it. Whole matrices, the
 * library's own threads, of at most 4096 tokens: more of them make it no faster. */
double products_rate(const struct products *);
void products_close(struct products *); /* harmless on zeroes */

#endif
