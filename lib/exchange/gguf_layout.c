#include "exchange/gguf_layout.h"

#include <stdio.h>
#include <string.h>

const struct w_gguf_code w_gguf_codes[W_WEIGHT_TYPES] = {
    [W_WEIGHT_F32] = {0, 0},
    [W_WEIGHT_F16] = {1, 1},
    [W_WEIGHT_BF16] = {30, 32},
    [W_WEIGHT_Q8_0] = {8, 7},
};

/* Names of tensors, without ".weight" and ".bias". */
static const struct {
    const char *ours, *theirs;
} names[] = {
    {"wte", "token_embd"}, {"wpe", "position_embd"},    {"ln_f", "output_norm"},
    {"ln_1", "attn_norm"}, {"attn.c_attn", "attn_qkv"}, {"attn.c_proj", "attn_output"},
    {"ln_2", "ffn_norm"},  {"mlp.c_fc", "ffn_up"},      {"mlp.c_proj", "ffn_down"},
};

void w_gguf_name_of(const struct w_tensor *row, char name[W_FOREIGN_NAME])
{
    const char *part = row->name, *end = strrchr(row->name, '.');
    char block[24] = "";
    int skip = 0;
    unsigned n;

    if (sscanf(part, "h.%u.%n", &n, &skip) == 1 && skip > 0) {
        snprintf(block, sizeof block, "blk.%u.", n);
        part += skip;
    }
    snprintf(name, W_FOREIGN_NAME, "%s", row->name); /* unless the table has it */
    for (size_t i = 0; i < W_COUNTOF(names) && end > part; i++)
        if (!strncmp(part, names[i].ours, (size_t)(end - part)) &&
            strlen(names[i].ours) == (size_t)(end - part))
            snprintf(name, W_FOREIGN_NAME, "%s%s%s", block, names[i].theirs, end);
}
