/* The reference: every kernel as its formula, in plain loops. Sums run in double precision, so that
 * the reference is the exact result to within one rounding. */
#include "kern/variants.h"

#include <math.h>
#include <string.h>

#define ROWS 4
#define COLS 4

/* Packed forms: a by tiles of ROWS, element (i, p) of a tile at p * ROWS + i; b by panels of COLS.
 * With bf16 operands, a is converted to fp32 and b is not. */
static float element(enum w_type type, const void *b, u64 index)
{
    return type == W_TYPE_BF16 ? w_bf16_to_float(((const w_bf16 *)b)[index])
                               : ((const float *)b)[index];
}

static void tile_of(enum w_type type, const struct w_tile *t)
{
    const float *a = t->a;

    for (u64 i = 0; i < t->rows; i++)
        for (u32 j = 0; j < t->cols; j++) {
            float sum = t->add ? t->add[i * t->add_row + j] : 0;
            for (u64 p = 0; p < t->k; p++)
                sum +=
                    a[(i / ROWS * t->k + p) * ROWS + i % ROWS] * element(type, t->b, p * COLS + j);
            t->c[i * t->c_row + j] = sum;
        }
}

static void tile(const struct w_tile *t)
{
    tile_of(W_TYPE_F32, t);
}

static void tile_bf16(const struct w_tile *t)
{
    tile_of(W_TYPE_BF16, t);
}

static void pack_panel(void *panel, const void *b, u64 b_row, u64 b_col, u64 k, u32 cols)
{
    for (u64 p = 0; p < k; p++)
        for (u32 j = 0; j < COLS; j++)
            ((float *)panel)[p * COLS + j] =
                j < cols ? ((const float *)b)[p * b_row + j * b_col] : 0;
}

static void pack_panel_bf16(void *panel, const void *b, u64 b_row, u64 b_col, u64 k, u32 cols)
{
    for (u64 p = 0; p < k; p++)
        for (u32 j = 0; j < COLS; j++)
            ((w_bf16 *)panel)[p * COLS + j] =
                j < cols ? ((const w_bf16 *)b)[p * b_row + j * b_col] : 0;
}

static void pack_rows_of(enum w_type type, float *packed, const void *a, u64 a_row, u64 a_col,
                         u64 k, u64 rows)
{
    for (u64 first = 0; first < rows; first += ROWS)
        for (u64 p = 0; p < k; p++)
            for (u64 i = first; i < first + ROWS; i++)
                *packed++ = i < rows ? element(type, a, i * a_row + p * a_col) : 0;
}

static void pack_rows(void *packed, const void *a, u64 a_row, u64 a_col, u64 k, u64 rows)
{
    pack_rows_of(W_TYPE_F32, packed, a, a_row, a_col, k, rows);
}

static void pack_rows_bf16(void *packed, const void *a, u64 a_row, u64 a_col, u64 k, u64 rows)
{
    pack_rows_of(W_TYPE_BF16, packed, a, a_row, a_col, k, rows);
}

static void to_bf16(w_bf16 *y, const float *x, u64 n)
{
    for (u64 i = 0; i < n; i++)
        y[i] = w_bf16_of(x[i]);
}

static void to_fp32(float *y, const w_bf16 *x, u64 n)
{
    for (u64 i = 0; i < n; i++)
        y[i] = w_bf16_to_float(x[i]);
}

static float dot(const float *x, const float *y, u64 n)
{
    double sum = 0;
    for (u64 i = 0; i < n; i++)
        sum += (double)x[i] * (double)y[i];
    return (float)sum;
}

