/* Tensors of other programs' files.
 *
 * The list is checked as a whole before anything is read: two orders of it, by place and by name,
 * show what overlaps and what stands twice. The sizes follow from the shapes, so that a file cannot
 * promise more numbers than it has bytes; memory for the weights, at most four bytes for each byte
 * of the file (q8_0), is allocated after that. Numbers are read through a buffer of one row. */
#include "exchange/foreign_tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

#define PIECE 16384 /* numbers of a vector that are read at a time: whole blocks */

void w_foreign_set_type(struct w_foreign *t, const char *const names[W_WEIGHT_TYPES],
                        const char *name)
{
    for (u32 i = 0; i < W_WEIGHT_TYPES; i++)
        if (names[i] && !strcmp(names[i], name)) {
            t->known_type = true;
            t->type = i;
        }
    snprintf(t->type_name, sizeof t->type_name, "%s", name);
    w_make_printable(t->type_name);
}

enum w_status w_foreign_add(struct w_foreign_list *list, const struct w_foreign *tensor,
                            struct w_err *err)
{
    enum w_status status =
        w_grow(&list->items, &list->room, list->count + 1, sizeof *list->items, "tensors", err);

    if (!status)
        list->items[list->count++] = *tensor;
    return status;
}

void w_foreign_release(struct w_foreign_list *list)
{
    free(list->items);
    memset(list, 0, sizeof *list);
}

