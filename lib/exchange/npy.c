/* A model as a folder of arrays for numpy, wte.weight.npy and so on, with config.json and
 * tokenizer.json as transformers has them. Names and shapes are ours: matrices are (out, in).
 *
 *     0x93 "NUMPY" | u8 major | u8 minor | u16 or (from version 2) u32 size | a dict of that size:
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), } | data
 *
 * The dict is that of Python's syntax; it is read as far as numpy writes it, its keys in any order.
 * Where fortran_order is True, as after numpy.save(a.T), columns are in the file as rows would
 * be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/foreign_tensor.h"
#include "exchange/hf_folder.h"

#define HEAD_BYTES_MAX 4096 /* of a file: far above what numpy writes */
#define ALIGNMENT 64        /* of the data, as numpy has it */

static const char magic[] = "\x93NUMPY";
static const char *const dtypes[W_WEIGHT_TYPES] = {"<f4", "<f2", NULL, NULL};

static void name_of(const struct w_tensor *row, char name[W_FOREIGN_NAME])
{
    snprintf(name, W_FOREIGN_NAME, "%s.npy", row->name);
}

enum w_status w_npy_look(const char *path, bool *is_one, struct w_err *err)
{
    (void)err;
    *is_one = w_hf_has(path, "wte.weight.npy");
    return W_DONE;
}

/* ---- reading ---- */

/* Text that is read from the left. */
static void skip_blanks(const char **at)
{
    *at += strspn(*at, " \n");
}

static bool accept(const char **at, const char *word)
{
    const size_t size = strlen(word);

    skip_blanks(at);
    if (strncmp(*at, word, size) != 0)
        return false;
    *at += size;
    return true;
}

/* (3, 2) or (3,) or () */
static bool read_shape(const char **at, struct w_foreign *t)
{
    if (!accept(at, "("))
        return false;
    while (!accept(at, ")")) {
        char *end = NULL;
        if (t->ndim == W_FOREIGN_DIMS || **at < '0' || **at > '9')
            return false;
        t->shape[t->ndim++] = strtoull(*at, &end, 10); /* what is too large is ULLONG_MAX */
        *at = end;
        if (!accept(at, ",") && (skip_blanks(at), **at != ')'))
            return false;
    }
    return true;
}

static bool read_descr(const char **at, struct w_foreign *t)
{
    char name[sizeof t->type_name];
    const char *end;

    skip_blanks(at);
    if (**at != '\'' || !(end = strchr(*at + 1, '\'')))
        return false;
    snprintf(name, sizeof name, "%.*s", (int)(end - *at - 1), *at + 1);
    w_foreign_set_type(t, dtypes, name);
    *at = end + 1;
    return true;
}

/* The dict, up to its end; all three keys, each once. */
static bool read_dict(const char *at, struct w_foreign *t, bool *columns)
{
    unsigned seen = 0, all = 7, key;
    bool ok = accept(&at, "{");

    while (ok && !accept(&at, "}")) {
        if (accept(&at, "'descr':")) {
            key = 1;
            ok = read_descr(&at, t);
        } else if (accept(&at, "'fortran_order':")) {
            key = 2;
            *columns = accept(&at, "True");
            ok = *columns || accept(&at, "False");
        } else {
            key = 4;
            ok = accept(&at, "'shape':") && read_shape(&at, t);
        }
        ok = ok && !(seen & key) && (accept(&at, ",") || (skip_blanks(&at), *at == '}'));
        seen |= key;
    }
    skip_blanks(&at);
    return ok && seen == all && *at == 0;
}

/* The head of a file; data are all that follows. */
static enum w_status read_head(struct w_input *in, struct w_foreign *t, struct w_err *err)
{
    char bytes[HEAD_BYTES_MAX + 13];
    size_t got = 0, head, dict = 0;
    bool columns = false;

    enum w_status status = w_input_read_at(in, 0, bytes, sizeof bytes - 1, &got, err);
    if (status)
        return status;
    if (got < 12 || memcmp(bytes, magic, 6) != 0)
        return w_fail(err, W_CORRUPT, "is no .npy file");
    if (bytes[6] < 1 || bytes[6] > 3)
        return w_fail(err, W_NEWER, "is of version %u of the format", (unsigned)(u8)bytes[6]);
    head = bytes[6] == 1 ? 10 : 12;
    dict = bytes[6] == 1 ? w_get16((u8 *)bytes + 8) : w_get32((u8 *)bytes + 8);
    if (dict > HEAD_BYTES_MAX)
        return w_fail(err, W_LIMIT, "has a header of %zu bytes; at most %u are read", dict,
                      HEAD_BYTES_MAX);
    if (head + dict > got)
        return w_fail(err, W_TRUNCATED, "ends in its header");
    bytes[head + dict] = 0;
    if (strlen(bytes + head) != dict || !read_dict(bytes + head, t, &columns))
        return w_fail(err, W_CORRUPT, "has a header that numpy does not write");
    if (columns && t->ndim == 2) {
        const u64 rows = t->shape[0];
        t->shape[0] = t->shape[1];
        t->shape[1] = rows;
        t->turned = true;
    }
    t->offset = head + dict;
    t->bytes = in->size_bytes - W_MIN(in->size_bytes, t->offset);
    return W_DONE;
}

