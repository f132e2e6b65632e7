/* kern.h - the arithmetic: what every kernel computes, and the table of its variants.
 *
 * A variant is a table of functions for one instruction set. `ref` is the reference: plain C loops
 * that can be compared with the formula. The others are tested against it. All of them work on one
 * thread; the callers divide the work among threads (gemm.h, net/).
 *
 * Rules for all kernels: rows are contiguous and in fp32; n is any number, 0 too; pointers need no
 * alignment; outputs do not overlap inputs unless the text says "in place"; sums run in a fixed
 * order, so that the same call gives the same bits. */
#ifndef W_KERN_H
#define W_KERN_H

#include "base/status.h"
#include "kern/bf16.h"

/* The largest tile of any variant, and the largest k_unroll: memory is planned for these,
 * so that the plan is the same on every machine. */
#define W_TILE_ROWS_MAX 32
#define W_TILE_COLS_MAX 32
#define W_K_UNROLL_MAX 32

/* What a micro-kernel computes: c (rows, cols) = add + a (rows, k) * b (k, cols), accumulated in
 * fp32. The bits of c do not depend on how a caller cuts k, as long as it cuts at multiples of
 * k_unroll: sums start from add and go on in the order of k. Nor do those of a row depend on the
 * number of rows. */
struct w_tile {
    u64 k;         /* a multiple of k_unroll */
    const void *a; /* packed rows, with a_row 0; or unpacked ones: element (i, p) at
                          a[i * a_row + p], and rows a multiple of tile_rows or few_rows at most */
    u64 a_row;
    const void *b;    /* one packed panel */
    const float *add; /* element (i, j) at add[i * add_row + j]: c itself to accumulate, add_row 0
                          for a bias; NULL: zeros */
    u64 add_row;
    float *c; /* element (i, j) at c[i * c_row + j] */
    u64 c_row;
    u64 rows;         /* any number */
    u32 cols;         /* 1 to tile_cols; with meanwhile_too any number */
    const void *next; /* the panel that will be read next, to be prefetched; NULL: unknown */
    /* For a kernel that has meanwhile_too: */
    u64 b_panel;                      /* bytes from one panel to the next */
    void (*meanwhile)(void *context); /* called after each k_unroll of each tile; or NULL */
    void *context;
};

/* Bytes of so many numbers in panels of b. */
static inline u64 w_panel_bytes(enum w_type type, u64 numbers)
{
    if (type == W_TYPE_Q8) /* a scale in bf16 for each 32: see q8.h */
        return numbers / 32 * (32 + sizeof(w_bf16));
    return numbers * w_type_bytes(type);
}

/* The micro-kernel of a variant for operands of one type, and the packing of its operands. Packed
 * matrices are opaque except for their sizes: a panel has k * tile_cols elements of the type;
 * packed rows have at most k elements of 4 bytes each. They are padded with zeros: k to a multiple
 * of k_unroll, rows and columns to a whole tile. */
struct w_ukernel {
    u32 tile_rows, tile_cols, k_unroll;
    u32 row_bytes;      /* of an element of packed rows */
    bool reads_rows;    /* run() takes unpacked rows too, whole tiles of them */
    u32 few_rows;       /* and so many or fewer */
    bool meanwhile_too; /* run() multiplies beside the CPU's other work, and takes several panels:
                           call it for one tile of rows at a time, with work for meanwhile() */
    u32 whole_k; /* k up to which it is not cut though a panel is larger than its part of L1 */
    void (*run)(const struct w_tile *);
    /* One panel of b: k rows of cols <= tile_cols columns. Element (p, j) of the source is
     * b[p * b_row + j * b_col]; one of the strides is 1. */
    void (*pack_panel)(void *panel, const void *b, u64 b_row, u64 b_col, u64 k, u32 cols);
    /* Rows of a, tile after tile. Element (i, p) of the source is a[i * a_row + p * a_col]; one of
     * the strides is 1. May write 16 bytes beyond the last tile. */
    void (*pack_rows)(void *packed, const void *a, u64 a_row, u64 a_col, u64 k, u64 rows);
};

/* A whole GEMM in fp32 by a library, which packs for itself: c = add + a b. Strides as above. */
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

/* Attention of queries of consecutive tokens for one head: y = sum of softmax(scale q k)[t] v[t],
 * of query i (size) over the first count + i keys and values. All are in one type; scores and sums
 * are in fp32. A query gets the same bits however many there are. */
struct w_attend {
    const void *q, *keys, *values;
    void *y;
    u64 queries, q_row, y_row; /* query i at q + i * q_row */
    u64 count, size;
    float scale;
    float *scratch; /* W_ATTEND_FLOATS(keys of the last query, size) */
};
/* Keys lie in blocks of 16, each (size, 16), so that 16 scores are computed at a time; values are
 * rows of W_ATTEND_WIDTH(size) numbers, the last of which are zero. What follows the last key in
 * its block may be any number. */
#define W_ATTEND_BLOCK 16
#define W_ATTEND_WIDTH(size) w_round_up(size, W_ATTEND_BLOCK)
#define W_ATTEND_QUERIES 4 /* at a time */
#define W_ATTEND_FLOATS(count, size)                                                               \
    (W_ATTEND_QUERIES * (w_round_up(count, 4 * W_ATTEND_BLOCK) + W_ATTEND_WIDTH(size)))

/* Some of a row of numbers. */
struct w_part {
    float sum;
    u64 count;
};

