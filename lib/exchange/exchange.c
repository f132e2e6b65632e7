/* The table of formats, and what they share: the configuration of a model that comes in, its
 * vocabulary, and the conversion of a tensor that goes out. */
#include "exchange/exchange.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/exchange_private.h"
#include "sys/fdio.h"
#include "sys/output.h"

#define ALL_TYPES ((1u << W_WEIGHT_TYPES) - 1)
#define FLOATS (ALL_TYPES & ~(1u << W_WEIGHT_Q8_0))
#define PIECE 16384 /* numbers that are converted at a time: whole blocks */

const struct w_exchange_format w_exchange_formats[] = {
    {"gguf", "a file of llama.cpp", false, ALL_TYPES, w_gguf_look, w_gguf_read, w_gguf_write},
    {"safetensors", "a folder of transformers", true, FLOATS, w_safetensors_look,
     w_safetensors_read, w_safetensors_write},
    {"npy", "a folder of arrays for numpy", true, 1u << W_WEIGHT_F32 | 1u << W_WEIGHT_F16,
     w_npy_look, w_npy_read, w_npy_write},
    {0},
};

enum w_status w_exchange_look(const struct w_exchange_format **format, const char *path,
                              struct w_err *err)
{
    enum w_status status = W_DONE;
    bool is_one = false;

    if (w_path_kind(path) == W_PATH_NONE)
        return w_fail_errno(err, "%s: cannot open", path);
    *format = w_exchange_formats;
    while ((*format)->name && !status && !(status = (*format)->look(path, &is_one, err)) && !is_one)
        (*format)++;
    if (status || !is_one)
        *format = NULL;
    return status;
}

enum w_status w_exchange_read(struct w_weights *w, const char *path, bool vocab,
                              w_exchange_tell *tell, struct w_err *err)
{
    const struct w_exchange_format *format = NULL;

    memset(w, 0, sizeof *w);
    enum w_status status = w_exchange_look(&format, path, err);
    if (!status && !format)
        status = w_fail(err, W_MISMATCH,
                        "%s: is none of the formats " W_EXCHANGE_FORMAT_NAMES
                        ": a GGUF file, or a folder with model.safetensors or wte.weight.npy and "
                        "config.json",
                        path);
    if (status)
        return status;
    status = format->read(w, path, vocab, tell, err);
    return status && status != W_IO && status != W_NOMEM ? w_fail_at(err, status, "%s", path)
                                                         : status;
}

enum w_status w_exchange_write(const struct w_weights *w, const struct w_exchange_format *format,
                               enum w_weight_type type, const char *path, w_exchange_tell *tell,
                               struct w_err *err)
{
    const struct w_tensor *bad = w_weights_find_bad(w);

    if (!(format->types >> type & 1))
        return w_fail(err, W_USAGE, "the format %s cannot hold weights of the type %s",
                      format->name, w_weight_type_name(type));
    if (bad)
        return w_fail(err, W_CORRUPT, "tensor %s has numbers that are not finite", bad->name);
    if (w->conf.counts)
        w_exchange_say(tell, true,
                       "the gate that mixes counts in is left out: other programs have none, and "
                       "get the network alone");
    return format->write(w, type, path, tell, err);
}

/* ---- shared by the formats ---- */

void w_exchange_say(w_exchange_tell *tell, bool warning, const char *format, ...)
{
    char text[W_ERR_TEXT];
    va_list args;

    if (!tell)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    tell(warning, text);
}

/* Beside the shape: how such models are trained, at a rate that changes them slowly, and four
 * sequences. */
enum w_status w_gpt2_conf(struct w_conf *conf, const struct w_gpt2_shape *shape, struct w_err *err)
{
    char text[512];

    if (!(fabs(shape->epsilon - W_LAYER_NORM_EPSILON) <= 1e-9))
        return w_fail(err, W_MISMATCH, "the epsilon of its norms is %g, here it is %g",
                      shape->epsilon, W_LAYER_NORM_EPSILON);
    snprintf(text, sizeof text,
             "{\"d_model\":%llu,\"num_heads\":%llu,\"num_layers\":%llu,\"d_ff\":%llu,"
             "\"vocab_size\":%llu,\"max_length\":%llu,\"batch_size\":4,\"learning_rate\":5e-5,"
             "\"optimizer\":\"adamw\",\"softmax_sample\":0}",
             (unsigned long long)shape->width, (unsigned long long)shape->heads,
             (unsigned long long)shape->layers, (unsigned long long)shape->hidden,
             (unsigned long long)shape->vocab, (unsigned long long)shape->positions);
    enum w_status status = w_conf_parse(conf, text, strlen(text), "imported.json", err);
    return status == W_USAGE ? w_fail_at(err, W_MISMATCH, "no such model can be here") : status;
}

bool w_gpt2_has(const struct w_tensor *row)
{
    return strncmp(row->name, "gate.", 5) != 0;
}

enum w_status w_exchange_vocab(const struct w_weights *w, struct w_vocab **vocab, struct w_err *err)
{
    enum w_status status = w_weights_vocab(w, vocab, err);

    return status || !*vocab ? status : w_weights_check_vocab(w, *vocab, err);
}

enum w_status w_exchange_write_tensor(struct w_output *out, const struct w_weights *w,
                                      const struct w_tensor *row, enum w_weight_type type,
                                      bool turned, struct w_err *err)
{
    const float *values = w->values + row->offset;
    const u64 rows = row->shape[0], cols = row->shape[1];
    u8 *bytes = malloc(PIECE * 4);
    float *x = turned ? malloc(PIECE * sizeof *x) : NULL;
    enum w_status status = W_DONE;

    if (!bytes || (turned && !x))
        status = w_fail(err, W_NOMEM, "no memory to write tensor %s", row->name);
    for (u64 i = 0, n; i < row->count && !status; i += n) {
        u64 size = 0;
        n = W_MIN(row->count - i, (u64)PIECE);
        for (u64 j = i; turned && j < i + n; j++)
            x[j - i] = values[j % rows * cols + j / rows];
        if (!w_weight_bytes(type, n, &size) ||
            !w_weights_pack(type, turned ? x : values + i, n, bytes))
            status = w_fail(err, W_MISMATCH,
                            "tensor %s has a weight that is too large for %s: choose f32 or bf16",
                            row->name, w_weight_type_name(type));
        if (!status)
            status = w_output_write(out, bytes, (size_t)size, err);
    }
    free(bytes);
    free(x);
    return status;
}
