/* gpt2_tensors.h - where GPT-2's tensors stand in the table, written down once more and
 * independently of the library, for tests that compute with them. */
#ifndef W_GPT2_TENSORS_H
#define W_GPT2_TENSORS_H

/* wte, wpe, then these for each block, then ln_f weight and bias. */
enum gpt2_tensor {
    W_LN_1_WEIGHT,
    W_LN_1_BIAS,
    W_ATTN_WEIGHT,
    W_ATTN_BIAS,
    W_ATTN_PROJ_WEIGHT,
    W_ATTN_PROJ_BIAS,
    W_LN_2_WEIGHT,
    W_LN_2_BIAS,
    W_FC_WEIGHT,
    W_FC_BIAS,
    W_FC_PROJ_WEIGHT,
    W_FC_PROJ_BIAS,
    W_LAYER_TENSORS
};

#endif
