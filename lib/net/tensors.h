/* tensors.h - the parameters of a GPT-2 model: one table of names and shapes, from which sizes,
 * offsets, initialisation, weight decay, checkpoints and the counts of wcachefit follow.
 *
 * Names and shapes are GPT-2's with matrices as (out, in): wte.weight (V, d), wpe.weight (T, d),
 * h.N.ln_1.weight (d), h.N.attn.c_attn.weight (3d, d), ..., ln_f.bias (d). The output head is tied to
 * wte. All parameters live in one block of floats, in the order of the table; so do their gradients
 * and the two moments of AdamW. */
#ifndef W_TENSORS_H
#define W_TENSORS_H

#include "conf/conf.h"

enum w_init { W_INIT_ZERO, W_INIT_ONE, W_INIT_NORMAL, W_INIT_RESIDUAL };

struct w_tensor {
    char name[48];
    u32 ndim;
    u64 shape[2];
    u64 count;   /* of floats */
    u64 offset;  /* in floats, from the start of the block; a multiple of 16 (one cache line) */
    bool decays; /* weight decay acts on it: matrices */
    enum w_init init; /* W_INIT_NORMAL: std init_std; W_INIT_RESIDUAL: that / sqrt(2 * layers) */
    bool operand;     /* of products: kept packed too where those are of bf16 */
    u64 packed;       /* then: offset of its panels, in elements; the same for both directions */
};

/* Indices of a layer's tensors behind those of the layers before it. */
enum w_layer_tensor {
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

struct w_tensors {
    struct w_tensor *rows; /* wte, wpe, then W_LAYER_TENSORS per layer, then ln_f weight and bias */
    u32 count;
    u64 parameters; /* sum of the counts */
    u64 floats;     /* of the whole block, with padding */
    u64 packed;     /* elements of all operands, packed in one direction */
};

enum w_status w_tensors_make(struct w_tensors *, const struct w_conf *,
                             struct w_err *) W_MUST_CHECK;
void w_tensors_free(struct w_tensors *); /* harmless on zeroes */

#endif
