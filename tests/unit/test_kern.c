/* Every kernel of every variant that runs here, except GEMM (test_gemm.c), against the reference,
 * on sizes with and without remainders. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "kern/gemm.h"
#include "kern/gemm_blas.h"

/* The code of the AVX-512 kernels without the five functions of vector.h that are instructions, for
 * CPUs that do not have them. */
#define LANES 16
#define W_VARIANT kern_wide
#define W_VARIANT_NAME "wide"
#include "kern/kern_body.h"

#define ULP 0x1p-24 /* half a unit in the last place of a number near 1 */
#define N_MAX 300
#define GUARD 12345.0f /* after the end of every output */

static const u64 sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 257};
static const struct w_kern *ref;

/* All variants, and the one above; NULL after the last. */
static const struct w_kern *kern_at(u32 index)
{
    u32 count = 0;
    while (w_kern_all()[count])
        count++;
    return index < count ? w_kern_all()[index] : index == count ? &kern_wide : NULL;
}

struct data {
    float x[N_MAX], y[N_MAX], w[N_MAX], b[N_MAX];
};

static struct data random_data(u64 seed)
{
    struct data d;
    struct w_rng rng = {.seed = seed};
    for (u64 i = 0; i < N_MAX; i++) {
        d.x[i] = (float)(3 * w_rng_normal(&rng));
        d.y[i] = (float)w_rng_normal(&rng);
        d.w[i] = (float)w_rng_normal(&rng);
        d.b[i] = (float)fabs(w_rng_normal(&rng));
    }
    return d;
}

static void near(const struct w_kern *kern, const char *what, u64 n, u64 i, double got, double want,
                 double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s %s: n %d, element %d: %.9g instead of %.9g, off by %.3g of what is allowed",
                 kern->name, what, (int)n, (int)i, got, want, fabs(got - want) / tolerance);
}

/* Run a check for every variant but the reference, every size, some data. Variants that this CPU
 * cannot run are printed, so that nobody believes that they were tested. */
static void for_all(void (*check)(const struct w_kern *, const struct data *, u64 n))
{
    const char *why;
    for (u32 k = 0; kern_at(k); k++) {
        const struct w_kern *kern = kern_at(k);
        if (!w_kern_usable(kern, &why)) {
            print_message("NOT TESTED: the %s kernels, since %s\n", kern->name, why);
            continue;
        }
        for (u64 s = 0; s < W_COUNTOF(sizes); s++)
            for (u64 seed = 0; seed < 4; seed++) {
                struct data d = random_data(seed);
                check(kern, &d, sizes[s]);
            }
    }
}

static void check_sums(const struct w_kern *kern, const struct data *d, u64 n)
{
    double sum = 0, squares = 0, all = 0;
    float y[N_MAX];
    for (u64 i = 0; i < n; i++) {
        sum += (double)d->x[i] * (double)d->y[i];
        all += fabs((double)d->x[i] * (double)d->y[i]);
        squares += (double)d->x[i] * (double)d->x[i];
    }
    near(kern, "dot", n, 0, (double)kern->dot(d->x, d->y, n), sum, (double)n * ULP * all);
    near(kern, "sum_squares", n, 0, kern->sum_squares(d->x, n), squares, 1e-14 * squares);
    memcpy(y, d->y, sizeof y);
    kern->add(y, d->x, n);
    for (u64 i = 0; i < N_MAX; i++)
        assert_true(y[i] == (i < n ? d->x[i] + d->y[i] : d->y[i]));
}

static void sums_are_right(void **state)
{
    (void)state;
    for_all(check_sums);
}

