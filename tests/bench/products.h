/* products.h - the GEMMs of a training step: the speed of this project's kernels at them, and that
 * of sgemm. */
#ifndef W_PRODUCTS_H
#define W_PRODUCTS_H

#include "conf/conf.h"
#include "kern/gemm.h"
#include "kern/gemm_blas.h"

/* GEMMs of one layer's four matrices and of the head: forward, for the input's gradient and for the
 * weight's. */
#define PRODUCTS 15

struct product {
    const char *name; /* "fc forward" */
    u64 m, n, k;
    bool a_transposed, b_transposed, accumulate;
    u64 count; /* in a step */
};

struct products {
    const struct w_engine *engine;
    struct w_blas blas;
    bool has_blas;
    struct product list[PRODUCTS];
    u64 bytes;        /* of each matrix: */
    float *a, *b, *c; /* operands of sgemm; c */
    void *typed[2];   /* operands in the engine's type */
    void *packed;     /* b in panels */
};

/* Allocate matrices for the configuration's GEMMs, of at most 4096 tokens: with more of them it is
 * no faster. W_NOMEM; close it all the same. */
enum w_status products_open(struct products *, const struct w_conf *, const struct w_engine *,
                            struct w_err *) W_MUST_CHECK;
/* Load sgemm as well, with so many threads of its own; false: it is not installed, *err has the
 * text. */
bool products_open_blas(struct products *, u32 threads, struct w_err *err);
/* Seconds of the fastest call within a time that is the same for all contestants, so that each is
 * measured with its threads awake and its data in the caches. `call` returns the seconds of one
 * call, or 0 if it failed; then so does this. */
double products_fastest(double (*call)(const void *context), const void *context);
/* The fastest call of one GEMM. Weights in bf16 are packed beforehand, as in a step. */
double products_time(const struct products *, const struct product *);
double products_time_sgemm(const struct products *, const struct product *);
double product_flops(const struct product *);
/* FLOP/s of sgemm over all GEMMs of a step, each counted as often as it occurs. */
double products_rate(const struct products *);
void products_close(struct products *); /* harmless on zeros */

#endif
