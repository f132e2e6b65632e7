/* Writing a model as a GGUF file; text/gguf_cursor.h and gguf_read.c say how such files are made.
 *
 * Norms, biases and positions stay f32 in every type, as llama.cpp wants them, and a matrix whose
 * rows are not whole blocks of q8_0 becomes f16. There is no tensor "output.weight": llama.cpp
 * takes the table of ids for it (since March 2025). A document begins after the id that ends one,
 * in training and in wsample, and so it is to be put before every prompt (add_bos_token). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "exchange/exchange_private.h"
#include "exchange/gguf_layout.h"
#include "sys/output.h"
#include "text/vocab_formats.h"
#include "text/vocab_letters.h"

#define VERSION 3
#define QUANTIZATION_VERSION 2
#define PADS_CONTEXT_TO 256 /* llama.cpp, its context */

struct writing {
    struct w_buffer pairs; /* and then tensors */
    u64 pair_count;
    struct w_err *err;
};

static void put32(struct w_buffer *b, u32 value)
{
    u8 bytes[4];

    w_put32(bytes, value);
    w_buffer_put(b, bytes, sizeof bytes);
}

static void put64(struct w_buffer *b, u64 value)
{
    u8 bytes[8];

    w_put64(bytes, value);
    w_buffer_put(b, bytes, sizeof bytes);
}

static void put_text(struct w_buffer *b, const char *text, size_t size)
{
    put64(b, size);
    w_buffer_put(b, text, size);
}

static void put_key(struct writing *f, const char *key, u32 type)
{
    put_text(&f->pairs, key, strlen(key));
    put32(&f->pairs, type);
    f->pair_count++;
}

static void put_count(struct writing *f, const char *key, u64 value)
{
    put_key(f, key, W_GGUF_U32);
    put32(&f->pairs, (u32)value);
}

static void put_string(struct writing *f, const char *key, const char *value)
{
    put_key(f, key, W_GGUF_STRING);
    put_text(&f->pairs, value, strlen(value));
}

static void put_array(struct writing *f, const char *key, u32 type, u64 count)
{
    put_key(f, key, W_GGUF_ARRAY);
    put32(&f->pairs, type);
    put64(&f->pairs, count);
}

static void put_model(struct writing *f, const struct w_conf *conf, enum w_weight_type type)
{
    const float epsilon = (float)W_LAYER_NORM_EPSILON;
    u32 bits;

    put_string(f, "general.architecture", "gpt2");
    put_count(f, "general.file_type", w_gguf_codes[type].file);
    put_count(f, "general.quantization_version", QUANTIZATION_VERSION);
    put_count(f, "gpt2.context_length", conf->max_length);
    put_count(f, "gpt2.embedding_length", conf->d_model);
    put_count(f, "gpt2.block_count", conf->num_layers);
    put_count(f, "gpt2.feed_forward_length", conf->d_ff);
    put_count(f, "gpt2.attention.head_count", conf->num_heads);
    put_key(f, "gpt2.attention.layer_norm_epsilon", W_GGUF_F32);
    memcpy(&bits, &epsilon, sizeof bits);
    put32(&f->pairs, bits);
}

/* ---- the vocabulary ---- */

/* The name of an id without a token: one that no other token has. */
static void put_unused(struct writing *f, const struct w_vocab *vocab, u32 id)
{
    char name[64];
    int size = snprintf(name, sizeof name, "[UNUSED%u]", id);
    u32 other;

    while ((w_vocab_find(vocab, (const u8 *)name, (size_t)size, &other) ||
            w_vocab_find_special(vocab, name, (size_t)size, &other)) &&
           size < (int)sizeof name - 1)
        name[size++] = '_';
    put_text(&f->pairs, name, (size_t)size);
}

static enum w_status put_letters(struct writing *f, const struct w_vocab *vocab, u32 id)
{
    struct w_draft letters = {0};

    enum w_status status = w_letters_write(vocab, id, false, &letters, f->err);
    if (!status)
        put_text(&f->pairs, letters.bytes, letters.count);
    free(letters.bytes);
    return status;
}

static enum w_status put_tokens(struct writing *f, const struct w_vocab *vocab, u32 size)
{
    enum w_status status = W_DONE;

