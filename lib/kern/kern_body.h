/* kern_body.h - the vector kernels. Included once by each variant's file, which first sets the
 * target, W_VARIANT (the table's name), W_VARIANT_NAME and, if it needs any, W_VARIANT_ISA. A
 * variant that exists for its bf16 instruction sets W_FOR_BF16, and BF16_DOT (body_tile.h) or
 * BF16_TILE_UNIT (body_amx.h).
 *
 * Loops go over whole vectors; the last floats of a row are read by v_load_some(), which fills the
 * other lanes with a number that does not change the result. */
#include "kern/blocks.h"
#include "kern/variants.h"
#include "kern/vector.h"

#include <math.h>

#include "kern/body_tile.h"
#if defined BF16_TILE_UNIT
#include "kern/body_amx.h"
#endif

/* w_bf16_of() in vectors. */
W_INLINE words_vec round_words(vec x)
{
    const words_vec bits = (words_vec)x;
    const words_vec rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    const words_vec nan = (words_vec)(x != x);
    return (nan & (bits >> 16 | 0x40)) | (~nan & rounded);
}

#if !defined W_NARROWS
W_INLINE void v_narrow(w_bf16 *y, vec x)
{
    half_words half = __builtin_convertvector(round_words(x), half_words);
    memcpy(y, &half, sizeof half);
}
#endif

/* The first n < LANES of a vector. Heads of 40 columns have 8 left in every row. */
W_INLINE void v_narrow_some(w_bf16 *y, vec x, u64 n)
{
#if defined W_AVX512
    _mm512_mask_cvtepi32_storeu_epi16(y, (__mmask16)((1u << n) - 1), (__m512i)round_words(x));
#else
    float lanes[LANES];
    v_store(lanes, x);
    for (u64 i = 0; i < n; i++)
        y[i] = w_bf16_of(lanes[i]);
#endif
}

static void to_bf16(w_bf16 *y, const float *x, u64 n)
{
    u64 i = 0;
    for (; i + LANES <= n; i += LANES)
        v_narrow(y + i, v_load(x + i));
    if (i < n)
        v_narrow_some(y + i, v_load_some(x + i, n - i, 0), n - i);
}

static void to_fp32(float *y, const w_bf16 *x, u64 n)
{
    u64 i = 0;
    for (; i + LANES <= n; i += LANES)
        v_store(y + i, v_load_bf16(x + i));
    for (; i < n; i++)
        y[i] = w_bf16_to_float(x[i]);
}

