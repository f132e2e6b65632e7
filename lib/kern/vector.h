/* vector.h - vectors of floats, as wide as the target of the file that includes this one. Most of
 * it is GCC's vector types; the few operations that these lack are written for each instruction
 * set. */
#ifndef W_VECTOR_H
#define W_VECTOR_H

#include <string.h>

#include "base/base.h"

/* LANES is set from outside only by a test, which runs the wide code on any CPU. */
#if defined LANES
#include <math.h>
#elif defined __AVX512F__
#include <immintrin.h>
#define LANES 16
#define W_AVX512
#elif defined __AVX2__ && defined __FMA__
#include <immintrin.h>
#define LANES 8
#define W_AVX2
#else
#include <math.h>
#define LANES 4
#endif

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef i32 ivec __attribute__((vector_size(4 * LANES)));
typedef double dvec __attribute__((vector_size(4 * LANES))); /* half as many */
typedef float half_vec __attribute__((vector_size(2 * LANES)));

#define W_INLINE static inline __attribute__((always_inline))

#if defined W_AVX512
W_INLINE vec v_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}
W_INLINE vec v_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}
W_INLINE vec v_min(vec a, vec b)
{
    return _mm512_min_ps(a, b);
}
W_INLINE vec v_sqrt(vec a)
{
    return _mm512_sqrt_ps(a);
}
#elif defined W_AVX2
W_INLINE vec v_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}
W_INLINE vec v_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}
W_INLINE vec v_min(vec a, vec b)
{
    return _mm256_min_ps(a, b);
}
W_INLINE vec v_sqrt(vec a)
{
    return _mm256_sqrt_ps(a);
}
#else
W_INLINE vec v_fma(vec a, vec b, vec c)
{
    return a * b + c;
}
W_INLINE vec v_select(ivec mask, vec a, vec b)
{
    return (vec)(((ivec)a & mask) | ((ivec)b & ~mask));
}
W_INLINE vec v_max(vec a, vec b)
{
    return v_select(a > b, a, b);
}
W_INLINE vec v_min(vec a, vec b)
{
    return v_select(a < b, a, b);
}
W_INLINE vec v_sqrt(vec a)
{
    for (int i = 0; i < LANES; i++)
        a[i] = sqrtf(a[i]);
    return a;
}
#endif

W_INLINE vec v_set(float x)
{
    return x - (vec){0};
}

#if defined W_AVX512 && defined __AVX512BF16__
/* sum[i] += a[i].high * b[i].high, then += a[i].low * b[i].low, pairs of bf16; denormal numbers
 * count as zero, in operands and results. */
W_INLINE vec v_dot(vec sum, ivec a, ivec b)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

/* To the nearest bf16, ties to even; denormal numbers become zero. */
#define W_NARROWS
W_INLINE void v_narrow(u16 *y, vec x)
{
    const __m256bh half = _mm512_cvtneps_pbh(x);
    memcpy(y, &half, sizeof half);
}
#endif

/* Numbers of 16 bits, each in the lower half of a lane. (From __builtin_convertvector GCC 12 makes
 * three times the instructions for vectors this wide.) */
typedef u32 words_vec __attribute__((vector_size(4 * LANES)));
typedef u16 half_words __attribute__((vector_size(2 * LANES)));

W_INLINE words_vec v_widen(const u16 *p)
{
    half_words half;
    memcpy(&half, p, sizeof half);
#if defined W_AVX512
    return (words_vec)_mm512_cvtepu16_epi32((__m256i)half);
#elif defined W_AVX2
    return (words_vec)_mm256_cvtepu16_epi32((__m128i)half);
#else
    return __builtin_convertvector(half, words_vec);
#endif
}

/* bf16 as floats. */
W_INLINE vec v_load_bf16(const u16 *p)
{
    return (vec)(v_widen(p) << 16);
}

W_INLINE vec v_load(const float *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

W_INLINE void v_store(float *p, vec v)
{
    memcpy(p, &v, sizeof v);
}

/* The last n < LANES floats of a row; the lanes after them hold `fill`. */
#if defined W_AVX512
W_INLINE vec v_load_some(const float *p, u64 n, float fill)
{
    return _mm512_mask_loadu_ps(v_set(fill), (__mmask16)((1u << n) - 1), p);
}

W_INLINE void v_store_some(float *p, vec v, u64 n)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), v);
}
#elif defined W_AVX2
W_INLINE __m256i v_first(u64 n)
{
    static const i32 window[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(const void *)(window + LANES - n));
}

W_INLINE vec v_load_some(const float *p, u64 n, float fill)
{
    const __m256i first = v_first(n);
    return _mm256_blendv_ps(v_set(fill), _mm256_maskload_ps(p, first), (__m256)first);
}