static int by_place(const void *a, const void *b)
{
    const struct w_foreign *x = a, *y = b;

    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static int by_name(const void *a, const void *b)
{
    const struct w_foreign *x = a, *y = b;

    return strcmp(x->name, y->name);
}

bool w_foreign_count(const struct w_foreign *t, u64 *count)
{
    bool ok = true;

    *count = 1;
    for (u32 i = 0; i < t->ndim; i++)
        ok = w_mul_ok(*count, t->shape[i], count) && ok;
    return ok && *count <= W_JSON_INT_MAX;
}

static enum w_status check_one(const struct w_foreign *t, u64 start, u64 end, struct w_err *err)
{
    u64 count, bytes = t->bytes, stop;
    const u64 cols = t->ndim ? t->shape[t->ndim - 1] : 1;

    if (!w_foreign_count(t, &count))
        return w_fail(err, W_CORRUPT, "tensor %s has more numbers than can be counted", t->name);
    if (t->known_type && cols % w_weight_block(t->type))
        return w_fail(err, W_CORRUPT, "tensor %s has rows of %llu numbers, no whole blocks of %s",
                      t->name, (unsigned long long)cols, t->type_name);
    if (t->known_type && (!w_weight_bytes(t->type, count, &bytes) || bytes != t->bytes))
        return w_fail(err, W_CORRUPT, "tensor %s has %llu bytes, its shape says %llu", t->name,
                      (unsigned long long)t->bytes, (unsigned long long)bytes);
    if (t->offset < start || !w_add_ok(t->offset, t->bytes, &stop) || stop > end)
        return w_fail(err, W_CORRUPT, "tensor %s lies outside of the file, or it was cut", t->name);
    return W_DONE;
}

enum w_status w_foreign_check(struct w_foreign_list *list, u64 start, u64 end, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (size_t i = 0; i < list->count && !status; i++)
        status = check_one(&list->items[i], start, end, err);
    if (status || list->count == 0)
        return status;
    qsort(list->items, list->count, sizeof *list->items, by_place);
    for (size_t i = 1; i < list->count && !status; i++) {
        const struct w_foreign *a = &list->items[i - 1], *b = &list->items[i];
        if (b->bytes > 0 && a->offset + a->bytes > b->offset)
            status = w_fail(err, W_CORRUPT, "tensors %s and %s overlap", a->name, b->name);
    }
    qsort(list->items, list->count, sizeof *list->items, by_name);
    for (size_t i = 1; i < list->count && !status; i++)
        if (!strcmp(list->items[i - 1].name, list->items[i].name))
            status = w_fail(err, W_CORRUPT, "tensor %s stands twice", list->items[i].name);
    return status;
}

struct w_foreign *w_foreign_find(const struct w_foreign_list *list, const char *name)
{
    struct w_foreign key;

    if (list->count == 0 || strlen(name) >= sizeof key.name)
        return NULL;
    strcpy(key.name, name);
    return bsearch(&key, list->items, list->count, sizeof *list->items, by_name);
}

/* ---- one tensor ---- */

/* Its shape in the file. */
static void shape_in_file(const struct w_foreign *t, const struct w_tensor *row, u64 shape[2])
{
    const bool turned = t->turned && row->ndim == 2;

    shape[0] = row->shape[turned ? 1 : 0];
    shape[1] = row->shape[turned ? 0 : 1];
}

enum w_status w_foreign_fits(const struct w_foreign *t, const struct w_tensor *row,
                             struct w_err *err)
{
    u64 shape[2];

    if (!t)
        return w_fail(err, W_MISMATCH, "there is no tensor for %s", row->name);
    if (!t->known_type)
        return w_fail(err, W_MISMATCH,
                      "tensor %s is of the type %s; f32, f16, bf16 and q8_0 are read: convert the "
                      "model to one of these first",
                      t->name, t->type_name);
    shape_in_file(t, row, shape);
    const u64 got[2] = {t->ndim ? t->shape[0] : 0, t->ndim > 1 ? t->shape[1] : 1};
    if (t->ndim != row->ndim || got[0] != shape[0] || got[1] != shape[1])
        return w_fail(err, W_MISMATCH,
                      "tensor %s has %u dimensions, %llu x %llu; the model's "
                      "configuration gives it %u, %llu x %llu",
                      t->name, t->ndim, (unsigned long long)got[0], (unsigned long long)got[1],
                      row->ndim, (unsigned long long)shape[0], (unsigned long long)shape[1]);
    return W_DONE;
}

/* Read `count` numbers from number `first` of the tensor on, both of whole blocks. */
static enum w_status read_numbers(const struct w_foreign *t, struct w_input *in, u64 first,
                                  u64 count, u8 *bytes, float *x, struct w_err *err)
{
    const u64 block = w_weight_block(t->type), block_bytes = w_weight_block_bytes(t->type);
    const size_t size = (size_t)(count / block * block_bytes);
    size_t got = 0;

    enum w_status status =
        w_input_read_at(in, t->offset + first / block * block_bytes, bytes, size, &got, err);
    if (!status && got < size)
        status = w_fail(err, W_TRUNCATED, "the file ends in tensor %s", t->name);
    if (status)
        return status;
    w_weights_unpack(t->type, bytes, count, x);
    return w_all_finite(x, count)
               ? W_DONE
               : w_fail(err, W_CORRUPT, "tensor %s has numbers that are not finite", t->name);
}

enum w_status w_foreign_read_one(const struct w_foreign *t, struct w_input *in,
                                 const struct w_tensor *row, float *to, struct w_err *err)
{
    const bool turned = t->turned && row->ndim == 2;
    u64 shape[2];

    shape_in_file(t, row, shape);
    const u64 piece = turned ? shape[1] : W_MIN(row->count, (u64)PIECE);
    u8 *bytes = malloc(piece * 4);
    float *x = turned ? malloc(piece * sizeof *x) : NULL;
    enum w_status status = W_DONE;

    if (!bytes || (turned && !x))
        status = w_fail(err, W_NOMEM, "no memory to read tensor %s", t->name);
    for (u64 i = 0, n; i < row->count && !status; i += n) {
        n = W_MIN(piece, row->count - i);
        status = read_numbers(t, in, i, n, bytes, turned ? x : to + i, err);
        for (u64 j = 0; turned && !status && j < n; j++)
            to[j * shape[0] + i / n] = x[j];
    }
    free(bytes);
    free(x);
    return status;
}

/* ---- all of them ---- */

static enum w_status check_head(const struct w_foreign *head, struct w_input *in,
                                const struct w_weights *w, struct w_err *err)
{
    const struct w_tensor *table = w_tensors_find_table(&w->tensors);
    float *x = malloc(table->count * sizeof *x);

    enum w_status status = x ? W_DONE : w_fail(err, W_NOMEM, "no memory to read %s", head->name);
    if (!status)
        status = w_foreign_fits(head, table, err);
    if (!status)
        status = w_foreign_read_one(head, in, table, x, err);
    if (!status && memcmp(x, w->values + table->offset, table->count * sizeof *x) != 0)
        status = w_fail(err, W_MISMATCH,
                        "%s differs from the table of ids: the head of a model here is that table",
                        head->name);
    free(x);
    return status;
}

enum w_status w_foreign_read(struct w_foreign_list *list, struct w_input *in,
                             const struct w_conf *conf, w_foreign_namer *name_of, const char *head,
                             struct w_weights *w, struct w_err *err)
{
    struct w_tensors tensors = {0};
    char name[W_FOREIGN_NAME];

    /* The shapes before the memory. */
    enum w_status status = w_tensors_make(&tensors, conf, err);
    for (u32 i = 0; i < tensors.count && !status; i++) {
        name_of(&tensors.rows[i], name);
        status = w_foreign_fits(w_foreign_find(list, name), &tensors.rows[i], err);
        if (status)
            status = w_fail_at(err, status, "%s", name);
    }
    w_tensors_free(&tensors);
    if (!status)
        status = w_weights_init(w, conf, err);
    for (u32 i = 0; i < w->tensors.count && !status; i++) {
        const struct w_tensor *row = &w->tensors.rows[i];
        name_of(row, name);
        struct w_foreign *t = w_foreign_find(list, name);
        t->used = true;
        status = w_foreign_read_one(t, in, row, w->values + row->offset, err);
    }
    for (size_t i = 0; i < list->count && !status; i++) {
        const struct w_foreign *t = &list->items[i];
        if (!strcmp(t->name, head))
            status = check_head(t, in, w, err);
        else if (!t->used)
            status = w_fail(err, W_MISMATCH,
                            "has a tensor %s, which no model here has: it would be lost", t->name);
    }
    return status;
}
