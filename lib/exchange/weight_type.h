/* weight_type.h - the types in which files hold weights.
 *
 *     f32, bf16, f16   numbers, little-endian
 *     q8_0             blocks of 32 numbers of one row: a scale d as f16, then 32 signed bytes q;
 *                      a number is d q. 34 bytes a block. (The format is that of ggml.)
 *
 * To one of them and back, and to it again, gives the same bytes. */
#ifndef W_WEIGHT_TYPE_H
#define W_WEIGHT_TYPE_H

#include "base/status.h"

enum w_weight_type { W_WEIGHT_F32, W_WEIGHT_F16, W_WEIGHT_BF16, W_WEIGHT_Q8_0, W_WEIGHT_TYPES };
#define W_WEIGHT_TYPE_NAMES "f32|f16|bf16|q8_0"

const char *w_weight_type_name(enum w_weight_type);

/* Numbers of a block: rows hold whole blocks. */
static inline u32 w_weight_block(enum w_weight_type type)
{
    return type == W_WEIGHT_Q8_0 ? 32 : 1;
}

/* Bytes of a block. */
static inline u32 w_weight_block_bytes(enum w_weight_type type)
{
    static const u8 bytes[W_WEIGHT_TYPES] = {4, 2, 2, 34};
    return bytes[type];
}

/* Bytes of `count` numbers, whole blocks; false if they cannot be counted. */
static inline W_MUST_CHECK bool w_weight_bytes(enum w_weight_type type, u64 count, u64 *bytes)
{
    return w_mul_ok(count / w_weight_block(type), w_weight_block_bytes(type), bytes);
}

/* f16, IEEE 754 binary16, to the nearest, ties to even; what is too large becomes infinite. */
u16 w_f16_of(float);
float w_f16_to_float(u16);

/* Convert whole blocks of numbers, which are finite. False: one of them is too large for the type,
 * so that it would become infinite. */
bool w_weights_pack(enum w_weight_type, const float *x, u64 count, u8 *bytes) W_MUST_CHECK;
void w_weights_unpack(enum w_weight_type, const u8 *bytes, u64 count, float *x);

#endif
