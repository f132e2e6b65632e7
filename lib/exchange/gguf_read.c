/* Reading a model from a GGUF file of llama.cpp, architecture gpt2. After the pairs of
 * text/gguf_cursor.h:
 *
 *     tensors | padding | data        tensor: name, u32 dimensions, u64 sizes, u32 type, u64 offset
 *
 * The first size of a tensor varies fastest. Data begin at the next multiple of the alignment, and
 * so does each tensor in them. The vocabulary is in pairs "tokenizer.ggml.*", which
 * text/vocab_formats.h reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/exchange_private.h"
#include "exchange/foreign_tensor.h"
#include "exchange/gguf_layout.h"
#include "sys/fdio.h"
#include "text/vocab_formats.h"
#include "text/vocab_import.h"

enum w_status w_gguf_look(const char *path, bool *is_one, struct w_err *err)
{
    struct w_input in = {0};
    char magic[4] = "";
    size_t got = 0;

    *is_one = false;
    if (w_path_kind(path) != W_PATH_FILE)
        return W_DONE;
    enum w_status status = w_input_open(&in, path, err);
    if (!status && in.seekable)
        status = w_input_read_at(&in, in.start, magic, sizeof magic, &got, err);
    *is_one = !status && w_vocab_format_of(magic, got) == W_VOCAB_GGUF;
    w_input_close(&in);
    return status;
}

struct reading {
    struct w_input in;
    struct w_gguf_cursor cursor;
    struct w_err *err;

    /* what pairs said */
    char architecture[32], tokenizer[32];
    u64 alignment, parts;
    struct w_gpt2_shape shape;
    struct w_foreign_list tensors;
};

/* A whole number of any type. */
static enum w_status take_count(struct reading *r, u32 type, const char *key, u64 *value)
{
    u8 bytes[8] = {0};
    const u32 size = type == W_GGUF_U64 || type == W_GGUF_I64   ? 8
                     : type == W_GGUF_U32 || type == W_GGUF_I32 ? 4
                                                                : 2;

    if (size == 2 && type != W_GGUF_U16)
        return w_fail(r->err, W_CORRUPT, "%s is no whole number", key);
    enum w_status status = w_gguf_take(&r->cursor, bytes, size);
    *value = w_get64(bytes);
    return status;
}

static enum w_status take_float(struct reading *r, u32 type, const char *key, double *value)
{
    float single;
    u32 bits = 0;

    if (type != W_GGUF_F32)
        return w_fail(r->err, W_CORRUPT, "%s is no f32", key);
    enum w_status status = w_gguf_u32(&r->cursor, &bits);
    memcpy(&single, &bits, sizeof single);
    *value = (double)single;
    return status;
}

static enum w_status take_pair(struct reading *r)
{
    const struct {
        const char *key;
        u64 *value;
    } counts[] = {
        {"general.alignment", &r->alignment},
        {"split.count", &r->parts},
        {"gpt2.context_length", &r->shape.positions},
        {"gpt2.embedding_length", &r->shape.width},
        {"gpt2.block_count", &r->shape.layers},
        {"gpt2.feed_forward_length", &r->shape.hidden},
        {"gpt2.attention.head_count", &r->shape.heads},
    };
    const struct {
        const char *key;
        char *text; /* [32] */
    } texts[] = {
        {"general.architecture", r->architecture},
        {"tokenizer.ggml.model", r->tokenizer},
    };
    char key[W_GGUF_KEY];
    u32 type = 0;

    enum w_status status = w_gguf_text(&r->cursor, key, sizeof key, "a key");
    if (!status)
        status = w_gguf_u32(&r->cursor, &type);
    if (status)
        return status;
    for (size_t i = 0; i < W_COUNTOF(counts); i++)
        if (!strcmp(key, counts[i].key))
            return take_count(r, type, key, counts[i].value);
    for (size_t i = 0; i < W_COUNTOF(texts); i++)
        if (!strcmp(key, texts[i].key))
            return type == W_GGUF_STRING ? w_gguf_text(&r->cursor, texts[i].text, 32, key)
                                         : w_fail(r->err, W_CORRUPT, "%s is no string", key);
    if (!strcmp(key, "gpt2.attention.layer_norm_epsilon"))
        return take_float(r, type, key, &r->shape.epsilon);
    return w_gguf_skip_value(&r->cursor, type);
}

/* The bytes of a tensor of an unknown type are not known either. */
static enum w_status take_tensor(struct reading *r)
{
    struct w_foreign t = {0};
    u32 code = 0;
    u64 count = 0;

