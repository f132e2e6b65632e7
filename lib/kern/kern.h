/* kern.h - the arithmetic: what every kernel computes, and the table of its variants.
 *
 * A variant is a table of functions for one instruction set. `ref` is the truth: plain C loops that
 * can be read against the formula. The others are tested against it. All of them work on one thread;
 * the callers cut the work (gemm.h, net/).
 *
 * Rules for all kernels: rows are contiguous floats; n is any number, 0 too; pointers need no
 * alignment; outputs do not overlap inputs unless the text says "in place"; sums run in a fixed
 * order, so that the same call gives the same bits. */
#ifndef W_KERN_H
#define W_KERN_H

#include "base/status.h"
#include "kern/bf16.h"

/* The largest tile of any variant, and what k is at most rounded up to: memory is planned for these,
 * so that the plan is the same on every machine. */
#define W_TILE_ROWS_MAX 32
#define W_TILE_COLS_MAX 32
#define W_K_UNROLL_MAX 32

/* c (rows, cols) = add + a (rows, k) * b (k, cols), in floats. The bits of c do not depend on how a
 * caller cuts k, as long as it is cut at multiples of the step: the sums begin with add, and go on in
 * the order of k. */
struct w_tile {
    u64 k;         /* a multiple of the step */
    const void *a; /* packed rows; or, where a_row is not 0, rows as they lie: element (i, p) at
                          a[i * a_row + p], and rows a multiple of tile_rows */
    u64 a_row;
    const void *b;    /* one packed panel */
    const float *add; /* element (i, j) at add[i * add_row + j]: c itself to accumulate, add_row 0
                          for a bias; NULL: zeros */
    u64 add_row;
    float *c; /* element (i, j) at c[i * c_row + j] */
    u64 c_row;
    u64 rows;         /* any number */
    u32 cols;         /* 1 to tile_cols */
    const void *next; /* the panel that will be read after this one; NULL: not known */
};

/* How a variant multiplies operands of one type: the packed forms that it reads, and the tile. Packed
 * matrices are opaque but for their sizes: a panel has k * tile_cols elements of the type; packed rows
 * have at most k elements of 4 bytes each. k is filled up with zeros to a multiple of the step, and
 * lines to a whole tile. */
struct w_ukernel {
    u32 tile_rows, tile_cols, k_unroll;
    u32 row_bytes;   /* of an element of packed rows */
    bool reads_rows; /* tile() takes rows as they lie */
    void (*run)(const struct w_tile *);
    /* One panel of b: k rows of cols <= tile_cols columns. Element (p, j) of the source is
     * b[p * b_row + j * b_col]; one of the strides is 1. */
    void (*pack_panel)(void *panel, const void *b, u64 b_row, u64 b_col, u64 k, u32 cols);
    /* Rows of a, one tile behind the other. Element (i, p) of the source is a[i * a_row + p * a_col];
     * one of the strides is 1. May write 16 bytes behind the last tile. */
    void (*pack_rows)(void *packed, const void *a, u64 a_row, u64 a_col, u64 k, u64 rows);
};

/* A whole product of floats, by a library that packs for itself: c = add + a b. Strides as above. */
struct w_sgemm {
    u64 rows, cols, k;
    const float *a;
    u64 a_row, a_col;
    const float *b;
    u64 b_row, b_col;
    const float *add;
    u64 add_row;
    float *c;
    u64 c_row;
};

struct w_adamw {
    float grad_scale; /* clipping */
    float beta1, beta2, epsilon;
    float step_size;        /* learning rate / (1 - beta1^step) */
    float sqrt_correction2; /* sqrt(1 - beta2^step) */
    float decay_factor;     /* 1 - learning rate * decay */
};

/* Instruction sets that a variant may need of the CPU, as bits. */
enum w_isa { W_ISA_AVX2 = 1, W_ISA_AVX512 = 2, W_ISA_AVX512_BF16 = 4, W_ISA_AMX = 8 };

struct w_kern {
    const char *name;
    u32 isa;       /* bits of enum w_isa */
    bool for_bf16; /* it is there for its products of bf16, which this CPU has instructions for; the
                      rest is as in a variant behind it in the list */
    bool switched; /* products of bf16 run at one of two rates, which is changed from outside */
    struct w_ukernel ukernel[W_TYPES];
    /* The products of floats by a library, or NULL to use ukernel. */
    void (*product)(const struct w_sgemm *);