    put_array(f, "tokenizer.ggml.tokens", W_GGUF_STRING, size);
    for (u32 id = 0; id < size && !status; id++)
        if (w_vocab_kind(vocab, id) == W_TOKEN_UNUSED)
            put_unused(f, vocab, id);
        else
            status = put_letters(f, vocab, id);
    put_array(f, "tokenizer.ggml.token_type", W_GGUF_I32, size);
    for (u32 id = 0; id < size; id++) {
        const enum w_token_kind kind = w_vocab_kind(vocab, id);
        put32(&f->pairs, kind == W_TOKEN_UNUSED    ? W_GGUF_UNUSED
                         : kind == W_TOKEN_SPECIAL ? W_GGUF_CONTROL
                                                   : W_GGUF_NORMAL);
    }
    return status;
}

static enum w_status put_merges(struct writing *f, const struct w_vocab *vocab)
{
    const struct w_merge *merges = w_vocab_merges(vocab);
    const u32 count = w_vocab_merge_count(vocab);
    struct w_draft line = {0};
    enum w_status status = W_DONE;

    put_array(f, "tokenizer.ggml.merges", W_GGUF_STRING, count);
    for (u32 i = 0; i < count && !status; i++) {
        line.count = 0;
        status = w_letters_write(vocab, merges[i].left, false, &line, f->err);
        if (!status)
            status = w_draft_append(&line, " ", 1, f->err);
        if (!status)
            status = w_letters_write(vocab, merges[i].right, false, &line, f->err);
        if (!status)
            put_text(&f->pairs, line.bytes, line.count);
    }
    free(line.bytes);
    return status;
}

static enum w_status put_vocab(struct writing *f, const struct w_vocab *vocab, u32 size)
{
    const char *pre = w_vocab_gguf_pre(w_vocab_split(vocab), w_vocab_whole_words(vocab));
    struct w_draft object = {0};

    if (!pre)
        return w_fail(
            f->err, W_MISMATCH, "llama.cpp has no name for how its vocabulary splits text (%s%s)",
            w_split_name(w_vocab_split(vocab)), w_vocab_whole_words(vocab) ? ", whole words" : "");
    /* Is each token another text there? */
    enum w_status status = w_letters_write_vocab(vocab, true, &object, f->err);
    free(object.bytes);
    put_string(f, "tokenizer.ggml.model", "gpt2");
    put_string(f, "tokenizer.ggml.pre", pre);
    if (!status)
        status = put_tokens(f, vocab, size);
    if (!status)
        status = put_merges(f, vocab);
    put_count(f, "tokenizer.ggml.bos_token_id", w_vocab_eot_id(vocab));
    put_count(f, "tokenizer.ggml.eos_token_id", w_vocab_eot_id(vocab));
    put_key(f, "tokenizer.ggml.add_bos_token", W_GGUF_BOOL);
    w_buffer_byte(&f->pairs, 1);
    return status;
}

/* ---- tensors ---- */

static enum w_weight_type type_of(const struct w_tensor *row, enum w_weight_type wanted)
{
    if (row->ndim < 2 || !strcmp(row->name, "wpe.weight"))
        return W_WEIGHT_F32;
    return row->shape[1] % w_weight_block(wanted) ? W_WEIGHT_F16 : wanted;
}

static u64 bytes_of(const struct w_tensor *row, enum w_weight_type wanted)
{
    u64 bytes = 0; /* the model is in memory: they can be counted */

    return w_weight_bytes(type_of(row, wanted), row->count, &bytes) ? bytes : 0;
}

/* The head of the file: pairs, tensors, and zeros up to the data. Returns the bytes of data. */
static u64 put_tensors(struct writing *f, const struct w_weights *w, enum w_weight_type type)
{
    u64 offset = 0;

    for (u32 i = 0; i < w->tensors.count; i++) {
        const struct w_tensor *row = &w->tensors.rows[i];
        char name[W_FOREIGN_NAME];
        if (!w_gpt2_has(row))
            continue;
        w_gguf_name_of(row, name);
        put_text(&f->pairs, name, strlen(name));
        put32(&f->pairs, row->ndim);
        for (u32 d = row->ndim; d-- > 0;)
            put64(&f->pairs, row->shape[d]);
        put32(&f->pairs, w_gguf_codes[type_of(row, type)].tensor);
        put64(&f->pairs, offset);
        offset = w_round_up(offset + bytes_of(row, type), W_GGUF_ALIGNMENT);
    }
    return offset;
}