static float dot(const float *x, const float *y, u64 n)
{
    vec sum[4] = {0}; /* four, since the result of a multiply-add takes four cycles */
    u64 i = 0;

    for (; i + 4 * LANES <= n; i += 4 * LANES)
#pragma GCC unroll 4 /* else they are kept in memory */
        for (u64 s = 0; s < 4; s++)
            sum[s] = v_fma(v_load(x + i + s * LANES), v_load(y + i + s * LANES), sum[s]);
    for (; i + LANES <= n; i += LANES)
        sum[0] = v_fma(v_load(x + i), v_load(y + i), sum[0]);
    if (i < n)
        sum[1] = v_fma(v_load_some(x + i, n - i, 0), v_load_some(y + i, n - i, 0), sum[1]);
    return v_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static double sum_squares(const float *x, u64 n)
{
    dvec low = {0}, high = {0};
    double sum = 0;
    u64 i = 0;

    for (; i + LANES <= n; i += LANES) {
        half_vec first, second;
        memcpy(&first, x + i, sizeof first);
        memcpy(&second, x + i + LANES / 2, sizeof second);
        dvec a = __builtin_convertvector(first, dvec), b = __builtin_convertvector(second, dvec);
        low += a * a;
        high += b * b;
    }
    low += high;
    for (u64 lane = 0; lane < LANES / 2; lane++)
        sum += low[lane];
    for (; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

static void add(float *y, const float *x, u64 n)
{
    u64 i = 0;
    for (; i + LANES <= n; i += LANES)
        v_store(y + i, v_load(y + i) + v_load(x + i));
    for (; i < n; i++)
        y[i] += x[i];
}

static void norm(float *y, float stats[2], const float *x, const float *weight, const float *bias,
                 u64 n)
{
    vec sum = {0}, squares = {0};
    u64 i = 0;

    for (i = 0; i + LANES <= n; i += LANES)
        sum += v_load(x + i);
    float mean = v_sum(sum + v_load_some(x + i, n - i, 0)) / (float)n;
    for (i = 0; i + LANES <= n; i += LANES) {
        vec d = v_load(x + i) - mean;
        squares = v_fma(d, d, squares);
    }
    vec d = v_load_some(x + i, n - i, mean) - mean;
    float variance = v_sum(v_fma(d, d, squares)) / (float)n;
    float rstd = 1 / sqrtf(variance + W_NORM_EPSILON);
    for (i = 0; i + LANES <= n; i += LANES)
        v_store(y + i, v_fma((v_load(x + i) - mean) * rstd, v_load(weight + i), v_load(bias + i)));
    for (; i < n; i++)
        y[i] = (x[i] - mean) * rstd * weight[i] + bias[i];
    stats[0] = mean, stats[1] = rstd;
}

static void norm_backward(float *dx, float *dweight, float *dbias, const float *dy, const float *x,
                          const float stats[2], const float *weight, u64 n)
{
    const float mean = stats[0], rstd = stats[1];
    vec sum = {0}, sum_xhat = {0};
    u64 i = 0;

    for (i = 0; i + LANES <= n; i += LANES) {
        vec xhat = (v_load(x + i) - mean) * rstd, d = v_load(dy + i), g = d * v_load(weight + i);
        sum += g;
        sum_xhat = v_fma(g, xhat, sum_xhat);
        v_store(dweight + i, v_fma(d, xhat, v_load(dweight + i)));
        v_store(dbias + i, v_load(dbias + i) + d);
    }
    float mean_g = v_sum(sum), mean_gx = v_sum(sum_xhat);
    for (u64 j = i; j < n; j++) {
        float xhat = (x[j] - mean) * rstd, g = dy[j] * weight[j];
        mean_g += g;
        mean_gx += g * xhat;
        dweight[j] += dy[j] * xhat;
        dbias[j] += dy[j];
    }
    mean_g /= (float)n, mean_gx /= (float)n;
    for (i = 0; i + LANES <= n; i += LANES) {
        vec xhat = (v_load(x + i) - mean) * rstd, g = v_load(dy + i) * v_load(weight + i);
        v_store(dx + i, v_load(dx + i) + rstd * (g - mean_g - xhat * mean_gx));
    }
    for (; i < n; i++) {
        float xhat = (x[i] - mean) * rstd;
        dx[i] += rstd * (dy[i] * weight[i] - mean_g - xhat * mean_gx);
    }
}

/* tanh(u) = 1 - 2 / (1 + exp(2u)), so that 0.5 (1 + tanh(u)) is the logistic function of 2u:
 * GELU(x) = x / (1 + exp(-2u)) with u = sqrt(2 / pi) (x + 0.044715 x^3). */
#define MINUS_2U_1 (-1.5957691216057308f) /* -2 sqrt(2 / pi) */
#define MINUS_2U_3 (-0.0713548162726009f) /* that times 0.044715 */

W_INLINE vec exp_minus_2u(vec x)
{
    const vec minus_2u = x * v_fma(x * x, v_set(MINUS_2U_3), v_set(MINUS_2U_1));
    return v_exp_below_88(v_min(v_set(80.0f), minus_2u)); /* for v_reciprocal() */
}

/* The quotient is also in the slope: after inlining, code that needs both divides once. */
W_INLINE vec gelu_vec(vec x)
{
    return x * v_reciprocal(exp_minus_2u(x) + 1.0f);
}

/* With s = 1 / (1 + e): GELU' = s + x s (1 - s) d(2u)/dx, where 1 - s = e s without
 * cancellation. */
W_INLINE vec gelu_slope_vec(vec x)
{
    vec e = exp_minus_2u(x);
    vec s = v_reciprocal(e + 1.0f);
    vec minus_slope = v_fma(x * x, v_set(3 * MINUS_2U_3), v_set(MINUS_2U_1));
    return s - x * s * (e * s) * minus_slope;
}

static void gelu(float *y, const float *x, u64 n)
{
    u64 i = 0;
    for (; i + LANES <= n; i += LANES)
        v_store(y + i, gelu_vec(v_load(x + i)));
    if (i < n)
        v_store_some(y + i, gelu_vec(v_load_some(x + i, n - i, 0)), n - i);
}

static void gelu_backward(float *dx, const float *dy, const float *x, u64 n)
{
    u64 i = 0;
    for (; i + LANES <= n; i += LANES)
        v_store(dx + i, v_load(dy + i) * gelu_slope_vec(v_load(x + i)));
    if (i < n)
        v_store_some(dx + i,
                     v_load_some(dy + i, n - i, 0) * gelu_slope_vec(v_load_some(x + i, n - i, 0)),
                     n - i);
}

static void gelu_bf16(w_bf16 *out, w_bf16 *in, const float *x, u64 n)
{
    float rest[LANES];
    u64 i = 0;

    for (; i + LANES <= n; i += LANES) {
        v_narrow(in + i, v_load(x + i));
        v_narrow(out + i, gelu_vec(v_load_bf16(in + i)));
    }
    if (i < n) {
        to_bf16(in + i, x + i, n - i);
        to_fp32(rest, in + i, n - i);
        gelu(rest, rest, n - i);
        to_bf16(out + i, rest, n - i);
    }
}

static void gelu_backward_bf16(w_bf16 *dx, w_bf16 *out, const float *dy, const w_bf16 *in, u64 n)
{
    float x[LANES], rest[LANES];
    u64 i = 0;

    for (; i + LANES <= n; i += LANES) {
        const vec v = v_load_bf16(in + i);
        v_narrow(out + i, gelu_vec(v));
        v_narrow(dx + i, v_load(dy + i) * gelu_slope_vec(v));
    }
    if (i < n) {
        to_fp32(x, in + i, n - i);
        gelu(rest, x, n - i);
        to_bf16(out + i, rest, n - i);
        gelu_backward(rest, dy + i, x, n - i);
        to_bf16(dx + i, rest, n - i);
    }
}

static float max_of(const float *x, u64 n)
{
    vec max = v_set(-INFINITY);
    u64 i = 0;
    for (; i + LANES <= n; i += LANES)
        max = v_max(max, v_load(x + i));
    return v_largest(v_max(max, v_load_some(x + i, n - i, -INFINITY)));
}

static void scale(float *x, float factor, u64 n)
{
    u64 i = 0;
    for (; i + LANES <= n; i += LANES)
        v_store(x + i, v_load(x + i) * factor);
    for (; i < n; i++)
        x[i] *= factor;
}

static void scale_bf16(w_bf16 *x, float factor, u64 n)
{
    u64 i = 0;
    for (; i + LANES <= n; i += LANES)
        v_narrow(x + i, v_load_bf16(x + i) * factor);
    for (; i < n; i++)
        x[i] = w_bf16_of(w_bf16_to_float(x[i]) * factor);
}

static struct w_part at_least(const float *x, float least, u64 n)
{
    vec sum[4] = {0}; /* as in dot() */
    ivec count[4] = {0};
    u64 i = 0;

    for (; i + 4 * LANES <= n; i += 4 * LANES)
#pragma GCC unroll 4
        for (u64 s = 0; s < 4; s++)
            v_add_at_least(&sum[s], &count[s], v_load(x + i + s * LANES), v_set(least));
    for (; i + LANES <= n; i += LANES)
        v_add_at_least(&sum[0], &count[0], v_load(x + i), v_set(least));
    if (i < n)
        v_add_at_least(&sum[1], &count[1], v_load_some(x + i, n - i, NAN), v_set(least));
    const ivec counts = (count[0] + count[1]) + (count[2] + count[3]);
    struct w_part part = {.sum = v_sum((sum[0] + sum[1]) + (sum[2] + sum[3]))};
    for (u64 lane = 0; lane < LANES; lane++)
        part.count += (u64)counts[lane];
    return part;
}

/* exp(factor * (x - base)), none of them above exp(W_EXP_NEAR), in place, or rounded to `half` if
 * that is not NULL; returns their sum, taken before rounding. */
W_INLINE float exp_of_differences(float *x, w_bf16 *half, float base, float factor, u64 n)
{
    vec sum[2] = {0};
    u64 i = 0;

    for (u64 step = 2 * LANES; i + step <= n; i += step)
#pragma GCC unroll 2
        for (u64 s = 0; s < 2; s++) {
            const u64 at = i + s * LANES;
            const vec e = v_exp_below_88((v_load(x + at) - base) * factor);
            if (half)
                v_narrow(half + at, e);
            else
                v_store(x + at, e);
            sum[s] += e;
        }
    for (; i + LANES <= n; i += LANES) {
        const vec e = v_exp_below_88((v_load(x + i) - base) * factor);
        if (half)
            v_narrow(half + i, e);
        else
            v_store(x + i, e);
        sum[0] += e;
    }
    if (i < n) {
        /* Lanes after the end add exp(-87), which is negligible compared with the largest one. */
        const vec e = v_exp_below_88((v_load_some(x + i, n - i, -INFINITY) - base) * factor);
        if (half)
            v_narrow_some(half + i, e, n - i);
        else
            v_store_some(x + i, e, n - i);
        sum[1] += e;
    }
    return v_sum(sum[0] + sum[1]);
}

/* The same with the base of W_EXP_NEAR. This is a branch and not a selected number, so that a CPU
 * that predicts it does not wait for the largest number. */
W_INLINE float exp_from_base(float *x, w_bf16 *half, float *base, float factor, u64 n)
{
    const float largest = max_of(x, n);

    if (fabsf(largest * factor) <= W_EXP_NEAR) {
        *base = 0;
        return exp_of_differences(x, half, 0, factor, n);
    }
    *base = largest;
    return exp_of_differences(x, half, largest, factor, n);
}

static void softmax(float *x, float factor, u64 n)
{
    float base;
    if (n > 0)
        scale(x, 1 / exp_from_base(x, NULL, &base, factor, n), n);
}

static void softmax_backward(float *dp, const float *p, float factor, u64 n)
{
    const float sum = dot(p, dp, n);
    u64 i = 0;
    for (; i + LANES <= n; i += LANES)
        v_store(dp + i, factor * v_load(p + i) * (v_load(dp + i) - sum));
    for (; i < n; i++)
        dp[i] = factor * p[i] * (dp[i] - sum);
}

static void exp_sum(float *x, float *base, float *sum, u64 n)
{
    *sum = exp_from_base(x, NULL, base, 1, n);
}

static void exp_sum_bf16(w_bf16 *y, const float *x, float *base, float *sum, u64 n)
{
    *sum = exp_from_base((float *)(uintptr_t)x, y, base, 1, n);
}

#include "kern/body_attend.h"

W_INLINE vec adamw_vec(vec w, vec g, vec *m, vec *v, const struct w_adamw *a)
{
    g *= a->grad_scale;
    *m = v_fma(v_set(a->beta1), *m, (1 - a->beta1) * g);
    *v = v_fma(v_set(a->beta2), *v, (1 - a->beta2) * g * g);
    return v_fma(v_set(a->decay_factor), w,
                 -a->step_size * *m / (v_sqrt(*v) / a->sqrt_correction2 + a->epsilon));
}

static void adamw(float *w, float *g, float *m, float *v, const struct w_adamw *a, u64 n)
{
    u64 i = 0;

    for (; i + LANES <= n; i += LANES) {
        vec first = v_load(m + i), second = v_load(v + i);
        v_store(w + i, adamw_vec(v_load(w + i), v_load(g + i), &first, &second, a));
        v_store(m + i, first);
        v_store(v + i, second);
        v_store(g + i, v_set(0));
    }
    u64 rest = n - i;
    vec first = v_load_some(m + i, rest, 0), second = v_load_some(v + i, rest, 0);
    vec last =
        adamw_vec(v_load_some(w + i, rest, 0), v_load_some(g + i, rest, 0), &first, &second, a);
    v_store_some(w + i, last, rest);
    v_store_some(m + i, first, rest);
    v_store_some(v + i, second, rest);
    v_store_some(g + i, v_set(0), rest);
}

static void momentum(float *m, float *g, float beta, float scale, u64 n)
{
    u64 i = 0;

    for (; i + LANES <= n; i += LANES) {
        const vec scaled = scale * v_load(g + i), mean = v_fma(v_set(beta), v_load(m + i), scaled);
        v_store(m + i, mean);
        v_store(g + i, v_fma(v_set(beta), mean, scaled));
    }
    const vec scaled = scale * v_load_some(g + i, n - i, 0);
    const vec mean = v_fma(v_set(beta), v_load_some(m + i, n - i, 0), scaled);
    v_store_some(m + i, mean, n - i);
    v_store_some(g + i, v_fma(v_set(beta), mean, scaled), n - i);
}

static void descend(float *w, float *g, float decay_factor, float step_size, u64 n)
{
    const vec decay = v_set(decay_factor), step = v_set(-step_size);
    u64 i = 0;

    for (; i + LANES <= n; i += LANES) {
        v_store(w + i, v_fma(decay, v_load(w + i), step * v_load(g + i)));
        v_store(g + i, v_set(0));
    }
    v_store_some(w + i,
                 v_fma(decay, v_load_some(w + i, n - i, 0), step * v_load_some(g + i, n - i, 0)),
                 n - i);
    v_store_some(g + i, v_set(0), n - i);
}

const struct w_kern W_VARIANT = {
    .name = W_VARIANT_NAME,
#if defined W_VARIANT_ISA
    .isa = W_VARIANT_ISA,
#endif
#if defined W_FOR_BF16
    .for_bf16 = true,
#endif
    .ukernel = {[W_TYPE_F32] = {.tile_rows = TILE_ROWS,
                                .tile_cols = TILE_COLS,
                                .k_unroll = 1,
                                .row_bytes = sizeof(float),
                                .few_rows = FEW_ROWS_TWICE,
                                .run = tile,
                                .pack_panel = pack_panel,
                                .pack_rows = pack_rows},
                [W_TYPE_BF16] = {.tile_rows = BF16_ROWS,
                                 .tile_cols = TILE_COLS,
                                 .k_unroll = BF16_STEP,
                                 .row_bytes = BF16_ROW_BYTES,
                                 .reads_rows = BF16_READS_ROWS,
                                 .few_rows = BF16_FEW_ROWS,
                                 .meanwhile_too = BF16_MEANWHILE,
                                 .whole_k = BF16_WHOLE_K,
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