static enum w_status read_tensor(const char *folder, const struct w_tensor *row, float *to,
                                 struct w_err *err)
{
    struct w_foreign_list list = {0};
    struct w_foreign t = {0};
    struct w_input in = {0};
    char path[W_HF_PATH];

    name_of(row, t.name);
    if (!w_hf_has(folder, t.name))
        return w_fail(err, W_MISMATCH, "there is no %s", t.name);
    enum w_status status = w_input_open(&in, w_hf_path(path, folder, t.name), err);
    if (!status)
        status = read_head(&in, &t, err);
    if (!status)
        status = w_foreign_add(&list, &t, err);
    if (!status)
        status = w_foreign_check(&list, t.offset, in.size_bytes, err);
    if (!status)
        status = w_foreign_fits(&t, row, err);
    if (!status && to)
        status = w_foreign_read_one(&t, &in, row, to, err);
    w_foreign_release(&list);
    w_input_close(&in);
    return status && status != W_IO && status != W_NOMEM ? w_fail_at(err, status, "%s", t.name)
                                                         : status;
}

enum w_status w_npy_read(struct w_weights *w, const char *path, bool vocab, w_exchange_tell *tell,
                         struct w_err *err)
{
    struct w_tensors tensors = {0};
    struct w_conf conf;

    /* The heads before the memory. */
    enum w_status status = w_hf_read_config(&conf, path, err);
    if (!status)
        status = w_tensors_make(&tensors, &conf, err);
    for (u32 i = 0; i < tensors.count && !status; i++)
        status = read_tensor(path, &tensors.rows[i], NULL, err);
    if (!status)
        status = w_weights_init(w, &conf, err);
    for (u32 i = 0; i < tensors.count && !status; i++) {
        const struct w_tensor *row = &w->tensors.rows[i];
        status = read_tensor(path, row, w->values + row->offset, err);
    }
    if (!status && vocab)
        status = w_hf_read_vocab(w, path, tell, err);
    w_tensors_free(&tensors);
    return status;
}

/* ---- writing ---- */

static enum w_status write_tensor(const char *path, const struct w_weights *w,
                                  const struct w_tensor *row, enum w_weight_type type,
                                  struct w_err *err)
{
    struct w_output out = {.fd = -1};
    char head[256], shape[64];

    snprintf(shape, sizeof shape, row->ndim == 2 ? "(%llu, %llu)" : "(%llu,)",
             (unsigned long long)row->shape[0], (unsigned long long)row->shape[1]);
    memcpy(head, magic, 6);
    int size = 10 + snprintf(head + 10, sizeof head - 10,
                             "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", dtypes[type],
                             shape);
    while ((size + 1) % ALIGNMENT)
        head[size++] = ' ';
    head[size++] = '\n';
    head[6] = 1;
    head[7] = 0;
    w_put16((u8 *)head + 8, (u16)(size - 10));
    enum w_status status = w_output_open(&out, path, err);
    if (!status)
        status = w_output_write(&out, head, (size_t)size, err);
    if (!status)
        status = w_exchange_write_tensor(&out, w, row, type, false, err);
    if (!status)
        status = w_output_commit(&out, err);
    w_output_abort(&out);
    return status;
}

enum w_status w_npy_write(const struct w_weights *w, enum w_weight_type type, const char *path,
                          w_exchange_tell *tell, struct w_err *err)
{
    struct w_folder_output out = {0};
    char name[W_FOREIGN_NAME];

    enum w_status status = w_folder_output_open(&out, path, err);
    if (!status)
        status = w_hf_write(&out, w, type, tell, err);
    for (u32 i = 0; i < w->tensors.count && !status; i++) {
        const struct w_tensor *row = &w->tensors.rows[i];
        if (!w_gpt2_has(row))
            continue;
        name_of(row, name);
        status = write_tensor(w_folder_output_file(&out, name), w, row, type, err);
    }
    if (!status)
        status = w_folder_output_commit(&out, err);
    w_folder_output_abort(&out);
    return status;
}
