/* products.h - the matrix products of a training step: how fast this project's kernels are at them, and
 * how fast sgemm is. */
#ifndef W_PRODUCTS_H
#define W_PRODUCTS_H

#include "conf/conf.h"
#include "kern/gemm.h"
#include "kern/gemm_blas.h"

/* Products of one layer's four matrices and of the head, each forward, for the input's gradient and
 * for the weight's. */
#define PRODUCTS 15

struct product {
    const char *name; /* "fc forward" */
    u64 m, n, k;
    bool a_transposed, b_transposed, accumulate;
    u64 count; /* of them in a step */
};

struct products {
    const struct w_engine *engine;
    struct w_blas blas;
    bool has_blas;
    struct product list[PRODUCTS];
    u64 bytes;        /* of each of: */
    float *a, *b, *c; /* operands of sgemm; c */
    void *typed[2];   /* operands in the engine's type */
    void *packed;     /* a weight in panels */
};

/* Matrices for the configuration's products, of at most 4096 tokens: more of them make it no faster. */
enum w_status products_open(struct products *, const struct w_conf *, const struct w_engine *,
                            struct w_err *) W_MUST_CHECK;
/* Have sgemm as well, with so many threads of its own; false: there is none, *err says why. */
bool products_open_blas(struct products *, u32 threads, struct w_err *err);
/* Seconds of the fastest of the calls within a time that is the same for all contestants, so that each is
 * seen with its threads awake and its data in the caches that it can use. `call` returns the seconds of
 * one call, or 0 if it failed; then so does this. */
double products_fastest(double (*call)(const void *context), const void *context);
/* The same of one product. Weights of bf16 are packed before, as a step has them. */
double products_time(const struct products *, const struct product *);
double products_time_sgemm(const struct products *, const struct product *);
double product_flops(const struct product *);
/* FLOP/s of sgemm over all products of a step, each counted as often as the step has it. */
double products_rate(const struct products *);
void products_close(struct products *); /* harmless on zeroes */

#endif
