#include "net/tensors.h"

#include <stdio.h>
#include <stdlib.h>

#include "kern/gemm.h"

#define PACKED_MULTIPLE W_MAX(W_TILE_COLS_MAX, W_TILE_STEP_MAX)

/* A size of a tensor, as a word: what it is for a configuration is size_of(). */
enum size { ONE, D, D3, FF, VOCAB, LENGTH };

struct row {
    const char *name;
    enum size shape[2]; /* the second is ONE for a vector */
    enum w_init init;
};

static const struct row first_rows[] = {
    {"wte.weight", {VOCAB, D}, W_INIT_NORMAL},
    {"wpe.weight", {LENGTH, D}, W_INIT_NORMAL},
};

/* In the order of enum w_layer_tensor. */
static const struct row layer_rows[W_LAYER_TENSORS] = {
    {"ln_1.weight", {D, ONE}, W_INIT_ONE},           {"ln_1.bias", {D, ONE}, W_INIT_ZERO},
    {"attn.c_attn.weight", {D3, D}, W_INIT_NORMAL},  {"attn.c_attn.bias", {D3, ONE}, W_INIT_ZERO},
    {"attn.c_proj.weight", {D, D}, W_INIT_RESIDUAL}, {"attn.c_proj.bias", {D, ONE}, W_INIT_ZERO},
    {"ln_2.weight", {D, ONE}, W_INIT_ONE},           {"ln_2.bias", {D, ONE}, W_INIT_ZERO},
    {"mlp.c_fc.weight", {FF, D}, W_INIT_NORMAL},     {"mlp.c_fc.bias", {FF, ONE}, W_INIT_ZERO},
    {"mlp.c_proj.weight", {D, FF}, W_INIT_RESIDUAL}, {"mlp.c_proj.bias", {D, ONE}, W_INIT_ZERO},
};

static const struct row last_rows[] = {
    {"ln_f.weight", {D, ONE}, W_INIT_ONE},
    {"ln_f.bias", {D, ONE}, W_INIT_ZERO},
};

static u64 size_of(enum size size, const struct w_conf *conf)
{
    switch (size) {
    case ONE: return 1;
    case D: return conf->d_model;
    case D3: return 3 * conf->d_model;
    case FF: return conf->d_ff;
    case VOCAB: return conf->vocab_size;
    case LENGTH: return conf->max_length;
    }
    return 0;
}

/* Panels of either direction have both sizes rounded up alike, so that they take the same room. */
static bool add_packed(struct w_tensors *tensors, struct w_tensor *t)
{
    u64 elements;

    t->packed = tensors->packed;
    return !t->operand || (w_mul_ok(w_round_up(t->shape[0], PACKED_MULTIPLE),
                                    w_round_up(t->shape[1], PACKED_MULTIPLE), &elements) &&
                           w_add_ok(tensors->packed, elements, &tensors->packed));
}

/* Append a row; false if the number of floats overflows. */
static bool append(struct w_tensors *tensors, const struct row *row, const char *prefix,
                   const struct w_conf *conf)
{
    struct w_tensor *t = &tensors->rows[tensors->count++];

    snprintf(t->name, sizeof t->name, "%s%s", prefix, row->name);
    t->ndim = row->shape[1] == ONE ? 1 : 2;
    t->shape[0] = size_of(row->shape[0], conf);
    t->shape[1] = size_of(row->shape[1], conf);
    t->offset = tensors->floats;
    t->decays = t->ndim == 2;
    t->init = row->init;
    t->operand = t->ndim == 2 && row->shape[0] != LENGTH;
    return w_mul_ok(t->shape[0], t->shape[1], &t->count) && t->count < UINT64_MAX / 64 &&
           w_add_ok(tensors->parameters, t->count, &tensors->parameters) &&
           w_add_ok(tensors->floats, w_round_up(t->count, 16), &tensors->floats) &&
           add_packed(tensors, t);
}

enum w_status w_tensors_make(struct w_tensors *tensors, const struct w_conf *conf,
                             struct w_err *err)
{
    bool ok = true;
    u64 count;

    *tensors = (struct w_tensors){0};
    if (!w_mul_ok(conf->num_layers, W_LAYER_TENSORS, &count) || count > 1000000 ||
        conf->d_model > UINT64_MAX / 3)
        return w_fail(err, W_USAGE, "%llu layers of width %llu are more than can be counted",
                      (unsigned long long)conf->num_layers, (unsigned long long)conf->d_model);
    tensors->rows =
        calloc(count + W_COUNTOF(first_rows) + W_COUNTOF(last_rows), sizeof *tensors->rows);
    if (!tensors->rows)
        return w_fail(err, W_NOMEM, "no memory for the table of tensors");
    for (u32 i = 0; i < W_COUNTOF(first_rows); i++)
        ok = append(tensors, &first_rows[i], "", conf) && ok;
    for (u64 layer = 0; layer < conf->num_layers; layer++) {
        char prefix[24];
        snprintf(prefix, sizeof prefix, "h.%llu.", (unsigned long long)layer);
        for (u32 i = 0; i < W_LAYER_TENSORS; i++)
            ok = append(tensors, &layer_rows[i], prefix, conf) && ok;
    }
    for (u32 i = 0; i < W_COUNTOF(last_rows); i++)
        ok = append(tensors, &last_rows[i], "", conf) && ok;
    if (ok)
        return W_DONE;
    w_tensors_free(tensors);
    return w_fail(err, W_USAGE, "the model has more parameters than can be counted");
}

void w_tensors_free(struct w_tensors *tensors)
{
    free(tensors->rows);
    *tensors = (struct w_tensors){0};
}