static void check_norm(const struct w_kern *kern, const struct data *d, u64 n)
{
    float y[N_MAX + 1], want[N_MAX], stats[2], want_stats[2];
    float dx[2][N_MAX], dw[2][N_MAX], db[2][N_MAX];
    if (n == 0)
        return;
    y[n] = GUARD;
    kern->norm(y, stats, d->x, d->w, d->b, n);
    ref->norm(want, want_stats, d->x, d->w, d->b, n);
    assert_true(y[n] == GUARD);
    if (n < 3) /* one or two numbers: rstd is large, and multiplies rounding errors */
        return;
    double chain = (double)n + 8;
    near(kern, "mean", n, 0, (double)stats[0], (double)want_stats[0], chain * ULP * 10);
    near(kern, "rstd", n, 0, (double)stats[1], (double)want_stats[1],
         chain * ULP * (double)stats[1]);
    for (u64 i = 0; i < n; i++)
        near(kern, "norm", n, i, (double)y[i], (double)want[i],
             chain * ULP * (4 + fabs((double)d->x[i] * (double)stats[1])) *
                 (fabs((double)d->w[i]) + fabs((double)d->b[i])));
    for (u32 i = 0; i < 2; i++) {
        memcpy(dx[i], d->b, sizeof dx[i]);
        memcpy(dw[i], d->x, sizeof dw[i]);
        memcpy(db[i], d->w, sizeof db[i]);
        (i ? ref : kern)->norm_backward(dx[i], dw[i], db[i], d->y, d->x, want_stats, d->w, n);
    }
    for (u64 i = 0; i < N_MAX; i++) {
        double scale = i < n ? chain * ULP * 8 : 0;
        near(kern, "norm dx", n, i, (double)dx[0][i], (double)dx[1][i],
             scale * (4 + 16 * (double)stats[1]));
        near(kern, "norm dweight", n, i, (double)dw[0][i], (double)dw[1][i], 64 * ULP * 8);
        near(kern, "norm dbias", n, i, (double)db[0][i], (double)db[1][i], 4 * ULP * 8);
    }
}

static void norms_are_right(void **state)
{
    (void)state;
    for_all(check_norm);
}

static void check_gelu(const struct w_kern *kern, const struct data *d, u64 n)
{
    float y[N_MAX + 1], want[N_MAX];
    y[n] = GUARD;
    kern->gelu(y, d->x, n);
    ref->gelu(want, d->x, n);
    for (u64 i = 0; i < n; i++) {
        /* exp(-2u) has the relative error of its argument, which grows with x^3. */
        double x = fabs((double)d->x[i]), exponent = 1.6 * x + 0.072 * x * x * x;
        near(kern, "gelu", n, i, (double)y[i], (double)want[i],
             ULP * (6 + 3 * exponent) * fabs((double)want[i]) + 1e-15);
    }
    kern->gelu_backward(y, d->y, d->x, n);
    ref->gelu_backward(want, d->y, d->x, n);
    for (u64 i = 0; i < n; i++)
        near(kern, "gelu_backward", n, i, (double)y[i], (double)want[i],
             ULP * 12 * fabs((double)d->y[i]));
    assert_true(y[n] == GUARD);
    memcpy(y, d->y, n * sizeof *y); /* in place */
    kern->gelu_backward(y, y, d->x, n);
    kern->gelu_backward(want, d->y, d->x, n);
    assert_memory_equal(y, want, n * sizeof *y);
}

/* The same bits as the kernels that do one step at a time. */
static void check_gelu_bf16(const struct w_kern *kern, const struct data *d, u64 n)
{
    w_bf16 in[N_MAX], out[N_MAX], dx[N_MAX], want_in[N_MAX], want_out[N_MAX], want_dx[N_MAX];
    float x[N_MAX], y[N_MAX];

    memset(want_in, 0x55, sizeof want_in);
    memset(want_out, 0x55, sizeof want_out);
    memset(want_dx, 0x55, sizeof want_dx);
    memcpy(in, want_in, sizeof in);
    memcpy(out, want_out, sizeof out);
    memcpy(dx, want_dx, sizeof dx);
    kern->to_bf16(want_in, d->x, n);
    kern->to_fp32(x, want_in, n);
    kern->gelu(y, x, n);
    kern->to_bf16(want_out, y, n);
    kern->gelu_backward(y, d->y, x, n);
    kern->to_bf16(want_dx, y, n);

    kern->gelu_bf16(out, in, d->x, n);
    assert_memory_equal(in, want_in, sizeof in);
    assert_memory_equal(out, want_out, sizeof out);
    memset(out, 0x55, sizeof out);
    kern->gelu_backward_bf16(dx, out, d->y, in, n);
    assert_memory_equal(out, want_out, sizeof out);
    assert_memory_equal(dx, want_dx, sizeof dx);
}

