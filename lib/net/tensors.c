#include "net/tensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kern/gemm.h"
#include "net/arch.h"
#include "net/optim.h"

#define PACKED_MULTIPLE W_MAX(W_TILE_COLS_MAX, W_K_UNROLL_MAX)
#define STATE_BYTES 16 /* of a parameter: weight, gradient and two moments */

/* Panels of either direction have both sizes rounded up alike, so that they take the same room. */
static bool add_packed(struct w_tensors *tensors, const struct w_tensor *t)
{
    u64 elements;

    return !t->operand || (w_mul_ok(w_round_up(t->shape[0], PACKED_MULTIPLE),
                                    w_round_up(t->shape[1], PACKED_MULTIPLE), &elements) &&
                           w_add_ok(tensors->packed, elements, &tensors->packed));
}

static bool keep_row(struct w_tensors *tensors, const struct w_tensor *t)
{
    if (tensors->sums_only)
        return true;
    if (tensors->count == tensors->room) {
        const u32 room = W_MAX(2 * tensors->room, 64);
        struct w_tensor *rows = realloc(tensors->rows, room * sizeof *rows);
        if (!rows)
            return false;
        tensors->rows = rows;
        tensors->room = room;
    }
    tensors->rows[tensors->count++] = *t;
    return true;
}

static void append(struct w_tensors *tensors, const char *prefix, const char *name,
                   struct w_tensor t)
{
    if (!tensors->sums_only)
        snprintf(t.name, sizeof t.name, "%s%s", prefix, name);
    t.offset = tensors->floats;
    t.packed = tensors->packed;
    t.decays = t.ndim == 2;
    t.rule = w_optimizer_rule(tensors->optimizer, &t);
    t.state = tensors->rules[t.rule].floats;
    bool ok = w_mul_ok(t.shape[0], t.shape[1], &t.count) && t.count < UINT64_MAX / 64 &&
              w_add_ok(tensors->parameters, t.count, &tensors->parameters) &&
              w_add_ok(tensors->matrices, t.ndim == 2 ? t.count : 0, &tensors->matrices) &&
              w_add_ok(tensors->table, t.table ? t.count : 0, &tensors->table) &&
              w_add_ok(tensors->floats, w_round_up(t.count, 16), &tensors->floats) &&
              add_packed(tensors, &t);
    /* sums of a part cannot overflow where those of the whole do not */
    if (ok) {
        const struct w_rule *rule = tensors->optimizer->rules[t.rule];
        tensors->rules[t.rule].parameters += t.count;
        tensors->rules[t.rule].matrices += t.ndim == 2 ? t.count : 0;
        tensors->rules[t.rule].floats += w_round_up(t.count, 16);
        tensors->rules[t.rule].prepare_flops += rule->prepare ? rule->prepare_flops(&t) : 0;
    }
    tensors->overflow |= !ok;
    tensors->nomem |= !keep_row(tensors, &t);
}

void w_tensors_vector(struct w_tensors *tensors, const char *prefix, const char *name, u64 n,
                      enum w_init init)
{
    append(tensors, prefix, name, (struct w_tensor){.ndim = 1, .shape = {n, 1}, .init = init});
}

void w_tensors_matrix(struct w_tensors *tensors, const char *prefix, const char *name, u64 rows,
                      u64 cols, enum w_init init, u32 parts, bool operand)
{
    append(tensors, prefix, name,
           (struct w_tensor){
               .ndim = 2, .shape = {rows, cols}, .init = init, .operand = operand, .parts = parts});
}

void w_tensors_table(struct w_tensors *tensors, const char *prefix, const char *name, u64 rows,
                     u64 cols, enum w_init init)
{
    append(tensors, prefix, name,
           (struct w_tensor){
               .ndim = 2, .shape = {rows, cols}, .init = init, .operand = true, .table = true});
}

const struct w_tensor *w_tensors_find_table(const struct w_tensors *tensors)
{
    for (u32 i = 0; i < tensors->count; i++)
        if (tensors->rows[i].table)
            return &tensors->rows[i];
    return NULL;
}

enum w_status w_tensors_check(const struct w_tensors *tensors, struct w_err *err)
{
    if (tensors->nomem)
        return w_fail(err, W_NOMEM, "no memory for the table of tensors");
    /* 2^53, the largest whole number that JSON holds exactly */
    if (tensors->overflow || tensors->parameters > W_JSON_INT_MAX / STATE_BYTES)
        return w_fail(err, W_USAGE, "the model has more parameters than can be counted");
    return W_DONE;
}

enum w_status w_tensors_make(struct w_tensors *tensors, const struct w_conf *conf,
                             struct w_err *err)
{
    struct w_arch arch;
    enum w_status status = w_arch_make(&arch, conf, err);

    *tensors = arch.tensors;
    arch.tensors = (struct w_tensors){0};
    w_arch_free(&arch);
    return status;
}

void w_tensors_free(struct w_tensors *tensors)
{
    free(tensors->rows);
    *tensors = (struct w_tensors){0};
}

const struct w_tensor *w_tensors_find(const struct w_tensors *tensors, const char *name)
{
    for (u32 i = 0; i < tensors->count; i++)
        if (!strcmp(tensors->rows[i].name, name))
            return &tensors->rows[i];
    return NULL;
}
