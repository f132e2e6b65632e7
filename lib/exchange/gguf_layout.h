/* gguf_layout.h - what reading and writing of GGUF files share: codes and names. */
#ifndef W_GGUF_LAYOUT_H
#define W_GGUF_LAYOUT_H

#include "exchange/foreign_tensor.h"
#include "text/gguf_cursor.h"

#define W_GGUF_ALIGNMENT 32 /* of the data, where no pair says otherwise */

/* Codes of the types of tensors, and of files that hold mostly one. */
struct w_gguf_code {
    u32 tensor, file;
};
extern const struct w_gguf_code w_gguf_codes[W_WEIGHT_TYPES];

/* "h.3.ln_1.bias" becomes "blk.3.attn_norm.bias". */
void w_gguf_name_of(const struct w_tensor *, char name[W_FOREIGN_NAME]);

#endif