static void gelu_is_right(void **state)
{
    (void)state;
    for_all(check_gelu);
    for_all(check_gelu_bf16);
}

/* exp_sum_bf16 and scale_bf16: neighbouring bf16 numbers differ by 2^-8, relatively. */
static void check_halves(const struct w_kern *kern, const struct data *d, u64 n)
{
    w_bf16 half[N_MAX], want[N_MAX];
    float base, sum, want_base, want_sum;

    memset(half, 0x55, sizeof half);
    memset(want, 0x55, sizeof want);
    kern->exp_sum_bf16(half, d->x, &base, &sum, n);
    ref->exp_sum_bf16(want, d->x, &want_base, &want_sum, n);
    assert_true(base == want_base);
    near(kern, "exp_sum_bf16", n, n, (double)sum, (double)want_sum,
         ((double)n + 8) * 8 * ULP * (double)want_sum);
    for (u64 i = 0; i < N_MAX; i++) {
        const double exact = (double)w_bf16_to_float(want[i]);
        near(kern, "exp_sum_bf16", n, i, (double)w_bf16_to_float(half[i]), exact,
             i < n ? 0x1p-7 * exact : 0);
    }
    memcpy(half, want, sizeof half);
    kern->scale_bf16(half, 0.3f, n);
    for (u64 i = 0; i < N_MAX; i++)
        assert_int_equal(half[i], i < n ? w_bf16_of(w_bf16_to_float(want[i]) * 0.3f) : want[i]);
}

static void check_softmax(const struct w_kern *kern, const struct data *d, u64 n)
{
    float p[N_MAX], want[N_MAX], dp[N_MAX], base, sum, want_base, want_sum;

    memcpy(p, d->x, sizeof p);
    memcpy(want, d->x, sizeof want);
    kern->softmax(p, 0.7f, n);
    ref->softmax(want, 0.7f, n);
    for (u64 i = 0; i < N_MAX; i++)
        near(kern, "softmax", n, i, (double)p[i], (double)want[i],
             i < n ? ((double)n + 24) * ULP * (double)want[i] : 0);
    memcpy(dp, d->y, sizeof dp);
    kern->softmax_backward(dp, want, 0.7f, n);
    memcpy(p, d->y, sizeof p);
    ref->softmax_backward(p, want, 0.7f, n);
    for (u64 i = 0; i < N_MAX; i++)
        near(kern, "softmax_backward", n, i, (double)dp[i], (double)p[i],
             i < n ? ((double)n + 8) * ULP * 4 * (double)want[i] : 0);

    if (n == 0)
        return;
    memcpy(p, d->x, sizeof p);
    memcpy(want, d->x, sizeof want);
    kern->exp_sum(p, &base, &sum, n);
    ref->exp_sum(want, &want_base, &want_sum, n);
    assert_true(base == want_base);
    near(kern, "exp_sum", n, n, (double)sum, (double)want_sum,
         ((double)n + 8) * 8 * ULP * (double)want_sum);
    for (u64 i = 0; i < N_MAX; i++)
        near(kern, "exp_sum", n, i, (double)p[i], (double)want[i],
             i < n ? 24 * ULP * (double)want[i] : 0);
    check_halves(kern, d, n);
    kern->scale(want, 0.3f, n);
    kern->scale(p, 0.3f, n);
    for (u64 i = 0; i < N_MAX; i++)
        near(kern, "scale", n, i, (double)p[i], (double)want[i],
             i < n ? 24 * ULP * (double)want[i] : 0);
}

static void softmax_is_right(void **state)
{
    (void)state;
    for_all(check_softmax);
}