W_INLINE void v_store_some(float *p, vec v, u64 n)
{
    _mm256_maskstore_ps(p, v_first(n), v);
}
#else
W_INLINE vec v_load_some(const float *p, u64 n, float fill)
{
    float lanes[LANES];
    for (u64 i = 0; i < LANES; i++)
        lanes[i] = i < n ? p[i] : fill;
    return v_load(lanes);
}

W_INLINE void v_store_some(float *p, vec v, u64 n)
{
    float lanes[LANES];
    v_store(lanes, v);
    for (u64 i = 0; i < n; i++)
        p[i] = lanes[i];
}
#endif

/* Pairwise: the upper half of the lanes is added to the lower, and so on, whatever the width. */
#if defined W_AVX512
W_INLINE float v_sum(vec v)
{
    return _mm512_reduce_add_ps(v);
}

W_INLINE float v_largest(vec v)
{
    return _mm512_reduce_max_ps(v);
}
#else
W_INLINE float v_sum(vec v)
{
    half_vec low, high;
    float lanes[LANES / 2];
    memcpy(&low, &v, sizeof low);
    memcpy(&high, (const char *)&v + sizeof low, sizeof high);
    low += high;
    memcpy(lanes, &low, sizeof low);
#pragma GCC unroll 4
    for (u64 width = LANES / 4; width > 0; width /= 2)
#pragma GCC unroll 4
        for (u64 i = 0; i < width; i++)
            lanes[i] += lanes[i + width];
    return lanes[0];
}

W_INLINE float v_largest(vec v)
{
    float lanes[LANES], max;
    v_store(lanes, v);
    max = lanes[0];
#pragma GCC unroll 16
    for (u64 i = 1; i < LANES; i++)
        max = lanes[i] > max ? lanes[i] : max;
    return max;
}
#endif

/* In the lanes where v is at least `least`, *sum grows by v and *count by 1. */
W_INLINE void v_add_at_least(vec *sum, ivec *count, vec v, vec least)
{
#if defined W_AVX512
    const __mmask16 in = _mm512_cmp_ps_mask(v, least, _CMP_GE_OQ);
    *sum = _mm512_mask_add_ps(*sum, in, *sum, v);
    *count =
        (ivec)_mm512_mask_add_epi32((__m512i)*count, in, (__m512i)*count, _mm512_set1_epi32(1));
#else
    const ivec in = v >= least; /* -1, or 0 */
    *sum += (vec)((ivec)v & in);
    *count -= in;
#endif
}

/* exp(x) = 2^n exp(r) with x = n ln 2 + r, |r| <= ln(2) / 2, and exp(r) = 1 + r + r^2 q(r). The
 * polynomial q is the minimax fit of the relative error, 0.05 * 2^-24; with the roundings the
 * result is within 2 units in the last place. Arguments outside [-87, 88] give the value at the
 * border, so that there are neither infinities nor denormal numbers; NaN stays NaN, since v_max()
 * and v_min() return their second operand where the two do not compare. This function is for
 * arguments that are known to be below 88. */
W_INLINE vec v_exp_below_88(vec x)
{
    const vec to_integer = v_set(12582912.0f); /* 1.5 * 2^23: adding it rounds to whole numbers */
    x = v_max(v_set(-87.0f), x);
    vec shifted = v_fma(x, v_set(1.44269504f), to_integer); /* its last bits are n */
    vec n = shifted - to_integer;
    vec r = v_fma(n, v_set(-0.693359375f), x); /* ln 2 in two parts: the first times n */
    r = v_fma(n, v_set(2.12194440e-4f), r);    /* is exact */
    vec q = v_set(0.0013814539f);
    q = v_fma(q, r, v_set(0.008368745f));
    q = v_fma(q, r, v_set(0.04166839f));
    q = v_fma(q, r, v_set(0.16666521f));
    q = v_fma(q, r, v_set(0.49999994f));
    vec y = v_fma(v_fma(q, r, v_set(1.0f)), r, v_set(1.0f));
    return (vec)((ivec)y + ((ivec)shifted << 23)); /* n is added to the exponent of y */
}

W_INLINE vec v_exp(vec x)
{
    return v_exp_below_88(v_min(v_set(88.0f), x));
}

/* 1 / x for x from 2^-100 to 2^120, within 2 units in the last place. A division of vectors this
 * wide takes as long as 30 other instructions. Instead: the difference of bits is that of
 * exponents, and within 5 % of the quotient; a parabola in what is left of x (the minimax fit) is
 * within 2^-14; and a step of Newton squares that. */
W_INLINE vec v_reciprocal(vec x)
{
#if defined W_AVX512
    const vec near = (vec)(0x7ef311c3 - (ivec)x), rest = x * near;
    const vec q =
        v_fma(v_fma(rest, v_set(1.0019170f), v_set(-3.0057511f)), rest, v_set(3.0038341f));
    const vec y = near * q;
    return v_fma(y, v_fma(-x, y, v_set(1.0f)), y);
#else
    return 1.0f / x;
#endif
}

#endif
