/* import_sample.h - a small vocabulary in each of the formats of other programs, for the fuzzer of
 * their readers and for tests. */
#ifndef FOREIGN_SAMPLE_H
#define FOREIGN_SAMPLE_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "text/bpe_encode.h"
#include "text/byte_letters.h"
#include "text/vocab_formats.h"

enum sample_format { HF, GPT2, TIKTOKEN, GGUF, FORMATS };

/* A text in which every merge of the sample is done. */
static const char sample_text[] = "the other then  12 \xc3\xa9\xc3\xa9 th\n\x80 bath 121212";

/* Bytes where GPT-2 has them and one id left out; "the" comes from two merges. */
static inline struct w_vocab *sample_vocab(void)
{
    struct w_vocab *v = NULL;
    u32 byte_ids[256], next = 0;

    for (u32 pass = 0; pass < 2; pass++) /* those that are their own letters come first */
        for (u32 i = 0; i < 256; i++)
            if (((i > 32 && i < 127) || (i > 160 && i != 173)) == (pass == 0))
                byte_ids[i] = next++;
    const u32 *b = byte_ids;
    struct w_merge merges[] = {
        {b['t'], b['h']}, {b['h'], b['e']}, {256, b['e']},      {b['t'], 257},
        {b[' '], 258},    {b['1'], b['2']}, {b[0xc3], b[0xa9]}, {261, 261},
    };
    struct w_token specials[] = {{270, 13, (const u8 *)"<|endoftext|>"},
                                 {269, 5, (const u8 *)"<\"\\\n>"}};
    struct w_vocab_parts parts = {.byte_ids = byte_ids,
                                  .merges = merges,
                                  .merge_count = W_COUNTOF(merges),
                                  .specials = specials,
                                  .special_count = W_COUNTOF(specials)};
    if (w_vocab_make(&v, &parts, NULL))
        abort();
    return v;
}

/* ---- GGUF ---- */

static inline void put(struct w_draft *out, const void *bytes, size_t size)
{
    if (w_draft_append(out, bytes, size, NULL))
        abort();
}

static inline void put_number(struct w_draft *out, u64 value, size_t size)
{
    u8 bytes[8];
    w_put64(bytes, value);
    put(out, bytes, size);
}

static inline void put_string(struct w_draft *out, const char *text, size_t size)
{
    put_number(out, size, 8);
    put(out, text, size);
}

static inline void put_key(struct w_draft *out, const char *key, u32 type)
{
    put_string(out, key, strlen(key));
    put_number(out, type, 4);
}

static inline void put_array(struct w_draft *out, const char *key, u32 type, u64 count)
{
    put_key(out, key, 9);
    put_number(out, type, 4);
    put_number(out, count, 8);
}

/* The letters of a token, or the name of a special one; "" for an unused id. */
static inline size_t letters_of(const struct w_vocab *v, u32 id, char *letters)
{
    u32 size;
    const u8 *bytes = w_vocab_bytes(v, id, &size);

    if (!w_vocab_is_special(v, id))
        return bytes ? w_bytes_to_letters(bytes, size, letters) : 0;
    memcpy(letters, bytes, size);
    return size;
}

static inline void write_gguf(const struct w_vocab *v, struct w_draft *out)
{
    const struct w_merge *merges = w_vocab_merges(v);
    char text[256];

    put(out, "GGUF\3\0\0\0", 8);
    put_number(out, 0, 8);
    put_number(out, 8, 8);
    put_key(out, "general.architecture", 8);
    put_string(out, "gpt2", 4);
    put_array(out, "some.nested", 9, 1); /* of arrays: skipped */
    put_number(out, 6, 4);
    put_number(out, 3, 8);
    put(out, "123412341234", 12);
    put_key(out, "tokenizer.ggml.model", 8);
    put_string(out, "gpt2", 4);
    put_key(out, "tokenizer.ggml.pre", 8);
    put_string(out, "gpt-2", 5);
    put_array(out, "tokenizer.ggml.tokens", 8, w_vocab_size(v));
    for (u32 id = 0; id < w_vocab_size(v); id++)
        put_string(out, text, letters_of(v, id, text));
    put_array(out, "tokenizer.ggml.token_type", 5, w_vocab_size(v));
    for (u32 id = 0; id < w_vocab_size(v); id++) {
        enum w_token_kind kind = w_vocab_kind(v, id);
        put_number(out, kind == W_TOKEN_UNUSED ? 5 : kind == W_TOKEN_SPECIAL ? 3 : 1, 4);
    }
    put_array(out, "tokenizer.ggml.merges", 8, w_vocab_merge_count(v));
    for (u32 i = 0; i < w_vocab_merge_count(v); i++) {
        size_t size = letters_of(v, merges[i].left, text);
        text[size++] = ' ';
        put_string(out, text, size + letters_of(v, merges[i].right, text + size));
    }
    put_key(out, "tokenizer.ggml.eos_token_id", 4);
    put_number(out, w_vocab_eot_id(v), 4);
}

/* ---- any of them ---- */

/* Write a vocabulary. vocab.json and merges.txt stand one behind the other, with a NUL between. */
static inline enum w_status write_format(const struct w_vocab *v, enum sample_format format,
                                         struct w_draft *out, struct w_err *err)
{
    struct w_draft merges = {0};
    enum w_status status = W_DONE;

    if (format == GGUF)
        write_gguf(v, out);
    else if (format == TIKTOKEN)
        status = w_vocab_write_tiktoken(v, out, err);
    else if (format == HF)
        status = w_vocab_write_hf(v, out, err);
    else
        status = w_vocab_write_gpt2(v, out, &merges, err);
    if (!status && format == GPT2) {
        put(out, "", 1);
        put(out, merges.bytes, merges.count);
    }
    free(merges.bytes);
    return status;
}

static inline enum w_status read_format(struct w_vocab **v, enum sample_format format,
                                        const char *text, size_t size,
                                        const struct w_import_options *options, struct w_err *err)
{
    static int fd = -1;
    const char *nul = memchr(text, 0, size);
    size_t first = nul ? (size_t)(nul - text) : size;

    switch (format) {
    case HF: return w_vocab_read_hf(v, text, size, options, err);
    case GPT2:
        return w_vocab_read_gpt2(v, text, first, nul ? nul + 1 : "", nul ? size - first - 1 : 0,
                                 options, err);
    case TIKTOKEN: return w_vocab_read_tiktoken(v, text, size, "x.tiktoken", options, err);
    default:
        if (fd < 0)
            fd = memfd_create("gguf", 0);
        if (ftruncate(fd, 0) || pwrite(fd, text, size, 0) != (ssize_t)size ||
            lseek(fd, 0, SEEK_SET))
            abort();
        struct w_input in = {.fd = fd, .name = "gguf"};
        return w_vocab_read_gguf(v, &in, options, err);
    }
}

/* The ids of a text; the caller frees them. */
static inline struct w_ids ids_of(const struct w_vocab *v, const void *text, size_t size)
{
    struct w_encoder *e = NULL;
    struct w_ids ids = {0};

    if (w_encoder_new(&e, v, NULL) || w_encode(e, text, size, &ids, NULL))
        abort();
    w_encoder_free(e);
    return ids;
}

static inline bool same_ids(const struct w_vocab *a, const struct w_vocab *b, const void *text,
                            size_t size)
{
    struct w_ids x = ids_of(a, text, size), y = ids_of(b, text, size);
    bool same = x.count == y.count && (!x.count || !memcmp(x.ids, y.ids, x.count * sizeof *x.ids));

    free(x.ids);
    free(y.ids);
    return same;
}

#endif
