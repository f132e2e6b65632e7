#include "base/type.h"

const char *w_type_name(enum w_type type)
{
    static const char *const names[W_TYPES + 1] = {
        [W_TYPE_F32] = "f32", [W_TYPE_BF16] = "bf16", [W_TYPE_F16] = "f16", [W_TYPE_F64] = "f64",
        [W_TYPE_U8] = "u8",   [W_TYPE_U16] = "u16",   [W_TYPE_U32] = "u32", [W_TYPE_U64] = "u64",
        [W_TYPE_I32] = "i32", [W_TYPE_I64] = "i64",   [W_TYPE_Q8] = "q8",
    };
    return names[type];
}

const char *w_compute_type_name(enum w_type type)
{
    return type == W_TYPE_F32 ? "fp32" : w_type_name(type);
}
