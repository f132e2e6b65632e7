/* type.h - the types of numbers, in memory and in files: the only list of them. */
#ifndef W_TYPE_H
#define W_TYPE_H

#include "base/base.h"

enum w_type {
    W_TYPE_F32,
    W_TYPE_BF16,
    W_COMPUTE_TYPES, /* how many of these: the types that products read */
    W_TYPE_F16 = W_COMPUTE_TYPES,
    W_TYPE_F64,
    W_TYPE_U8,
    W_TYPE_U16,
    W_TYPE_U32,
    W_TYPE_U64,
    W_TYPE_I32,
    W_TYPE_I64,
    W_TYPES,
    W_TYPE_Q8 = W_TYPES /* blocks of bytes: of packed weights alone (kern/q8.h) */
};

/* "f32": as headers of streams name it. */
const char *w_type_name(enum w_type);
/* "fp32", "bf16": a compute type as configurations, logs and people name it. */
const char *w_compute_type_name(enum w_type);

/* Bytes of one number. */
static inline u32 w_type_bytes(enum w_type type)
{
    static const u8 bytes[W_TYPES + 1] = {
        [W_TYPE_F32] = 4, [W_TYPE_BF16] = 2, [W_TYPE_F16] = 2, [W_TYPE_F64] = 8,
        [W_TYPE_U8] = 1,  [W_TYPE_U16] = 2,  [W_TYPE_U32] = 4, [W_TYPE_U64] = 8,
        [W_TYPE_I32] = 4, [W_TYPE_I64] = 8,  [W_TYPE_Q8] = 1,
    };
    return bytes[type];
}

#endif
