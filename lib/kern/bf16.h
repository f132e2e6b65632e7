/* bf16.h - numbers of 16 bits: the upper half of a float, with its 8 bits of exponent and 8 of the
 * 24 bits of precision (one relative rounding is 2^-9).
 *
 * GEMM operands may have either type. The product of two bf16 numbers is exact in fp32, so that a
 * bf16 GEMM loses precision only where its operands were rounded, once each, and in its sums, which
 * are in fp32. */
#ifndef W_BF16_H
#define W_BF16_H

#include "base/type.h"

typedef u16 w_bf16;

/* The address of an element. */
static inline void *w_at(const void *base, enum w_type type, u64 index)
{
    return (u8 *)(uintptr_t)base + index * w_type_bytes(type);
}

static inline float w_bf16_to_float(w_bf16 x)
{
    return w_from_bits((u32)x << 16);
}

/* To the nearest, ties to even; what is too large becomes infinite, NaN stays NaN. */
static inline w_bf16 w_bf16_of(float x)
{
    const u32 bits = w_bits_of(x);

    if ((bits & 0x7fffffff) > 0x7f800000)
        return (w_bf16)(bits >> 16 | 0x40);
    return (w_bf16)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#endif
