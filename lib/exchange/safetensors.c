/* A model as a folder of transformers: model.safetensors, with config.json and the vocabulary
 * beside it.
 *
 *     u64 size
 *     JSON of that size: {"NAME":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]},...}
 *     data, in which the offsets count
 *
 * Data have no holes and no overlaps. The matrices of blocks are those of Conv1D there, (in, out):
 * they are turned; those of ids and positions are not. The head, lm_head.weight, is tied and left
 * out. Old models have the mask of attention as a tensor h.N.attn.bias, which is no weight. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/foreign_tensor.h"
#include "exchange/hf_folder.h"

#define FILE_NAME "model.safetensors"
#define HEADER_BYTES_MAX (16u << 20)
#define HEADER_VALUES_MAX ((size_t)1 << 20) /* of JSON; a tensor takes eight */
#define PREFIX "transformer."

static const char *const dtypes[W_WEIGHT_TYPES] = {"F32", "F16", "BF16", NULL};

static bool is_turned(const char *name)
{
    return strstr(name, "h.") == name || strstr(name, PREFIX "h.") == name;
}

static void name_with_prefix(const struct w_tensor *row, char name[W_FOREIGN_NAME])
{
    snprintf(name, W_FOREIGN_NAME, PREFIX "%s", row->name);
}

static void name_alone(const struct w_tensor *row, char name[W_FOREIGN_NAME])
{
    snprintf(name, W_FOREIGN_NAME, "%s", row->name);
}

enum w_status w_safetensors_look(const char *path, bool *is_one, struct w_err *err)
{
    (void)err;
    *is_one = w_hf_has(path, FILE_NAME) || w_hf_has(path, FILE_NAME ".index.json");
    return W_DONE;
}

/* ---- reading ---- */

/* "data_offsets" and "shape". */
static enum w_status read_places(const struct w_json *json, u64 start, struct w_foreign *t,
                                 struct w_err *err)
{
    const struct w_json *offsets = w_json_get(json, "data_offsets");
    const struct w_json *shape = w_json_get(json, "shape");
    u64 from = 0, to = 0;

    if (!w_json_is_array(offsets) || w_json_size(offsets) != 2 ||
        !w_json_u64(w_json_at(offsets, 0), 0, W_JSON_INT_MAX, &from) ||
        !w_json_u64(w_json_at(offsets, 1), from, W_JSON_INT_MAX, &to))
        return w_fail(err, W_CORRUPT, "tensor %s: \"data_offsets\" are wrong", t->name);
    t->offset = start + from;
    t->bytes = to - from;
    if (!w_json_is_array(shape))
        return w_fail(err, W_CORRUPT, "tensor %s: \"shape\" is no list", t->name);
    if (w_json_size(shape) > W_FOREIGN_DIMS)
        return w_fail(err, W_MISMATCH, "tensor %s has %zu dimensions, more than any here", t->name,
                      w_json_size(shape));
    for (const struct w_json *n = w_json_first(shape); n; n = w_json_next(n))
        if (!w_json_u64(n, 0, W_JSON_INT_MAX, &t->shape[t->ndim++]))
            return w_fail(err, W_CORRUPT, "tensor %s: \"shape\" has no size as number %u", t->name,
                          t->ndim);
    return W_DONE;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t a = strlen(text), b = strlen(end);

    return a >= b && !strcmp(text + a - b, end);
}

static enum w_status read_tensor(const struct w_json *json, u64 start, struct w_foreign_list *list,
                                 struct w_err *err)
{
    const char *name = w_json_key(json), *dtype = w_json_string(w_json_get(json, "dtype"));
    struct w_foreign t = {.turned = is_turned(name)};

    snprintf(t.name, sizeof t.name, "%s", name);
    w_make_printable(t.name);
    if (strcmp(t.name, name))
        return w_fail(err, W_MISMATCH, "has a tensor %s, a name that no tensor here has", t.name);
    if (!dtype)
        return w_fail(err, W_CORRUPT, "tensor %s has no \"dtype\"", t.name);
    w_foreign_set_type(&t, dtypes, dtype);
    t.used = t.turned && (ends_with(name, ".attn.bias") || ends_with(name, ".attn.masked_bias"));
    enum w_status status = read_places(json, start, &t, err);
    return status ? status : w_foreign_add(list, &t, err);
}

/* The list of tensors, checked. */
static enum w_status read_header(struct w_input *in, struct w_foreign_list *list, struct w_err *err)
{
    u8 bytes[8] = {0};
    size_t got = 0;
    u64 sum = 0;
    char *text = NULL;
    struct w_json *json = NULL;

    enum w_status status = w_input_read_at(in, 0, bytes, sizeof bytes, &got, err);
    const u64 size = w_get64(bytes), room = in->size_bytes - W_MIN(in->size_bytes, 8);
    if (!status && (got < 8 || size > room))
        status = w_fail(err, W_TRUNCATED, "the file ends before its tensors");
    if (!status && size > HEADER_BYTES_MAX)
        status = w_fail(err, W_LIMIT, "has a header of %llu bytes; at most %u are read",
                        (unsigned long long)size, HEADER_BYTES_MAX);
    if (!status && !(text = malloc((size_t)size + 1)))
        status = w_fail(err, W_NOMEM, "no memory for the header");
    if (!status)
        status = w_input_read_at(in, 8, text, (size_t)size, &got, err);
    if (!status && got < size)
        status = w_fail(err, W_TRUNCATED, "the file ends in its header");
    if (!status)
        status = w_json_parse_large(&json, text, (size_t)size, HEADER_VALUES_MAX, err);
    if (!status && !w_json_is_object(json))
        status = w_fail(err, W_CORRUPT, "its header is no JSON object");
    for (const struct w_json *t = w_json_first(json); t && !status; t = w_json_next(t))
        if (strcmp(w_json_key(t), "__metadata__"))
            status = read_tensor(t, 8 + size, list, err);
    free(text);
    w_json_free(json);
    if (!status)
        status = w_foreign_check(list, 8 + size, in->size_bytes, err);
    for (size_t i = 0; i < list->count; i++)
        sum += list->items[i].bytes;
    if (!status && sum != room - size)
        status = w_fail(err, W_CORRUPT, "has %llu bytes of data that belong to no tensor",
                        (unsigned long long)(room - size - sum));
    return status;
}