    /* y = x, rounded to the nearest; and back. Denormal numbers may become zero, here and wherever
     * results are rounded to bf16: the instructions of some CPUs make them so. */
    void (*to_bf16)(w_bf16 *y, const float *x, u64 n);
    void (*to_fp32)(float *y, const w_bf16 *x, u64 n);
    /* Sum of x[i] * y[i]. */
    float (*dot)(const float *x, const float *y, u64 n);
    double (*sum_squares)(const float *x, u64 n);
    /* y += x */
    void (*add)(float *y, const float *x, u64 n);

    /* LayerNorm of one row (Ba, Kiros, Hinton, 2016), variance over n, eps 1e-5:
     * y = (x - mean) * rstd * weight + bias. stats: mean and rstd. */
    void (*norm)(float *y, float stats[2], const float *x, const float *weight, const float *bias,
                 u64 n);
    /* dx += its gradient; dweight += dy * xhat; dbias += dy. */
    void (*norm_backward)(float *dx, float *dweight, float *dbias, const float *dy, const float *x,
                          const float stats[2], const float *weight, u64 n);

    /* y = GELU(x), tanh form (Hendrycks and Gimpel, 2016). In place is allowed. */
    void (*gelu)(float *y, const float *x, u64 n);
    /* dx = dy * GELU'(x). In place in dy is allowed. */
    void (*gelu_backward)(float *dx, const float *dy, const float *x, u64 n);
    /* Of numbers that are kept as bf16, so that backward computes with those that forward has seen:
     * in = x, rounded; out = GELU(in), rounded. */
    void (*gelu_bf16)(w_bf16 *out, w_bf16 *in, const float *x, u64 n);
    /* dx = dy * GELU'(in), and out once more, both rounded. */
    void (*gelu_backward_bf16)(w_bf16 *dx, w_bf16 *out, const float *dy, const w_bf16 *in, u64 n);

    /* In place: p = softmax(scale * x). */
    void (*softmax)(float *x, float scale, u64 n);
    /* In place in dp: dx = scale * p * (dp - sum(p * dp)). */
    void (*softmax_backward)(float *dp, const float *p, float scale, u64 n);
    /* In place: x = exp(x - base) of n > 0 numbers, with the base of W_EXP_NEAR; *sum is that of the
     * results, so that log(sum(exp(x))) = *base + log(*sum). */
    void (*exp_sum)(float *x, float *base, float *sum, u64 n);
    /* The same, but the results go to y, rounded; *sum is that of the numbers before rounding. */
    void (*exp_sum_bf16)(w_bf16 *y, const float *x, float *base, float *sum, u64 n);
    /* x *= factor */
    void (*scale)(float *x, float factor, u64 n);
    void (*scale_bf16)(w_bf16 *x, float factor, u64 n);

    /* One AdamW update; w, m, v in place; g becomes zero. */
    void (*adamw)(float *w, float *g, float *m, float *v, const struct w_adamw *, u64 n);
};

#define W_NORM_EPSILON 1e-5f

/* Exponentials are taken of the numbers themselves (base 0) where the largest one is this near to 0,
 * else of the differences from the largest (base), so that neither they nor their sum leave the range
 * of floats, and what becomes nothing is nothing beside the largest one's. */
#define W_EXP_NEAR 32.0f

/* The variants, in the order in which "auto" tries them, ending with NULL. */
const struct w_kern *const *w_kern_all(void);
/* Does a machine have its instruction sets? If not, the text says which one is missing; else NULL. */
struct w_machine;
const char *w_kern_lacks(const struct w_kern *, const struct w_machine *);
/* Can it run here? If not, *why says what is missing. Asked of "blas", this loads the library. */
bool w_kern_usable(const struct w_kern *, const char **why);
/* By name, or the fastest usable one for NULL and "auto", with products of floats in mind. W_USAGE for
 * an unknown or unusable one. */
enum w_status w_kern_choose(const struct w_kern **, const char *name, struct w_err *) W_MUST_CHECK;

/* The same for a precision. "auto" is bf16 where the variant is there for that, else fp32; *type is
 * what the operands have then. */
enum w_precision { W_PRECISION_AUTO, W_PRECISION_FP32, W_PRECISION_BF16 };
#define W_PRECISION_NAMES "auto|fp32|bf16"
enum w_status w_kern_choose_precision(const struct w_kern **, enum w_type *, const char *name,
                                      enum w_precision, struct w_err *) W_MUST_CHECK;

#endif
