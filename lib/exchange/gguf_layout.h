/* gguf_layout.h - what reading and writing of GGUF files share: codes and names. */
#ifndef W_GGUF_LAYOUT_H
#define W_GGUF_LAYOUT_H

#include "exchange/foreign_tensor.h"

#define W_GGUF_ALIGNMENT 32 /* of the data, where no pair says otherwise */

/* Types of values, in the pairs of keys and values. */
enum w_gguf_pair_type {
    W_GGUF_U8,
    W_GGUF_I8,
    W_GGUF_U16,
    W_GGUF_I16,
    W_GGUF_U32,
    W_GGUF_I32,
    W_GGUF_F32,
    W_GGUF_BOOL,
    W_GGUF_STRING,
    W_GGUF_ARRAY,
    W_GGUF_U64,
    W_GGUF_I64,
    W_GGUF_F64,
    W_GGUF_PAIR_TYPES
};

/* Codes of the types of tensors, and of files that hold mostly one. */
struct w_gguf_code {
    u32 tensor, file;
};
extern const struct w_gguf_code w_gguf_codes[W_WEIGHT_TYPES];

/* "h.3.ln_1.bias" becomes "blk.3.attn_norm.bias". */
void w_gguf_name_of(const struct w_tensor *, char name[W_FOREIGN_NAME]);

#endif
