/* tensors.h - the parameters of a model: a table of names and shapes, from which sizes, offsets,
 * initial values, weight decay, checkpoints and the counts of wcachefit follow. Each kind of layer
 * appends its own rows (layer.h), in the order of the model (arch.h).
 *
 * Names and shapes are GPT-2's with matrices as (out, in): wte.weight (V, d), wpe.weight (T, d),
 * h.N.ln_1.weight (d), h.N.attn.c_attn.weight (3d, d), ..., ln_f.bias (d). The output head is tied
 * to wte. All parameters are in one block of floats, in the order of the table, and so are their
 * gradients; a state of the optimizer is a block of the tensors whose rule keeps it
 * (net/optim.h). */
#ifndef W_TENSORS_H
#define W_TENSORS_H

#include "conf/conf.h"

enum w_init { W_INIT_ZERO, W_INIT_ONE, W_INIT_NORMAL, W_INIT_RESIDUAL };

#define W_OPTIMIZER_RULES 2 /* that tensors of one model follow, at most (net/optim.h) */

struct w_tensor {
    char name[48];
    u32 ndim;
    u64 shape[2]; /* the second is 1 for a vector */
    u64 count;    /* of floats */
    u64 offset;   /* in floats, from the start of the block; a multiple of 16 (one cache line) */
    bool decays;  /* has weight decay: matrices */
    enum w_init init; /* W_INIT_NORMAL: std init_std; W_INIT_RESIDUAL: that / sqrt(2 * layers) */
    bool operand;     /* of a GEMM: with bf16 it is kept packed too */
    bool table;       /* of ids, to which the head is tied: a row for each id (lazy_rows.h) */
    u32 parts;  /* matrices that stand one on the other in it (q, k and v: 3), if it is between
                         hidden layers; 0: an embedding, or a vector */
    u32 rule;   /* of the optimizer: index into its rules */
    u64 state;  /* offset in the blocks of its rule's states, as that in the weights */
    u64 packed; /* offset of its panels, in elements; the same for both directions */
};

struct w_tensors {
    struct w_tensor *rows;
    u32 count;
    u64 parameters; /* sum of the counts */
    u64 matrices;   /* of these, in matrices */
    u64 table;      /* of these, in the table of ids */
    u64 floats;     /* of the whole block, with padding */
    u64 packed;     /* elements of all operands, packed for one direction */
    struct {
        u64 parameters, matrices, floats; /* of the tensors of a rule, as above */
        double prepare_flops;             /* of them all */
    } rules[W_OPTIMIZER_RULES];
    /* used while it is made */
    const struct w_optimizer *optimizer; /* says which rule a tensor follows */
    u32 room;
    bool sums_only; /* keep no rows, only sums: allocates nothing */
    bool overflow, nomem;
};

/* All tensors of a configuration. W_USAGE: more parameters than can be counted; W_NOMEM. */
enum w_status w_tensors_make(struct w_tensors *, const struct w_conf *,
                             struct w_err *) W_MUST_CHECK;
void w_tensors_free(struct w_tensors *); /* harmless on zeros */
const struct w_tensor *w_tensors_find(const struct w_tensors *, const char *name); /* or NULL */

/* Append a tensor of a layer; its name is prefix and name joined. Errors are collected:
 * w_tensors_check() returns them once at the end, W_USAGE or W_NOMEM as above. parts, operand: as
 * in struct w_tensor. */
void w_tensors_vector(struct w_tensors *, const char *prefix, const char *name, u64 n, enum w_init);
void w_tensors_matrix(struct w_tensors *, const char *prefix, const char *name, u64 rows, u64 cols,
                      enum w_init, u32 parts, bool operand);
/* The table of ids: a matrix with a row for each id, and an operand. */
void w_tensors_table(struct w_tensors *, const char *prefix, const char *name, u64 rows, u64 cols,
                     enum w_init);
const struct w_tensor *w_tensors_find_table(const struct w_tensors *); /* or NULL */
enum w_status w_tensors_check(const struct w_tensors *, struct w_err *) W_MUST_CHECK;

/* A vector is one row. */
static inline u64 w_tensor_rows(const struct w_tensor *t)
{
    return t->ndim == 2 ? t->shape[0] : 1;
}

#endif