static double sum_squares(const float *x, u64 n)
{
    double sum = 0;
    for (u64 i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

static void add(float *y, const float *x, u64 n)
{
    for (u64 i = 0; i < n; i++)
        y[i] += x[i];
}

static void norm(float *y, float stats[2], const float *x, const float *weight, const float *bias,
                 u64 n)
{
    double sum = 0, squares = 0;
    for (u64 i = 0; i < n; i++)
        sum += (double)x[i];
    double mean = sum / (double)n;
    for (u64 i = 0; i < n; i++)
        squares += ((double)x[i] - mean) * ((double)x[i] - mean);
    double rstd = 1 / sqrt(squares / (double)n + (double)W_NORM_EPSILON);
    for (u64 i = 0; i < n; i++)
        y[i] = (float)(((double)x[i] - mean) * rstd * (double)weight[i] + (double)bias[i]);
    stats[0] = (float)mean, stats[1] = (float)rstd;
}

/* With xhat = (x - mean) * rstd and g = dy * weight:
 * dx = rstd * (g - mean(g) - xhat * mean(g * xhat)). */
static void norm_backward(float *dx, float *dweight, float *dbias, const float *dy, const float *x,
                          const float stats[2], const float *weight, u64 n)
{
    double mean = (double)stats[0], rstd = (double)stats[1], sum = 0, sum_xhat = 0;

    for (u64 i = 0; i < n; i++) {
        double xhat = ((double)x[i] - mean) * rstd, g = (double)dy[i] * (double)weight[i];
        sum += g;
        sum_xhat += g * xhat;
        dweight[i] += (float)((double)dy[i] * xhat);
        dbias[i] += dy[i];
    }
    for (u64 i = 0; i < n; i++) {
        double xhat = ((double)x[i] - mean) * rstd, g = (double)dy[i] * (double)weight[i];
        dx[i] += (float)(rstd * (g - sum / (double)n - xhat * sum_xhat / (double)n));
    }
}

static const double root_2_pi = 0.79788456080286535588; /* sqrt(2 / pi) */

static void gelu(float *y, const float *x, u64 n)
{
    for (u64 i = 0; i < n; i++) {
        double v = (double)x[i], u = root_2_pi * (v + 0.044715 * v * v * v);
        y[i] = (float)(0.5 * v * (1 + tanh(u)));
    }
}

static void gelu_backward(float *dx, const float *dy, const float *x, u64 n)
{
    for (u64 i = 0; i < n; i++) {
        double v = (double)x[i], t = tanh(root_2_pi * (v + 0.044715 * v * v * v));
        double du = root_2_pi * (1 + 3 * 0.044715 * v * v);
        dx[i] = (float)((double)dy[i] * (0.5 * (1 + t) + 0.5 * v * (1 - t * t) * du));
    }
}

static void gelu_bf16(w_bf16 *out, w_bf16 *in, const float *x, u64 n)
{
    for (u64 i = 0; i < n; i++) {
        float y = w_bf16_to_float(in[i] = w_bf16_of(x[i]));
        gelu(&y, &y, 1);
        out[i] = w_bf16_of(y);
    }
}

static void gelu_backward_bf16(w_bf16 *dx, w_bf16 *out, const float *dy, const w_bf16 *in, u64 n)
{
    for (u64 i = 0; i < n; i++) {
        float x = w_bf16_to_float(in[i]), d, y;
        gelu_backward(&d, &dy[i], &x, 1);
        gelu(&y, &x, 1);
        dx[i] = w_bf16_of(d);
        out[i] = w_bf16_of(y);
    }
}

static float max_of(const float *x, u64 n)
{
    float max = -INFINITY;
    for (u64 i = 0; i < n; i++)
        max = x[i] > max ? x[i] : max;
    return max;
}

static void softmax(float *x, float factor, u64 n)
{
    double max = (double)max_of(x, n), sum = 0;
    for (u64 i = 0; i < n; i++)
        sum += exp((double)factor * ((double)x[i] - max));
    for (u64 i = 0; i < n; i++)
        x[i] = (float)(exp((double)factor * ((double)x[i] - max)) / sum);
}

static void softmax_backward(float *dp, const float *p, float factor, u64 n)
{
    double sum = 0;
    for (u64 i = 0; i < n; i++)
        sum += (double)p[i] * (double)dp[i];
    for (u64 i = 0; i < n; i++)
        dp[i] = (float)((double)factor * (double)p[i] * ((double)dp[i] - sum));
}

static float exp_base(const float *x, u64 n)
{
    const float max = max_of(x, n);
    return fabsf(max) <= W_EXP_NEAR ? 0 : max;
}

static void exp_sum(float *x, float *base, float *sum, u64 n)
{
    double total = 0;
    *base = exp_base(x, n);
    for (u64 i = 0; i < n; i++) {
        double e = exp((double)x[i] - (double)*base);
        total += e;
        x[i] = (float)e;
    }
    *sum = (float)total;
}

static void exp_sum_bf16(w_bf16 *y, const float *x, float *base, float *sum, u64 n)
{
    double total = 0;
    *base = exp_base(x, n);
    for (u64 i = 0; i < n; i++) {
        double e = exp((double)x[i] - (double)*base);
        total += e;
        y[i] = w_bf16_of((float)e);
    }
    *sum = (float)total;
}

static void scale(float *x, float factor, u64 n)
{
    for (u64 i = 0; i < n; i++)
        x[i] *= factor;
}

static void scale_bf16(w_bf16 *x, float factor, u64 n)
{
    for (u64 i = 0; i < n; i++)
        x[i] = w_bf16_of(w_bf16_to_float(x[i]) * factor);
}

static struct w_part at_least(const float *x, float least, u64 n)
{
    struct w_part part = {0};
    double sum = 0;
    for (u64 i = 0; i < n; i++)
        if (x[i] >= least) {
            sum += (double)x[i];
            part.count++;
        }
    part.sum = (float)sum;
    return part;
}

static double number(enum w_type type, const void *x, u64 i)
{
    return (double)element(type, x, i);
}

static void attend_one(enum w_type type, const struct w_attend *a, u64 query)
{
    const u64 width = W_ATTEND_WIDTH(a->size), count = a->count + query;
    const void *q = w_at(a->q, type, query * a->q_row);
    void *y = w_at(a->y, type, query * a->y_row);

    for (u64 t = 0; t < count; t++) {
        const u64 first = t / W_ATTEND_BLOCK * a->size * W_ATTEND_BLOCK + t % W_ATTEND_BLOCK;
        double sum = 0;
        for (u64 i = 0; i < a->size; i++)
            sum += number(type, q, i) * number(type, a->keys, first + i * W_ATTEND_BLOCK);
        a->scratch[t] = (float)sum;
    }
    softmax(a->scratch, a->scale, count);
    for (u64 i = 0; i < a->size; i++) {
        double sum = 0;
        for (u64 t = 0; t < count; t++)
            sum += (double)a->scratch[t] * number(type, a->values, t * width + i);
        if (type == W_TYPE_BF16)
            ((w_bf16 *)y)[i] = w_bf16_of((float)sum);
        else
            ((float *)y)[i] = (float)sum;
    }
}

static void attend(enum w_type type, const struct w_attend *a)
{
    for (u64 i = 0; i < a->queries; i++)
        attend_one(type, a, i);
}

static void attend_fp32(const struct w_attend *a)
{
    attend(W_TYPE_F32, a);
}

static void attend_bf16(const struct w_attend *a)
{
    attend(W_TYPE_BF16, a);
}

static void adamw(float *w, float *g, float *m, float *v, const struct w_adamw *a, u64 n)
{
    for (u64 i = 0; i < n; i++) {
        float grad = g[i] * a->grad_scale;
        m[i] = a->beta1 * m[i] + (1 - a->beta1) * grad;
        v[i] = a->beta2 * v[i] + (1 - a->beta2) * grad * grad;
        w[i] = a->decay_factor * w[i] -
               a->step_size * m[i] / (sqrtf(v[i]) / a->sqrt_correction2 + a->epsilon);
        g[i] = 0;
    }
}

static void momentum(float *m, float *g, float beta, float scale, u64 n)
{
    for (u64 i = 0; i < n; i++) {
        m[i] = beta * m[i] + scale * g[i];
        g[i] = beta * m[i] + scale * g[i];
    }
}

static void descend(float *w, float *g, float decay_factor, float step_size, u64 n)
{
    for (u64 i = 0; i < n; i++) {
        w[i] = decay_factor * w[i] - step_size * g[i];
        g[i] = 0;
    }
}

const struct w_kern w_kern_ref = {
    .name = "ref",
    .ukernel = {[W_TYPE_F32] = {.tile_rows = ROWS,
                                .tile_cols = COLS,
                                .k_unroll = 1,
                                .row_bytes = sizeof(float),
                                .run = tile,
                                .pack_panel = pack_panel,
                                .pack_rows = pack_rows},
                [W_TYPE_BF16] = {.tile_rows = ROWS,
                                 .tile_cols = COLS,
                                 .k_unroll = 1,
                                 .row_bytes = sizeof(float),
                                 .run = tile_bf16,
                                 .pack_panel = pack_panel_bf16,
                                 .pack_rows = pack_rows_bf16}},
    .to_bf16 = to_bf16,
    .to_fp32 = to_fp32,
    .dot = dot,
    .sum_squares = sum_squares,
    .add = add,
    .norm = norm,
    .norm_backward = norm_backward,
    .gelu = gelu,
    .gelu_backward = gelu_backward,
    .gelu_bf16 = gelu_bf16,
    .gelu_backward_bf16 = gelu_backward_bf16,
    .softmax = softmax,
    .softmax_backward = softmax_backward,
    .exp_sum = exp_sum,
    .exp_sum_bf16 = exp_sum_bf16,
    .scale = scale,
    .scale_bf16 = scale_bf16,
    .at_least = at_least,
    .attend = {attend_fp32, attend_bf16},
    .adamw = adamw,
    .momentum = momentum,
    .descend = descend,
};