struct w_adamw {
    float grad_scale; /* clipping */
    float beta1, beta2, epsilon;
    float step_size;        /* learning rate / (1 - beta1^step) */
    float sqrt_correction2; /* sqrt(1 - beta2^step) */
    float decay_factor;     /* 1 - learning rate * decay */
};

/* Instruction sets that a variant may need of the CPU, as bits. */
enum w_isa {
    W_ISA_AVX2 = 1,
    W_ISA_AVX512 = 2,
    W_ISA_AVX512_BF16 = 4,
    W_ISA_AMX = 8,
    W_ISA_AVX_VNNI = 16,
    W_ISA_AVX512_VNNI = 32,
    W_ISA_AMX_INT8 = 64, /* beside W_ISA_AMX */
};

struct w_kern {
    const char *name;
    u32 isa;       /* bits of enum w_isa */
    bool for_bf16; /* exists for its bf16 GEMM, for which this CPU has instructions; its other
                      kernels are those of a variant further down the list */
    struct w_ukernel ukernel[W_COMPUTE_TYPES];
    /* GEMM in fp32 by a library; NULL: by ukernel. */
    void (*product)(const struct w_sgemm *);

    /* y = x, rounded to the nearest; and back, exactly. Denormal numbers may become zero, here and
     * wherever results are rounded to bf16: the instructions of some CPUs flush them. */
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
    /* in = x, rounded; out = GELU(in), rounded. Of the rounded number, since backward has only
     * that. */
    void (*gelu_bf16)(w_bf16 *out, w_bf16 *in, const float *x, u64 n);
    /* dx = dy * GELU'(in), and out once more, both rounded. */
    void (*gelu_backward_bf16)(w_bf16 *dx, w_bf16 *out, const float *dy, const w_bf16 *in, u64 n);

    /* In place: p = softmax(scale * x). */
    void (*softmax)(float *x, float scale, u64 n);
    /* In place in dp: dx = scale * p * (dp - sum(p * dp)). */
    void (*softmax_backward)(float *dp, const float *p, float scale, u64 n);
    /* In place, n > 0: x = exp(x - *base), with *base as at W_EXP_NEAR; *sum is the sum of the
     * results, so that log(sum(exp(x))) = *base + log(*sum). */
    void (*exp_sum)(float *x, float *base, float *sum, u64 n);
    /* The same, but the results go to y, rounded; *sum is taken before rounding. */
    void (*exp_sum_bf16)(w_bf16 *y, const float *x, float *base, float *sum, u64 n);
    /* x *= factor */
    void (*scale)(float *x, float factor, u64 n);
    void (*scale_bf16)(w_bf16 *x, float factor, u64 n);
    /* Those that are at least `least`; NaN is not. */
    struct w_part (*at_least)(const float *x, float least, u64 n);

    /* For operands of each type. */
    void (*attend[W_COMPUTE_TYPES])(const struct w_attend *);

    /* One AdamW update (Loshchilov and Hutter, 2019) with g' = grad_scale * g; w, m and v in place:
     * m = beta1 m + (1 - beta1) g', v = beta2 v + (1 - beta2) g'^2,
     * w = decay_factor w - step_size m / (sqrt(v) / sqrt_correction2 + epsilon); g becomes zero. */
    void (*adamw)(float *w, float *g, float *m, float *v, const struct w_adamw *, u64 n);

    /* Nesterov's momentum, in place: m = beta m + scale g, then g = beta m + scale g. */
    void (*momentum)(float *m, float *g, float beta, float scale, u64 n);
    /* w = decay_factor w - step_size g; g becomes zero. */
    void (*descend)(float *w, float *g, float decay_factor, float step_size, u64 n);
};

#define W_NORM_EPSILON 1e-5f

/* The base of exponentials is 0 where the largest number is at most this far from 0, else the
 * largest number. Either way neither they nor their sum overflow, and one that underflows is
 * negligible compared with the largest one. */
#define W_EXP_NEAR 32.0f

/* Their names, for help texts. */
#define W_KERN_NAMES "amx, avx512bf16, avx512, avx2, blas (OpenBLAS, fp32 only), portable or ref"
/* The variants, in the order in which "auto" tries them, ending with NULL. */
const struct w_kern *const *w_kern_all(void);
/* Text that names an instruction set that the variant needs and a machine lacks; NULL: it has
 * all. */
struct w_machine;
const char *w_kern_lacks(const struct w_kern *, const struct w_machine *);
/* The same for bits of enum w_isa. */
const char *w_isa_lack(u32 isa, const struct w_machine *);
/* Can it run here? If not, *why (static text) says what is missing. For "blas", this loads the
 * library. */
bool w_kern_usable(const struct w_kern *, const char **why);
/* The variant of that name; for NULL and "auto" the fastest one in fp32 that runs here. W_USAGE:
 * there is none of that name, or it cannot run here. */
enum w_status w_kern_choose(const struct w_kern **, const char *name, struct w_err *) W_MUST_CHECK;

/* The same for a precision; *type becomes the compute type. W_PRECISION_AUTO is bf16 with a variant
 * that exists for it (for_bf16), else fp32. W_USAGE also: bf16 with a library's GEMM. */
enum w_precision { W_PRECISION_AUTO, W_PRECISION_FP32, W_PRECISION_BF16 };
#define W_PRECISION_NAMES "auto|fp32|bf16"
enum w_status w_kern_choose_precision(const struct w_kern **, enum w_type *, const char *name,
                                      enum w_precision, struct w_err *) W_MUST_CHECK;

#endif
