/* The header of a member: a JSON object and the arrays that it lists.
 *
 * Whether a header is built or read, each array goes through the same append(), which checks it and
 * computes its size and offset; these are never read from a file, so they cannot be wrong. Names
 * are compared after sorting: a header may list 65,535 tensors. */
#include <stdlib.h>
#include <string.h>

#include "wire/stream.h"

enum {
    COLUMNS_MAX = 16,
    TENSORS_MAX = 65535,
    RECORD_BYTES_MAX = 16 << 20, /* a frame holds at least one record */
};

static const char *const kind_names[] = {
    [W_TOKENS] = "tokens", [W_BATCH] = "batch", [W_TENSORS] = "tensors", [W_COUNTS] = "counts"};

/* The keys of wstream(5). A header may say in "must" which keys its reader has to know. */
static const char *const known_keys[] = {
    "wts",   "kind",  "rec",    "tensors", "must",      "by",       "argv",      "src",
    "vocab", "eot",   "tok",    "seed",    "shuffle",   "epochs",   "epoch_len", "start",
    "split", "shard", "config", "state",   "start_crc", "data_crc", "padded",
};

const char *w_kind_name(enum w_kind kind)
{
    return kind_names[kind];
}

static const char *list_key(enum w_kind kind)
{
    return w_kind_is_blob(kind) ? "tensors" : "rec";
}

/* ---- arrays ---- */

static bool name_ok(const char *name)
{
    size_t length = strlen(name);
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_./-";
    return length >= 1 && length < W_NAME_BYTES && strspn(name, allowed) == length;
}

/* Check one array and append it: its size and offset are computed. */
static enum w_status append(struct w_header *h, const char *name, enum w_type dtype, u32 ndim,
                            const u64 *shape, struct w_err *err)
{
    const char *what = w_kind_is_blob(h->kind) ? "tensor" : "column";
    struct w_array a = {.dtype = dtype, .ndim = ndim};
    u32 limit = w_kind_is_blob(h->kind) ? TENSORS_MAX : COLUMNS_MAX;

    if (!name_ok(name))
        return w_fail(err, W_CORRUPT,
                      "header: name of %s %u: 1 to 255 of letters, digits and _ . / - are allowed",
                      what, h->array_count);
    memcpy(a.name, name, strlen(name) + 1);
    if (h->array_count >= limit)
        return w_fail(err, W_LIMIT, "header: more than %u %ss in a stream of %s", limit, what,
                      kind_names[h->kind]);
    if (ndim > W_DIMS_MAX)
        return w_fail(err, W_LIMIT, "header: %s %s has %u dimensions: at most %u", what, name, ndim,
                      W_DIMS_MAX);
    a.bytes = w_type_bytes(dtype);
    for (u32 i = 0; i < ndim; i++) {
        if (shape[i] == 0)
            return w_fail(err, W_CORRUPT, "header: %s %s: dimension %u is 0", what, name, i);
        if (!w_mul_ok(a.bytes, shape[i], &a.bytes) || a.bytes > W_JSON_INT_MAX)
            return w_fail(err, W_LIMIT, "header: %s %s is larger than 2^53 bytes", what, name);
        a.shape[i] = shape[i];
    }
    /* Both terms are below 2^53 + 64. */
    a.offset =
        w_kind_is_blob(h->kind) ? w_round_up(h->blob_bytes, W_TENSOR_ALIGN) : h->record_bytes;
    u64 end = a.offset + a.bytes;
    if (w_kind_is_blob(h->kind) && end > W_JSON_INT_MAX)
        return w_fail(err, W_LIMIT, "header: tensors up to %s are larger than 2^53 bytes", name);
    if (!w_kind_is_blob(h->kind) && end > RECORD_BYTES_MAX)
        return w_fail(err, W_LIMIT, "header: a record of more than %u bytes", RECORD_BYTES_MAX);
    if (h->kind == W_TOKENS && h->array_count == 0 &&
        (ndim != 0 || (dtype != W_TYPE_U16 && dtype != W_TYPE_U32)))
        return w_fail(err, W_CORRUPT, "header: a token is one number of type u16 or u32");
    if (h->array_count > 0 && h->kind == W_BATCH &&
        w_type_bytes(dtype) > w_type_bytes(h->arrays[h->array_count - 1].dtype))
        return w_fail(err, W_CORRUPT,
                      "header: column %s: columns must be in the order of falling element size",
                      name);
    /* Room is a power of two: at one it is full. */
    const u64 n = h->array_count, room = n & (n - 1) ? 0 : n ? 2 * n : 1;
    struct w_array *grown = room ? realloc(h->arrays, room * sizeof *grown) : h->arrays;
    if (!grown)
        return w_fail(err, W_NOMEM, "header: no memory for %u arrays", h->array_count + 1);
    h->arrays = grown;
    h->arrays[h->array_count++] = a;
    if (w_kind_is_blob(h->kind))
        h->blob_bytes = end;
    else
        h->record_bytes = end;
    return W_DONE;
}