static enum w_status read_file(struct w_weights *w, const struct w_conf *conf, const char *path,
                               struct w_err *err)
{
    struct w_foreign_list list = {0};
    struct w_input in = {0};

    enum w_status status = w_input_open(&in, path, err);
    if (!status && !in.seekable)
        status = w_fail(err, W_MISMATCH, "has to be a regular file");
    if (!status)
        status = read_header(&in, &list, err);
    if (!status)
        status = w_foreign_read(&list, &in, conf,
                                w_foreign_find(&list, PREFIX "wte.weight") ? name_with_prefix
                                                                           : name_alone,
                                "lm_head.weight", w, err);
    w_foreign_release(&list);
    w_input_close(&in);
    return status && status != W_IO && status != W_NOMEM ? w_fail_at(err, status, FILE_NAME)
                                                         : status;
}

enum w_status w_safetensors_read(struct w_weights *w, const char *path, bool vocab,
                                 w_exchange_tell *tell, struct w_err *err)
{
    char file[W_HF_PATH];
    struct w_conf conf;

    if (!w_hf_has(path, FILE_NAME))
        return w_fail(err, W_MISMATCH,
                      "is in several files (" FILE_NAME ".index.json): save it in one first "
                      "(max_shard_size of save_pretrained)");
    enum w_status status = w_hf_read_config(&conf, path, err);
    if (!status)
        status = read_file(w, &conf, w_hf_path(file, path, FILE_NAME), err);
    if (!status && vocab)
        status = w_hf_read_vocab(w, path, tell, err);
    return status;
}

/* ---- writing ---- */

static struct w_json *tensor_json(const struct w_tensor *row, enum w_weight_type type, bool turned,
                                  u64 *offset)
{
    struct w_json *json = w_json_object(), *shape = w_json_array(), *offsets = w_json_array();

    for (u32 i = 0; i < row->ndim; i++)
        w_json_add_u64(shape, row->shape[turned ? 1 - i : i]);
    w_json_add_u64(offsets, *offset);
    *offset += row->count * w_weight_block_bytes(type);
    w_json_add_u64(offsets, *offset);
    w_json_set_string(json, "dtype", dtypes[type]);
    w_json_set(json, "shape", shape);
    w_json_set(json, "data_offsets", offsets);
    return json;
}

/* The header: its size, the JSON, and blanks up to a multiple of 8. */
static enum w_status write_header(struct w_output *out, const struct w_weights *w,
                                  enum w_weight_type type, struct w_err *err)
{
    struct w_json *json = w_json_object(), *metadata = w_json_object();
    char name[W_FOREIGN_NAME], *text;
    u64 offset = 0;
    u8 bytes[8];

    w_json_set_string(metadata, "format", "pt"); /* without which transformers refuses a file */
    w_json_set(json, "__metadata__", metadata);
    for (u32 i = 0; i < w->tensors.count; i++) {
        const struct w_tensor *row = &w->tensors.rows[i];
        if (!w_gpt2_has(row))
            continue;
        name_with_prefix(row, name);
        w_json_append(json, name,
                      tensor_json(row, type, row->ndim == 2 && is_turned(row->name), &offset));
    }
    text = w_json_text(json, err);
    w_json_free(json);
    if (!text)
        return W_NOMEM;
    const size_t size = strlen(text), padded = (size_t)w_round_up(size, 8);
    w_put64(bytes, padded);
    enum w_status status = w_output_reserve(out, 8 + padded + offset, err);
    if (!status)
        status = w_output_write(out, bytes, sizeof bytes, err);
    if (!status)
        status = w_output_write(out, text, size, err);
    if (!status)
        status = w_output_write(out, "       ", padded - size, err);
    free(text);
    return status;
}

static enum w_status write_file(const char *path, const struct w_weights *w,
                                enum w_weight_type type, struct w_err *err)
{
    struct w_output out = {.fd = -1};

    enum w_status status = w_output_open(&out, path, err);
    if (!status)
        status = write_header(&out, w, type, err);
    for (u32 i = 0; i < w->tensors.count && !status; i++) {
        const struct w_tensor *row = &w->tensors.rows[i];
        if (w_gpt2_has(row))
            status = w_exchange_write_tensor(&out, w, row, type,
                                             row->ndim == 2 && is_turned(row->name), err);
    }
    if (!status)
        status = w_output_commit(&out, err);
    w_output_abort(&out);
    return status;
}

enum w_status w_safetensors_write(const struct w_weights *w, enum w_weight_type type,
                                  const char *path, w_exchange_tell *tell, struct w_err *err)
{
    struct w_folder_output out = {0};

    enum w_status status = w_folder_output_open(&out, path, err);
    if (!status)
        status = w_hf_write(&out, w, type, tell, err);
    if (!status)
        status = write_file(w_folder_output_file(&out, FILE_NAME), w, type, err);
    if (!status)
        status = w_folder_output_commit(&out, err);
    w_folder_output_abort(&out);
    return status;
}