static void check_at_least(const struct w_kern *kern, const struct data *d, u64 n)
{
    float x[N_MAX];
    double all = 0;

    memcpy(x, d->x, sizeof x);
    for (u64 i = 5; i < n; i += 7)
        x[i] = i % 2 ? NAN : 0.25f; /* NaN is not in; what equals the bound is */
    for (u64 i = 0; i < n; i++)
        all += isnan(x[i]) ? 0 : fabs((double)x[i]);
    for (float least = -1; least <= 1; least += 0.25f) {
        const struct w_part part = kern->at_least(x, least, n), want = ref->at_least(x, least, n);
        assert_int_equal(part.count, want.count);
        near(kern, "at_least", n, n, (double)part.sum, (double)want.sum,
             ((double)n + 1) * ULP * all);
    }
    assert_int_equal(kern->at_least(x, INFINITY, n).count, 0);
}

static void parts_are_right(void **state)
{
    (void)state;
    for_all(check_at_least);
}

/* exp() itself, over its whole range: within 3 units in the last place. */
static void exponentials_are_right(void **state)
{
    (void)state;
    const char *why;
    for (u32 k = 0; kern_at(k); k++) {
        const struct w_kern *kern = kern_at(k);
        if (!w_kern_usable(kern, &why))
            continue;
        for (double x = -87; x <= 0; x += 0.00371) {
            float y[2] = {0, (float)x}, base, sum;
            double want = exp((double)y[1]);
            kern->exp_sum(y, &base, &sum, 2);
            near(kern, "exp", 1, 0, (double)y[1], want, 6 * ULP * want);
        }
        float far[3] = {0, -1000, -INFINITY}, base, sum;
        kern->exp_sum(far, &base, &sum, 3);
        assert_true(far[1] >= 0 && far[1] < 1e-37f && far[2] >= 0 && far[2] < 1e-37f);
        float large[3] = {99, 100, -W_EXP_NEAR}, small[2] = {-200, -201};
        kern->exp_sum(large, &base, &sum, 3);
        assert_true(base == 100 && large[1] == 1);
        near(kern, "sum", 3, 0, (double)sum, 1 + exp(-1), 6 * ULP);
        kern->exp_sum(small, &base, &sum, 2);
        assert_true(base == -200 && small[0] == 1);
    }
}

static void check_adamw(const struct w_kern *kern, const struct data *d, u64 n)
{
    const struct w_adamw a = {.grad_scale = 0.5f,
                              .beta1 = 0.9f,
                              .beta2 = 0.95f,
                              .epsilon = 1e-8f,
                              .step_size = 1e-2f,
                              .sqrt_correction2 = 0.3f,
                              .decay_factor = 0.999f};
    struct data got = *d, want = *d;
    kern->adamw(got.w, got.x, got.y, got.b, &a, n);
    ref->adamw(want.w, want.x, want.y, want.b, &a, n);
    for (u64 i = 0; i < N_MAX; i++) {
        double tolerance = i < n ? 8 * ULP : 0;
        near(kern, "adamw g", n, i, (double)got.x[i], (double)want.x[i], 0);
        near(kern, "adamw m", n, i, (double)got.y[i], (double)want.y[i], tolerance * 4);
        near(kern, "adamw v", n, i, (double)got.b[i], (double)want.b[i], tolerance * 12);
        near(kern, "adamw w", n, i, (double)got.w[i], (double)want.w[i], tolerance * 4);
    }
}

static void check_momentum(const struct w_kern *kern, const struct data *d, u64 n)
{
    struct data got = *d, want = *d;
    kern->momentum(got.y, got.x, 0.95f, 0.3f, n);
    ref->momentum(want.y, want.x, 0.95f, 0.3f, n);
    kern->descend(got.w, got.b, 0.999f, 0.02f, n);
    ref->descend(want.w, want.b, 0.999f, 0.02f, n);
    for (u64 i = 0; i < N_MAX; i++) {
        double tolerance = i < n ? 8 * ULP : 0;
        near(kern, "momentum m", n, i, (double)got.y[i], (double)want.y[i], tolerance * 4);
        near(kern, "momentum g", n, i, (double)got.x[i], (double)want.x[i], tolerance * 4);
        near(kern, "descend w", n, i, (double)got.w[i], (double)want.w[i], tolerance * 4);
        near(kern, "descend g", n, i, (double)got.b[i], (double)want.b[i], 0);
    }
}

