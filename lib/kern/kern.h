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

/* The largest tile of any variant: memory is planned for these, so that the plan is the same on
 * every machine. */
#define W_TILE_ROWS_MAX 16
#define W_TILE_COLS_MAX 32

/* c (rows, cols) = add + a (rows, k) * b (k, cols), each sum in the order of k and starting from
 * add, so that the bits do not depend on how a caller cuts k. */
struct w_tile {
    u64 k;
    const float *a; /* element (i, p) at a[i * a_row + p * a_col] */
    u64 a_row, a_col;
    const float *b;   /* one packed panel: element (p, j) at b[p * tile_cols + j] */
    const float *add; /* element (i, j) at add[i * add_row + j]: c itself to accumulate, add_row 0
                          for a bias; NULL: zeros */
    u64 add_row;
    float *c; /* element (i, j) at c[i * c_row + j] */
    u64 c_row;
    u32 rows, cols; /* 1 to tile_rows, 1 to tile_cols */
};

struct w_adamw {
    float grad_scale; /* clipping */
    float beta1, beta2, epsilon;
    float step_size; /* learning rate / (1 - beta1^step) */
    float root2;     /* sqrt(1 - beta2^step) */
    float keep;      /* 1 - learning rate * decay */
};

struct w_kern {
    const char *name;
    u32 tile_rows, tile_cols;

    void (*tile)(const struct w_tile *);
    /* One panel of b for tile(): k rows of tile_cols columns, those from cols on zero. Element (p, j)
     * of the source is b[p * b_row + j * b_col]; one of the strides is 1. */
    void (*pack_panel)(float *panel, const float *b, u64 b_row, u64 b_col, u64 k, u32 cols);
    /* a (rows, k) for tile() with a_row 1 and a_col tile_rows, one tile behind the other: the tile of
     * row i begins at packed + i * k. Rows that fill the last tile are zero. Element (i, p) of the source
     * is a[i * a_row + p * a_col]; one of the strides is 1. May write 4 floats behind the last tile. */
    void (*pack_rows)(float *packed, const float *a, u64 a_row, u64 a_col, u64 k, u64 rows);

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

    /* In place: p = softmax(scale * x). */
    void (*softmax)(float *x, float scale, u64 n);
    /* In place in dp: dx = scale * p * (dp - sum(p * dp)). */
    void (*softmax_backward)(float *dp, const float *p, float scale, u64 n);
    /* In place: x = exp(x - max). *max is the largest of n > 0 numbers, *sum that of the results, so
     * that log(sum(exp(x))) = *max + log(*sum). */
    void (*exp_sum)(float *x, float *max, float *sum, u64 n);
    /* x *= factor */
    void (*scale)(float *x, float factor, u64 n);

    /* One AdamW update; w, m, v in place; g becomes zero. */
    void (*adamw)(float *w, float *g, float *m, float *v, const struct w_adamw *, u64 n);

    /* A whole product by a library, or NULL to use tile(): c = add + a * b for matrices with
     * strides as in w_tile, b not packed. */
    void (*product)(const struct w_tile *, u64 b_row, u64 b_col, u64 rows, u64 cols);
};

#define W_NORM_EPSILON 1e-5f

/* The variants, in the order in which "auto" tries them, ending with NULL. */
const struct w_kern *const *w_kern_all(void);
/* Can it run here? If not, *why says what is missing. Asked of "blas", this loads the library. */
bool w_kern_usable(const struct w_kern *, const char **why);
/* By name, or the fastest usable one for NULL and "auto". W_USAGE for an unknown or unusable one. */
enum w_status w_kern_choose(const struct w_kern **, const char *name, struct w_err *) W_MUST_CHECK;

#endif