    enum w_status status = w_gguf_text(&r->cursor, t.name, sizeof t.name, "a tensor's name");
    if (!status)
        status = w_gguf_u32(&r->cursor, &t.ndim);
    if (!status && t.ndim > W_FOREIGN_DIMS)
        status = w_fail(r->err, W_CORRUPT, "tensor %s has %u dimensions", t.name, t.ndim);
    for (u32 i = t.ndim; i-- > 0 && !status;)
        status = w_gguf_u64(&r->cursor, &t.shape[i]);
    if (!status)
        status = w_gguf_u32(&r->cursor, &code);
    if (!status)
        status = w_gguf_u64(&r->cursor, &t.offset);
    snprintf(t.type_name, sizeof t.type_name, "number %u", code);
    for (u32 i = 0; i < W_WEIGHT_TYPES; i++)
        if (w_gguf_codes[i].tensor == code) {
            t.known_type = true;
            t.type = i;
            snprintf(t.type_name, sizeof t.type_name, "%s", w_weight_type_name(t.type));
        }
    if (!status && t.known_type &&
        (!w_foreign_count(&t, &count) || !w_weight_bytes(t.type, count, &t.bytes)))
        status =
            w_fail(r->err, W_CORRUPT, "tensor %s has more numbers than can be counted", t.name);
    return status ? status : w_foreign_add(&r->tensors, &t, r->err);
}

static enum w_status take_head(struct reading *r)
{
    u64 tensors = 0, pairs = 0;

    r->alignment = W_GGUF_ALIGNMENT;
    r->shape.epsilon = W_LAYER_NORM_EPSILON;
    enum w_status status = w_gguf_begin(&r->cursor, &tensors, &pairs);
    for (u64 i = 0; i < pairs && !status; i++) /* each takes bytes of the file */
        status = take_pair(r);
    if (!status && strcmp(r->architecture, "gpt2"))
        status = w_fail(r->err, W_MISMATCH,
                        "its architecture is \"%s\"; models of the architecture gpt2 come in",
                        r->architecture);
    if (!status && tensors == 0)
        status = w_fail(r->err, W_MISMATCH,
                        "has no tensors: where it is a vocabulary alone, 'wtok import' reads it");
    if (!status && r->parts > 1)
        status = w_fail(r->err, W_MISMATCH,
                        "is one of %llu parts of a model: join them first (llama-gguf-split "
                        "--merge)",
                        (unsigned long long)r->parts);
    if (!status && (r->alignment == 0 || r->alignment > 1 << 20 || r->alignment % 8 ||
                    (r->alignment & (r->alignment - 1))))
        status = w_fail(r->err, W_CORRUPT, "general.alignment is %llu",
                        (unsigned long long)r->alignment);
    for (u64 i = 0; i < tensors && !status; i++)
        status = take_tensor(r);
    return status;
}

/* Offsets count from the data, which begin at the next multiple of the alignment. */
static enum w_status place_tensors(struct reading *r)
{
    const u64 start = w_round_up(r->in.start + r->cursor.taken, r->alignment);
    enum w_status status = W_DONE;

    for (size_t i = 0; i < r->tensors.count && !status; i++) {
        struct w_foreign *t = &r->tensors.items[i];
        if (t->offset % r->alignment || !w_add_ok(t->offset, start, &t->offset))
            status = w_fail(r->err, W_CORRUPT, "tensor %s is not at a multiple of %llu", t->name,
                            (unsigned long long)r->alignment);
    }
    return status ? status : w_foreign_check(&r->tensors, start, r->in.size_bytes, r->err);
}

static enum w_status read_weights(struct reading *r, struct w_weights *w)
{
    struct w_foreign *table = w_foreign_find(&r->tensors, "token_embd.weight");
    struct w_conf conf;

    r->shape.vocab = table && table->ndim == 2 ? table->shape[0] : 0;
    enum w_status status = w_gpt2_conf(&conf, &r->shape, r->err);
    if (!status)
        status =
            w_foreign_read(&r->tensors, &r->in, &conf, w_gguf_name_of, "output.weight", w, r->err);
    return status;
}

/* From the first byte again: the reader of vocabularies takes the pairs by itself. */
static enum w_status read_vocab(struct reading *r, struct w_weights *w, w_exchange_tell *tell)
{
    const struct w_import_options options = {0};
    struct w_vocab *vocab = NULL;

    if (!r->tokenizer[0] || !strcmp(r->tokenizer, "no_vocab") || !strcmp(r->tokenizer, "none")) {
        w_exchange_say(tell, true, "the file has no vocabulary");
        return W_DONE;
    }
    enum w_status status = w_input_seek(&r->in, r->in.start, r->err);
    if (!status)
        status = w_vocab_read_gguf(&vocab, &r->in, &options, r->err);
    if (!status)
        status = w_weights_set_vocab(w, vocab, r->err);
    w_vocab_free(vocab);
    return status;
}

enum w_status w_gguf_read(struct w_weights *w, const char *path, bool vocab, w_exchange_tell *tell,
                          struct w_err *err)
{
    struct reading *r = calloc(1, sizeof *r);

    if (!r)
        return w_fail(err, W_NOMEM, "no memory to read %s", path);
    r->cursor.in = &r->in;
    r->cursor.err = r->err = err;
    enum w_status status = w_input_open(&r->in, path, err);
    if (!status && !r->in.seekable)
        status = w_fail(err, W_MISMATCH, "has to be a regular file");
    if (!status)
        status = take_head(r);
    if (!status)
        status = place_tensors(r);
    if (!status)
        status = read_weights(r, w);
    if (!status && vocab)
        status = read_vocab(r, w, tell);
    w_foreign_release(&r->tensors);
    w_input_close(&r->in);
    free(r);
    return status;
}