static u64 count_tensors(const struct w_weights *w)
{
    u64 count = 0;

    for (u32 i = 0; i < w->tensors.count; i++)
        count += w_gpt2_has(&w->tensors.rows[i]);
    return count;
}

static enum w_status write_all(struct writing *f, const struct w_weights *w,
                               enum w_weight_type type, struct w_output *out)
{
    static const u8 zeros[W_GGUF_ALIGNMENT];
    struct w_buffer head = {0};
    enum w_status status = W_DONE;

    const u64 data_bytes = put_tensors(f, w, type);
    w_buffer_text(&head, "GGUF");
    put32(&head, VERSION);
    put64(&head, count_tensors(w));
    put64(&head, f->pair_count);
    if (f->pairs.failed || head.failed)
        status = w_fail(f->err, W_NOMEM, "no memory for the head of a GGUF file");
    if (!status)
        status = w_output_reserve(out, head.size + f->pairs.size + data_bytes, f->err);
    if (!status)
        status = w_output_write(out, head.at, head.size, f->err);
    if (!status)
        status = w_output_write(out, f->pairs.at, f->pairs.size, f->err);
    for (u32 i = 0; i <= w->tensors.count && !status; i++) {
        const u64 padding = w_round_up(out->bytes, W_GGUF_ALIGNMENT) - out->bytes;
        status = w_output_write(out, zeros, (size_t)padding, f->err);
        if (!status && i < w->tensors.count && w_gpt2_has(&w->tensors.rows[i])) {
            const struct w_tensor *row = &w->tensors.rows[i];
            status = w_exchange_write_tensor(out, w, row, type_of(row, type), false, f->err);
        }
    }
    w_buffer_free(&head);
    return status;
}

/* llama.cpp makes its context a multiple of 256 where it is not told its size, and ends with an
 * assertion at the first token after the last position. */
static void warn_of_context(const struct w_conf *conf, w_exchange_tell *tell)
{
    const unsigned long long positions = conf->max_length;

    if (positions % PADS_CONTEXT_TO)
        w_exchange_say(tell, true,
                       "llama.cpp rounds its context up to a multiple of %d and fails at token "
                       "%llu of this model: give it a context of %llu (-c %llu), or make the "
                       "positions %llu first (wmodel positions %llu)",
                       PADS_CONTEXT_TO, positions + 1, positions, positions,
                       (unsigned long long)w_round_up(positions, PADS_CONTEXT_TO),
                       (unsigned long long)w_round_up(positions, PADS_CONTEXT_TO));
}

enum w_status w_gguf_write(const struct w_weights *w, enum w_weight_type type, const char *path,
                           w_exchange_tell *tell, struct w_err *err)
{
    struct writing f = {.err = err};
    struct w_output out = {.fd = -1};
    struct w_vocab *vocab = NULL;

    put_model(&f, &w->conf, type);
    enum w_status status = w_exchange_vocab(w, &vocab, err);
    if (!status && vocab) {
        status = put_vocab(&f, vocab, (u32)w->conf.vocab_size);
    } else if (!status) {
        put_count(&f, "gpt2.vocab_size", w->conf.vocab_size);
        put_string(&f, "tokenizer.ggml.model", "no_vocab");
        w_exchange_say(tell, true,
                       "the model has no vocabulary, and so the file has none: it can be run with "
                       "ids, not with text");
    }
    if (!status)
        status = w_output_open(&out, path, err);
    if (!status)
        status = write_all(&f, w, type, &out);
    if (!status)
        status = w_output_commit(&out, err);
    if (!status)
        warn_of_context(&w->conf, tell);
    if (!status && vocab && w_vocab_nfc(vocab))
        w_exchange_say(tell, true,
                       "GGUF cannot say that text is in NFC: ids are the same for text that is");
    w_output_abort(&out);
    w_buffer_free(&f.pairs);
    w_vocab_free(vocab);
    return status;
}