const struct w_array *w_header_find(const struct w_header *h, const char *name)
{
    for (u32 i = 0; i < h->array_count; i++)
        if (!strcmp(h->arrays[i].name, name))
            return &h->arrays[i];
    return NULL;
}

/* ---- building ---- */

enum w_status w_header_begin(struct w_header *h, enum w_kind kind, const char *by,
                             struct w_err *err)
{
    memset(h, 0, sizeof *h);
    h->kind = kind;
    h->record_bytes = w_kind_is_blob(kind) ? 1 : 0;
    h->json = w_json_object();
    if (!h->json)
        return w_fail(err, W_NOMEM, "no memory for a header");
    w_json_set_u64(h->json, "wts", 1);
    w_json_set_string(h->json, "kind", kind_names[kind]);
    w_json_set_string(h->json, "by", by);
    w_json_set(h->json, list_key(kind), w_json_array());
    return W_DONE;
}

enum w_status w_header_add(struct w_header *h, const char *name, enum w_type dtype, u32 ndim,
                           const u64 *shape, struct w_err *err)
{
    if (w_header_find(h, name))
        return w_fail(err, W_CORRUPT, "header: two arrays are called %s", name);
    enum w_status status = append(h, name, dtype, ndim, shape, err);
    if (status)
        return status;
    struct w_json *array = w_json_object(), *dims = w_json_array();
    w_json_set_string(array, "name", name);
    w_json_set_string(array, "dtype", w_type_name(dtype));
    for (u32 i = 0; i < ndim; i++)
        w_json_add_u64(dims, shape[i]);
    w_json_set(array, "shape", dims);
    w_json_add(w_json_get(h->json, list_key(h->kind)), array);
    return W_DONE;
}

void w_header_free(struct w_header *h)
{
    w_json_free(h->json);
    free(h->arrays);
    memset(h, 0, sizeof *h);
}

/* ---- reading ---- */

static enum w_status read_array(struct w_header *h, const struct w_json *j, struct w_err *err)
{
    const char *name = w_json_string(w_json_get(j, "name"));
    const char *dtype_name = w_json_string(w_json_get(j, "dtype"));
    const struct w_json *dims = w_json_get(j, "shape");
    u64 shape[W_DIMS_MAX] = {0};
    u32 dtype = 0, ndim = 0;

    if (!name || !dtype_name || !w_json_is_array(dims))
        return w_fail(err, W_CORRUPT, "header: array %u lacks a name, dtype or shape",
                      h->array_count);
    while (dtype < W_TYPES && strcmp(w_type_name(dtype), dtype_name))
        dtype++;
    if (dtype == W_TYPES)
        return w_fail(err, W_NEWER, "header: the dtype of array %u is not known to this program",
                      h->array_count);
    for (const struct w_json *d = w_json_first(dims); d; d = w_json_next(d)) {
        if (ndim == W_DIMS_MAX)
            return w_fail(err, W_LIMIT, "header: array %u has more than %u dimensions",
                          h->array_count, W_DIMS_MAX);
        if (!w_json_u64(d, 1, W_JSON_INT_MAX, &shape[ndim++]))
            return w_fail(err, W_CORRUPT,
                          "header: a dimension of array %u is no whole number from 1 to 2^53 - 1",
                          h->array_count);
    }
    return append(h, name, (enum w_type)dtype, ndim, shape, err);
}

/* Columns lp and ctx, which wstream(5) reserves for the counts: both or none, and for each id one
 * number and one list. */
static enum w_status check_counts(const struct w_header *h, struct w_err *err)
{
    const struct w_array *lp = w_header_find(h, "lp"), *ctx = w_header_find(h, "ctx");
    const struct w_array *ids = h->kind == W_TOKENS ? &h->arrays[0] : w_header_find(h, "x");

    if (w_kind_is_blob(h->kind) || (!lp && !ctx))
        return W_DONE;
    if (!lp || !ctx)
        return w_fail(err, W_CORRUPT, "header: the column %s without %s", lp ? "lp" : "ctx",
                      lp ? "ctx" : "lp");
    bool fit = ids && lp->dtype == W_TYPE_F32 && ctx->dtype == W_TYPE_U8 && lp->ndim == ids->ndim &&
               ctx->ndim == ids->ndim + 1;
    for (u32 i = 0; fit && i < ids->ndim; i++)
        fit = lp->shape[i] == ids->shape[i] && ctx->shape[i] == ids->shape[i];
    if (!fit || ctx->shape[ids->ndim] > W_FEATURES_MAX)
        return w_fail(err, W_CORRUPT,
                      "header: columns lp and ctx that do not go with the ids: for each id an f32 "
                      "and a list of 1 to %d u8",
                      W_FEATURES_MAX);
    return W_DONE;
}

