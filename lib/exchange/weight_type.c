#include "exchange/weight_type.h"

#include <math.h>
#include <string.h>

#include "kern/bf16.h"

#define Q8_MAX 127

const char *w_weight_type_name(enum w_weight_type type)
{
    static const char *const names[W_WEIGHT_TYPES] = {"f32", "f16", "bf16", "q8_0"};
    return names[type];
}

u16 w_f16_of(float x)
{
    const u32 bits = w_bits_of(x), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;

    if (size > 0x7f800000)
        return (u16)(sign | 0x7e00); /* NaN */
    if (size >= 0x477ff000)
        return (u16)(sign | 0x7c00); /* from 65520 on the nearest is infinite */
    if (size < 0x38800000) {
        /* Below 2^-14: multiples of 2^-24, to which the addition of 0.5 rounds. */
        const float sum = w_from_bits(size) + 0.5f;
        return (u16)(sign | (w_bits_of(sum) - 0x3f000000));
    }
    return (u16)(sign | (size - 0x38000000 + 0xfff + (size >> 13 & 1)) >> 13);
}

float w_f16_to_float(u16 half)
{
    const u32 sign = (u32)(half & 0x8000) << 16, rest = half & 0x7fff;

    if (rest >= 0x7c00) /* infinite, or NaN */
        return w_from_bits(sign | 0x7f800000 | (rest & 0x3ff) << 13);
    if (rest >= 0x400)
        return w_from_bits(sign | ((rest << 13) + 0x38000000));
    return w_from_bits(sign | w_bits_of((float)rest * 0x1p-24f));
}

/* One block. The scale that is stored was rounded, by 2^-11 of it at most, or to 0. */
static bool pack_q8(const float x[32], u8 bytes[34])
{
    float largest = 0;

    for (u32 i = 0; i < 32; i++)
        largest = fmaxf(largest, fabsf(x[i]));
    const float scale = largest / Q8_MAX;
    const u16 half = w_f16_of(scale);
    const bool zero = half == 0;
    w_put16(bytes, half);
    for (u32 i = 0; i < 32; i++)
        bytes[2 + i] = zero ? 0 : (u8)(signed char)lrintf(x[i] / scale);
    return half < 0x7c00;
}

static void unpack_q8(const u8 bytes[34], float x[32])
{
    const float scale = w_f16_to_float(w_get16(bytes));

    for (u32 i = 0; i < 32; i++)
        x[i] = scale * (float)(signed char)bytes[2 + i];
}

bool w_weights_pack(enum w_weight_type type, const float *x, u64 count, u8 *bytes)
{
    bool fits = true;

    switch (type) {
    case W_WEIGHT_F16:
        for (u64 i = 0; i < count; i++) {
            const u16 half = w_f16_of(x[i]);
            fits &= (half & 0x7fff) < 0x7c00;
            w_put16(bytes + 2 * i, half);
        }
        break;
    case W_WEIGHT_BF16:
        for (u64 i = 0; i < count; i++) {
            const w_bf16 half = w_bf16_of(x[i]);
            fits &= (half & 0x7fff) < 0x7f80;
            w_put16(bytes + 2 * i, half);
        }
        break;
    case W_WEIGHT_Q8_0:
        for (u64 i = 0; i < count / 32; i++)
            fits &= pack_q8(x + 32 * i, bytes + 34 * i);
        break;
    default:
        for (u64 i = 0; i < count; i++)
            w_put32(bytes + 4 * i, w_bits_of(x[i]));
    }
    return fits;
}

void w_weights_unpack(enum w_weight_type type, const u8 *bytes, u64 count, float *x)
{
    switch (type) {
    case W_WEIGHT_F16:
        for (u64 i = 0; i < count; i++)
            x[i] = w_f16_to_float(w_get16(bytes + 2 * i));
        break;
    case W_WEIGHT_BF16:
        for (u64 i = 0; i < count; i++)
            x[i] = w_bf16_to_float(w_get16(bytes + 2 * i));
        break;
    case W_WEIGHT_Q8_0:
        for (u64 i = 0; i < count / 32; i++)
            unpack_q8(bytes + 34 * i, x + 32 * i);
        break;
    default:
        for (u64 i = 0; i < count; i++)
            x[i] = w_from_bits(w_get32(bytes + 4 * i));
    }
}