/* NaN stays NaN: a broken model must not look like one that works. */
static void check_nan(const struct w_kern *kern, const struct data *d, u64 n)
{
    if (n == 0)
        return;
    for (u64 at = 0; at < n; at += 1 + n / 5) {
        float x[N_MAX], y[N_MAX], dx[N_MAX], base, sum;
        memcpy(x, d->x, sizeof x);
        x[at] = NAN;
        kern->gelu(y, x, n);
        kern->gelu_backward(dx, d->y, x, n);
        assert_true(isnan(y[at]) && isnan(dx[at]));
        memcpy(y, x, sizeof y);
        kern->exp_sum(y, &base, &sum, n);
        assert_true(isnan(y[at]) && isnan(sum));
        kern->softmax(x, 0.5f, n);
        for (u64 i = 0; i < n; i++)
            assert_true(isnan(x[i]));
    }
}

static void nan_stays_nan(void **state)
{
    (void)state;
    for_all(check_nan);
}

static void adamw_is_right(void **state)
{
    (void)state;
    for_all(check_adamw);
}

static void momentum_is_right(void **state)
{
    (void)state;
    for_all(check_momentum);
}

/* ---- bf16 ---- */

/* Every float that differs in the bits that matter: all upper halves, with lower halves around a
 * tie, in rows long enough for whole vectors and a rest. Denormal numbers may come out as zero of
 * their sign. */