/* Column targets of a batch, which wstream(5) reserves for padding: a number for each sequence. */
static enum w_status check_targets(const struct w_header *h, struct w_err *err)
{
    const struct w_array *targets = h->kind == W_BATCH ? w_header_find(h, "targets") : NULL;
    const struct w_array *x = w_header_find(h, "x");

    if (!targets || (x && x->ndim == 2 && targets->dtype == W_TYPE_U32 && targets->ndim == 1 &&
                     targets->shape[0] == x->shape[0]))
        return W_DONE;
    return w_fail(
        err, W_CORRUPT,
        "header: a column targets that does not go with the ids: for each sequence a u32");
}

static int by_name(const void *a, const void *b)
{
    const struct w_array *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static enum w_status refuse_equal_names(const struct w_header *h, struct w_err *err)
{
    const struct w_array **sorted = malloc(h->array_count * sizeof *sorted);
    enum w_status status = W_DONE;

    if (!sorted)
        return w_fail(err, W_NOMEM, "header: no memory for %u names", h->array_count);
    for (u32 i = 0; i < h->array_count; i++)
        sorted[i] = &h->arrays[i];
    qsort(sorted, h->array_count, sizeof *sorted, by_name);
    for (u32 i = 1; i < h->array_count && !status; i++)
        if (!strcmp(sorted[i - 1]->name, sorted[i]->name))
            status = w_fail(err, W_CORRUPT, "header: two arrays are called %s", sorted[i]->name);
    free(sorted);
    return status;
}

static enum w_status check_must(const struct w_json *must, struct w_err *err)
{
    if (must && !w_json_is_array(must))
        return w_fail(err, W_CORRUPT, "header: \"must\" is no list of keys");
    for (const struct w_json *m = w_json_first(must); m; m = w_json_next(m)) {
        const char *key = w_json_string(m);
        size_t i = 0;
        while (key && i < W_COUNTOF(known_keys) && strcmp(known_keys[i], key))
            i++;
        if (!key || i == W_COUNTOF(known_keys))
            return w_fail(err, W_NEWER,
                          "header: \"must\" names a key that this program does not "
                          "know: a newer version is needed");
    }
    return W_DONE;
}

static enum w_status read_header(struct w_header *h, struct w_err *err)
{
    u64 version, kind = 0;

    if (!w_json_u64(w_json_get(h->json, "wts"), 1, W_JSON_INT_MAX, &version))
        return w_fail(err, W_CORRUPT, "header: no \"wts\":1");
    if (version > 1)
        return w_fail(err, W_NEWER, "header: format version %llu: this program reads version 1",
                      (unsigned long long)version);
    enum w_status status = check_must(w_json_get(h->json, "must"), err);
    if (status)
        return status;
    const char *name = w_json_string(w_json_get(h->json, "kind"));
    while (name && kind < W_COUNTOF(kind_names) && strcmp(kind_names[kind], name))
        kind++;
    if (!name || kind == W_COUNTOF(kind_names))
        return w_fail(err, W_NEWER, "header: \"kind\" is not tokens, batch, tensors or counts");
    h->kind = (enum w_kind)kind;
    h->record_bytes = w_kind_is_blob(h->kind) ? 1 : 0;
    const struct w_json *list = w_json_get(h->json, list_key(h->kind));
    if (!w_json_is_array(list) || !w_json_first(list))
        return w_fail(err, W_CORRUPT, "header: \"%s\" is no list of arrays", list_key(h->kind));
    for (const struct w_json *a = w_json_first(list); a && !status; a = w_json_next(a))
        status = read_array(h, a, err);
    if (!status)
        status = refuse_equal_names(h, err);
    if (!status)
        status = check_counts(h, err);
    return status ? status : check_targets(h, err);
}

u32 w_header_only_ids(const struct w_header *h)
{
    const bool single = !w_kind_is_blob(h->kind) && h->array_count == 1;
    const enum w_type dtype = single ? h->arrays[0].dtype : W_TYPE_U8;

    return dtype == W_TYPE_U16 ? 2 : dtype == W_TYPE_U32 ? 4 : 0;
}

enum w_status w_header_from_json(struct w_header *h, struct w_json *json, struct w_err *err)
{
    memset(h, 0, sizeof *h);
    h->json = json;
    enum w_status status = !json ? w_fail(err, W_NOMEM, "header: no memory for its copy")
                           : w_json_is_object(json)
                               ? read_header(h, err)
                               : w_fail(err, W_CORRUPT, "header: no JSON object");
    if (status)
        w_header_free(h);
    return status;
}
