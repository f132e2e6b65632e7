/* tensors.h - the parameters of a model: a table of names and shapes, from which sizes, offsets,
 * initialisation, weight decay, checkpoints and the counts of wcachefit follow. Each kind of layer
 * appends its own rows (layer.h), in the order of the model (arch.h).
 *
 * Names and shapes are GPT-2's with matrices as (out, in): wte.weight (V, d), wpe.weight (T, d),
 * h.N.ln_1.weight (d), h.N.attn.c_attn.weight (3d, d), ..., ln_f.bias (d). The output head is tied to
 * wte. All parameters live in one block of floats, in the order of the table; so do their gradients
 * and each state of the optimizer. */
#ifndef W_TENSORS_H
#define W_TENSORS_H

#include "conf/conf.h"

enum w_init { W_INIT_ZERO, W_INIT_ONE, W_INIT_NORMAL, W_INIT_RESIDUAL };

struct w_tensor {
    char name[48];
    u32 ndim;
    u64 shape[2]; /* the second is 1 for a vector */
    u64 count;    /* of floats */
    u64 offset;   /* in floats, from the start of the block; a multiple of 16 (one cache line) */
    bool decays;  /* weight decay acts on it: matrices */
    enum w_init init; /* W_INIT_NORMAL: std init_std; W_INIT_RESIDUAL: that / sqrt(2 * layers) */
    bool operand;     /* of products: kept packed too where those are in bf16 */
    u64 packed;       /* then: offset of its panels, in elements; the same for both directions */
};

struct w_tensors {
    struct w_tensor *rows;
    u32 count;
    u64 parameters; /* sum of the counts */
    u64 matrices;   /* of these, in matrices */
    u64 floats;     /* of the whole block, with padding */
    u64 packed;     /* elements of all operands, packed in one direction */
    /* while it is made */
    u32 room;
    bool sums_only; /* no rows are kept, only sums: needs no memory, so that it cannot fail */
    bool overflow, nomem;
};

/* All tensors of a configuration. W_USAGE: more parameters than can be counted; W_NOMEM. */
enum w_status w_tensors_make(struct w_tensors *, const struct w_conf *,
                             struct w_err *) W_MUST_CHECK;
void w_tensors_free(struct w_tensors *); /* harmless on zeroes */
const struct w_tensor *w_tensors_find(const struct w_tensors *, const char *name); /* or NULL */

/* What a kind of layer appends, named PREFIX NAME. Trouble is found by w_tensors_check() once at the
 * end. */
void w_tensors_vector(struct w_tensors *, const char *prefix, const char *name, u64 n, enum w_init);
void w_tensors_matrix(struct w_tensors *, const char *prefix, const char *name, u64 rows, u64 cols,
                      enum w_init, bool operand);
enum w_status w_tensors_check(const struct w_tensors *, struct w_err *) W_MUST_CHECK;

#endif