static void check_rounding(const struct w_kern *kern)
{
    static const u32 low[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
    enum { N = 7 * W_COUNTOF(low) };
    float x[N], y[N];
    w_bf16 got[N + 1];

    for (u32 high = 0; high < 0x10000; high++) {
        for (u32 i = 0; i < N; i++) {
            u32 bits = high << 16 | low[i % W_COUNTOF(low)];
            memcpy(&x[i], &bits, sizeof bits);
        }
        got[N] = 0x1234;
        kern->to_bf16(got, x, N);
        kern->to_fp32(y, got, N);
        assert_int_equal(got[N], 0x1234);
        for (u32 i = 0; i < N; i++) {
            const u32 lower = low[i % W_COUNTOF(low)], exponent = high & 0x7f80;
            const u32 up = lower > 0x8000 || (lower == 0x8000 && (high & 1));
            const bool nan = exponent == 0x7f80 && ((high & 0x7f) || lower);
            u32 bits;
            if (exponent || got[i] != (high & 0x8000))
                assert_int_equal(got[i], nan ? high | 0x40 : high + up);
            memcpy(&bits, &y[i], sizeof bits);
            assert_int_equal(bits, (u32)got[i] << 16);
        }
    }
}

static void floats_are_rounded_to_the_nearest(void **state)
{
    (void)state;
    const char *why;
    for (u32 k = 0; kern_at(k); k++)
        if (w_kern_usable(kern_at(k), &why))
            check_rounding(kern_at(k));
}

static void check_conversions(const struct w_kern *kern, const struct data *d, u64 n)
{
    w_bf16 half[N_MAX], want[N_MAX];
    float back[N_MAX];

    memset(half, 0x55, sizeof half);
    memset(want, 0x55, sizeof want);
    kern->to_bf16(half, d->x, n);
    ref->to_bf16(want, d->x, n);
    assert_memory_equal(half, want, sizeof half);
    memcpy(back, d->y, sizeof back);
    kern->to_fp32(back, half, n);
    for (u64 i = 0; i < N_MAX; i++)
        assert_true(back[i] == (i < n ? w_bf16_to_float(half[i]) : d->y[i]));
}

static void conversions_stay_within_their_rows(void **state)
{
    (void)state;
    for_all(check_conversions);
}

static void kernels_have_names(void **state)
{
    (void)state;
    const struct w_kern *kern;
    struct w_err err;
    const char *why;

    for (u32 k = 0; w_kern_all()[k]; k++) {
        enum w_status expected = w_kern_usable(w_kern_all()[k], &why) ? W_DONE : W_USAGE;
        assert_int_equal(w_kern_choose(&kern, w_kern_all()[k]->name, &err), expected);
        assert_ptr_equal(kern, w_kern_all()[k]);
    }
    assert_int_equal(w_kern_choose(&kern, "avx1024", &err), W_USAGE);
    assert_non_null(strstr(err.text, "portable"));
}

/* Blocks for caches of any size fit the memory that is planned for them. */
static void check_blocks(const struct w_kern *kern, enum w_type type, u64 l1, u64 l2)
{
    const struct w_ukernel *ukernel = &kern->ukernel[type];
    struct w_blocks blocks = w_blocks_choose(kern, type, l1, l2);

    assert_true(blocks.k > 0 && blocks.rows > 0 && blocks.cols > 0);
    assert_true(blocks.k <= W_BLOCK_K_MAX && blocks.rows <= W_BLOCK_ROWS_MAX);
    assert_true(blocks.rows % ukernel->tile_rows == 0 && blocks.cols % ukernel->tile_cols == 0);
    assert_true(blocks.k % ukernel->k_unroll == 0);
    assert_true(ukernel->tile_rows <= W_TILE_ROWS_MAX && ukernel->tile_cols <= W_TILE_COLS_MAX);
    assert_true(ukernel->k_unroll <= W_K_UNROLL_MAX && ukernel->tile_rows % ukernel->k_unroll == 0);
    assert_true(W_EPILOGUE_COLS % ukernel->tile_cols == 0 && ukernel->row_bytes <= sizeof(float));
}

static void blocks_fit_their_memory(void **state)
{
    (void)state;
    const char *why;
    for (u32 k = 0; kern_at(k); k++)
        for (u64 l1 = 0; l1 <= 1 << 20; l1 = l1 ? 2 * l1 : 1024)
            for (u64 l2 = 0; l2 <= 1 << 26; l2 = l2 ? 2 * l2 : 4096) {
                if (!w_kern_usable(kern_at(k), &why) &&
                    kern_at(k)->ukernel[W_TYPE_F32].tile_rows == 0)
                    continue; /* a library that is not installed */
                check_blocks(kern_at(k), W_TYPE_F32, l1, l2);
                check_blocks(kern_at(k), W_TYPE_BF16, l1, l2);
            }
}

static void the_help_names_every_variant(void **state)
{
    (void)state;
    for (u32 k = 0; w_kern_all()[k]; k++)
        assert_non_null(strstr(W_KERN_NAMES, w_kern_all()[k]->name));
}

/* By default OpenBLAS 0.3.21 runs newer AVX-512 machines at half their speed. */
static void openblas_is_told_of_avx512(void **state)
{
    (void)state;
    assert_string_equal(w_blas_core_type(&(struct w_machine){.avx512 = true}), "SkylakeX");
    assert_null(w_blas_core_type(&(struct w_machine){.avx2_fma = true}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_right),
        cmocka_unit_test(norms_are_right),
        cmocka_unit_test(gelu_is_right),
        cmocka_unit_test(softmax_is_right),
        cmocka_unit_test(parts_are_right),
        cmocka_unit_test(exponentials_are_right),
        cmocka_unit_test(nan_stays_nan),
        cmocka_unit_test(adamw_is_right),
        cmocka_unit_test(momentum_is_right),
        cmocka_unit_test(floats_are_rounded_to_the_nearest),
        cmocka_unit_test(conversions_stay_within_their_rows),
        cmocka_unit_test(kernels_have_names),
        cmocka_unit_test(blocks_fit_their_memory),
        cmocka_unit_test(the_help_names_every_variant),
        cmocka_unit_test(openblas_is_told_of_avx512),
    };
    if (w_kern_choose(&ref, "ref", NULL))
        return 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
