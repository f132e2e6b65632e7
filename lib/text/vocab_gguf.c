/* The vocabulary in the metadata of a GGUF file (versions 2 and 3, little-endian):
 *
 *     "GGUF" | u32 version | u64 tensors | u64 pairs | pairs: key, u32 type, value
 *
 * where a string is a u64 length and bytes, and an array a u32 type, a u64 count and the elements.
 * No length is trusted: memory grows with the bytes that were read, and what is too long is
 * refused. */
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "text/vocab_formats.h"

#define BUFFER 65536
#define PAIRS_MAX 65536u
#define KEY_MAX 256u
#define DEPTH_MAX 4        /* of arrays in arrays */
#define STRING_MAX 131072u /* bytes of a token in letters, or of a merge's line: twice a token */
#define STRINGS_MAX (1u << 28)   /* bytes of all strings of an array */
#define SKIPPED_MAX (1ull << 30) /* bytes of all values that are skipped */

enum type { U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64, TYPES };
static const u8 sizes[TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/* Kinds of tokens, in "tokenizer.ggml.token_type". */
enum { NORMAL = 1, UNKNOWN, CONTROL, USER_DEFINED, UNUSED };

/* Splitting rules by their names there, and whether a word that is a token takes no merges. */
static const struct {
    const char *pre;
    enum w_split rule;
    bool whole_words;
} splits[] = {
    {"gpt-2", W_SPLIT_GPT2, false},
    {"phi-2", W_SPLIT_GPT2, false},
    {"roberta-bpe", W_SPLIT_GPT2, false},
    {"jina-es", W_SPLIT_GPT2, false},
    {"jina-de", W_SPLIT_GPT2, false},
    {"jina-v1-en", W_SPLIT_GPT2, false},
    {"jina-v2-es", W_SPLIT_GPT2, false},
    {"jina-v2-de", W_SPLIT_GPT2, false},
    {"jina-v2-code", W_SPLIT_GPT2, false},
    {"gigachat", W_SPLIT_GPT2, false},
    {"a.x-4.0", W_SPLIT_GPT2, false},
    {"mellum", W_SPLIT_GPT2, false},
    {"exaone4", W_SPLIT_GPT2, false},
    {"mpt", W_SPLIT_GPT2, false},
    {"olmo", W_SPLIT_GPT2, false},
    {"jais", W_SPLIT_GPT2, false},
    {"trillion", W_SPLIT_GPT2, false},
    {"granite-docling", W_SPLIT_GPT2, false},
    {"llama-bpe", W_SPLIT_CL100K, true},
    {"llama3", W_SPLIT_CL100K, true},
    {"llama-v3", W_SPLIT_CL100K, true},
    {"falcon3", W_SPLIT_CL100K, true},
    {"falcon-h1", W_SPLIT_CL100K, true},
    {"pixtral", W_SPLIT_CL100K, true},
    {"midm-2.0", W_SPLIT_CL100K, true},
    {"lfm2", W_SPLIT_CL100K, true},
    {"dbrx", W_SPLIT_CL100K, false},
    {"smaug-bpe", W_SPLIT_CL100K, false},
    {"glm4", W_SPLIT_CL100K, false},
    {"chatglm-bpe", W_SPLIT_CL100K, false},
    {"qwen2", W_SPLIT_QWEN2, false},
    {"deepseek-r1-qwen", W_SPLIT_QWEN2, false},
    {"kormo", W_SPLIT_QWEN2, false},
    {"stablelm2", W_SPLIT_QWEN2, false},
    {"megrez", W_SPLIT_QWEN2, false},
    {"hunyuan", W_SPLIT_QWEN2, false},
    {"grok-2", W_SPLIT_QWEN2, false},
    {"gpt-4o", W_SPLIT_O200K, false},
    {"llama4", W_SPLIT_O200K, false},
    {"minimax-m2", W_SPLIT_O200K, false},
    {"deepseek-v3", W_SPLIT_DEEPSEEK, false},
    {"hunyuan-dense", W_SPLIT_DEEPSEEK, false},
    {"joyai-llm", W_SPLIT_DEEPSEEK, false},
    {"falcon", W_SPLIT_FALCON, false},
    {"smollm", W_SPLIT_SMOLLM, false},
    {"starcoder", W_SPLIT_SMOLLM, false},
    {"refact", W_SPLIT_SMOLLM, false},
    {"command-r", W_SPLIT_SMOLLM, false},
    {"codeshell", W_SPLIT_SMOLLM, false},
    {"exaone", W_SPLIT_SMOLLM, false},
    {"minerva-7b", W_SPLIT_SMOLLM, false},
};

const char *w_vocab_gguf_pre(enum w_split rule, bool whole_words)
{
    for (size_t i = 0; i < W_COUNTOF(splits); i++)
        if (splits[i].rule == rule && splits[i].whole_words == whole_words)
            return splits[i].pre;
    return NULL;
}

/* Strings of an array, one after another. */
struct strings {
    struct w_draft text;
    size_t *ends;
    size_t room;
    u32 count;
};

struct reading {
    struct w_input *in;
    u8 buffer[BUFFER];
    size_t at, end;
    u64 skipped;
    struct w_err *err;

    char model[32], pre[32]; /* empty: missing */
    struct strings tokens, merges;
    u32 *kinds;
    u32 kind_count;
    bool has_end_id;
    u32 eot_id;
};

/* ---- bytes ---- */

static enum w_status take(struct reading *r, void *bytes, size_t size)
{
    enum w_status status = W_DONE;
    u8 *to = bytes;

    while (size > 0 && !status) {
        if (r->at == r->end) {
            r->at = 0;
            status = w_input_some(r->in, r->buffer, BUFFER, &r->end, r->err);
            if (!status && r->end == 0)
                return w_fail(r->err, W_TRUNCATED, "GGUF: the file ends in its metadata");
            continue;
        }
        size_t n = W_MIN(size, r->end - r->at);
        memcpy(to, r->buffer + r->at, n);
        to += n;
        r->at += n;
        size -= n;
    }
    return status;
}

static enum w_status take_u32(struct reading *r, u32 *value)
{
    u8 bytes[4];
    enum w_status status = take(r, bytes, 4);

    *value = status ? 0 : w_get32(bytes);
    return status;
}

static enum w_status take_u64(struct reading *r, u64 *value)
{
    u8 bytes[8];
    enum w_status status = take(r, bytes, 8);

    *value = status ? 0 : w_get64(bytes);
    return status;
}

static enum w_status skip(struct reading *r, u64 size)
{
    u8 waste[4096];
    enum w_status status = W_DONE;

    if (size > SKIPPED_MAX - r->skipped)
        return w_fail(r->err, W_LIMIT, "GGUF: metadata of more than %llu bytes",
                      (unsigned long long)SKIPPED_MAX);
    r->skipped += size;
    for (; size > 0 && !status; size -= W_MIN(size, sizeof waste))
        status = take(r, waste, (size_t)W_MIN(size, sizeof waste));
    return status;
}

/* A string of at most room - 1 bytes; a NUL ends it. */
static enum w_status take_text(struct reading *r, char *text, u64 room, const char *what)
{
    u64 size;
    enum w_status status = take_u64(r, &size);

    if (!status && size >= room)
        status = w_fail(r->err, W_LIMIT, "GGUF: %s of %llu bytes; at most %llu are read", what,
                        (unsigned long long)size, (unsigned long long)room - 1);
    if (!status)
        status = take(r, text, (size_t)size);
    text[status ? 0 : size] = 0;
    return status;
}

/* ---- values ---- */

static enum w_status skip_value(struct reading *r, u32 type, unsigned depth)
{
    u32 element;
    u64 count;
    enum w_status status;

    if (type >= TYPES || depth > DEPTH_MAX)
        return w_fail(r->err, W_CORRUPT, "GGUF: a value of type %u, %u levels deep", type, depth);
    if (type == STRING) {
        status = take_u64(r, &count);
        return status ? status : skip(r, count);
    }
    if (type != ARRAY)
        return skip(r, sizes[type]);
    status = take_u32(r, &element);
    if (!status)
        status = take_u64(r, &count);
    if (!status && element < TYPES && sizes[element])
        return count <= SKIPPED_MAX ? skip(r, count * sizes[element])
                                    : w_fail(r->err, W_LIMIT, "GGUF: an array of %llu elements",
                                             (unsigned long long)count);
    for (u64 i = 0; !status && i < count; i++)
        status = skip_value(r, element, depth + 1);
    return status;
}

/* The head of an array of one type. */
static enum w_status take_array(struct reading *r, u32 type, u32 wanted, const char *key,
                                u32 *count)
{
    u32 element = 0;
    u64 n = 0;
    enum w_status status = W_DONE;

    if (type == ARRAY)
        status = take_u32(r, &element);
    if (!status && (type != ARRAY || element != wanted))
        status = w_fail(r->err, W_CORRUPT, "GGUF: %s is not the array that it should be", key);
    if (!status)
        status = take_u64(r, &n);
    if (!status && n > W_TOKENS_MAX)
        status = w_fail(r->err, W_LIMIT, "GGUF: %s has %llu elements; at most %u are read", key,
                        (unsigned long long)n, W_TOKENS_MAX);
    *count = (u32)n;
    return status;
}

static enum w_status take_string(struct reading *r, struct strings *s, const char *key)
{
    char piece[4096];
    u64 size;
    enum w_status status = take_u64(r, &size);

    if (!status && (size > STRING_MAX || s->text.count + size > STRINGS_MAX))
        status =
            w_fail(r->err, W_LIMIT, "GGUF: %s: string %u of %llu bytes, or all of more than %u",
                   key, s->count, (unsigned long long)size, STRINGS_MAX);
    if (!status)
        status = w_grow(&s->ends, &s->room, s->count + 1u, sizeof *s->ends, "strings", r->err);
    for (size_t n; !status && size > 0; size -= n) {
        n = (size_t)W_MIN(size, sizeof piece);
        status = take(r, piece, n);
        if (!status)
            status = w_draft_append(&s->text, piece, n, r->err);
    }
    if (!status)
        s->ends[s->count++] = s->text.count;
    return status;
}

static enum w_status take_strings(struct reading *r, u32 type, const char *key, struct strings *s)
{
    u32 count;

    if (s->ends)
        return w_fail(r->err, W_CORRUPT, "GGUF: %s is listed twice", key);
    enum w_status status = take_array(r, type, STRING, key, &count);
    for (u32 i = 0; i < count && !status; i++)
        status = take_string(r, s, key);
    return status;
}

static enum w_status take_kinds(struct reading *r, u32 type, const char *key)
{
    size_t room = 0;
    u32 count;

    if (r->kinds)
        return w_fail(r->err, W_CORRUPT, "GGUF: %s is listed twice", key);
    enum w_status status = take_array(r, type, I32, key, &count);
    for (u32 i = 0; i < count && !status; i++) {
        status = w_grow(&r->kinds, &room, i + 1u, sizeof *r->kinds, "kinds", r->err);
        if (status)
            break;
        status = take_u32(r, &r->kinds[i]);
        r->kind_count = i + 1;
    }
    return status;
}

static enum w_status take_name(struct reading *r, u32 type, const char *key, char name[32])
{
    return type == STRING ? take_text(r, name, 32, key)
                          : w_fail(r->err, W_CORRUPT, "GGUF: %s is no string", key);
}

static enum w_status take_pair(struct reading *r)
{
    char key[KEY_MAX];
    u32 type = 0;
    enum w_status status = take_text(r, key, KEY_MAX, "a key");

    if (!status)
        status = take_u32(r, &type);
    if (status)
        return status;
    if (!strcmp(key, "tokenizer.ggml.model"))
        return take_name(r, type, key, r->model);
    if (!strcmp(key, "tokenizer.ggml.pre"))
        return take_name(r, type, key, r->pre);
    if (!strcmp(key, "tokenizer.ggml.tokens"))
        return take_strings(r, type, key, &r->tokens);
    if (!strcmp(key, "tokenizer.ggml.merges"))
        return take_strings(r, type, key, &r->merges);
    if (!strcmp(key, "tokenizer.ggml.token_type"))
        return take_kinds(r, type, key);
    if (!strcmp(key, "tokenizer.ggml.eos_token_id") && type == U32) {
        r->has_end_id = true;
        return take_u32(r, &r->eot_id);
    }
    return skip_value(r, type, 0);
}

static enum w_status take_metadata(struct reading *r)
{
    u8 magic[4];
    u32 version = 0;
    u64 tensors, pairs = 0;

    enum w_status status = take(r, magic, 4);
    if (!status && memcmp(magic, "GGUF", 4))
        status = w_fail(r->err, W_CORRUPT, "this is no GGUF file");
    if (!status)
        status = take_u32(r, &version);
    if (!status && version != 2 && version != 3)
        status = w_fail(r->err, W_NEWER, "GGUF: version %u, or of the other byte order", version);
    if (!status)
        status = take_u64(r, &tensors);
    if (!status)
        status = take_u64(r, &pairs);
    if (!status && pairs > PAIRS_MAX)
        status = w_fail(r->err, W_LIMIT, "GGUF: %llu pairs of metadata; at most %u are read",
                        (unsigned long long)pairs, PAIRS_MAX);
    for (u64 i = 0; i < pairs && !status; i++)
        status = take_pair(r);
    return status;
}

/* ---- the vocabulary ---- */

static enum w_status give_split(const struct reading *r, struct w_import *f,
                                const struct w_import_options *options, struct w_err *err)
{
    if (strcmp(r->model, "gpt2"))
        return w_fail(err, W_MISMATCH,
                      "GGUF: its tokenizer is \"%.31s\", no byte-level BPE (\"gpt2\")", r->model);
    f->split = options->split;
    f->has_end_id = r->has_end_id;
    f->eot_id = r->eot_id;
    for (size_t i = 0; i < W_COUNTOF(splits); i++) {
        if (strcmp(r->pre, splits[i].pre))
            continue;
        f->whole_words = splits[i].whole_words;
        if (!options->has_split)
            f->split = splits[i].rule;
        return W_DONE;
    }
    return options->has_split
               ? W_DONE
               : w_fail(
                     err, W_MISMATCH,
                     "GGUF: tokenizer.ggml.pre is \"%.31s\", which is none of the splitting rules "
                     "known here; --split would name one",
                     r->pre);
}

static const char *string_at(const struct strings *s, u32 i, size_t *size)
{
    size_t start = i ? s->ends[i - 1] : 0;

    *size = s->ends[i] - start;
    return s->text.bytes + start;
}

static enum w_status give_tokens(const struct reading *r, struct w_import *f, struct w_err *err)
{
    enum w_status status = W_DONE;
    size_t size;

    if (r->kinds && r->kind_count != r->tokens.count)
        return w_fail(err, W_CORRUPT, "GGUF: %u tokens, but %u kinds of them", r->tokens.count,
                      r->kind_count);
    for (u32 i = 0; i < r->tokens.count && !status; i++) {
        const char *text = string_at(&r->tokens, i, &size);
        u32 kind = r->kinds ? r->kinds[i] : 0;
        if (kind == UNUSED)
            continue;
        if (kind == CONTROL || kind == USER_DEFINED || kind == UNKNOWN)
            status = w_import_token(f, i, (const u8 *)text, size, W_IMPORT_SPECIAL, err);
        else
            status = w_import_letters(f, i, text, size,
                                      r->kinds ? W_IMPORT_NORMAL : W_IMPORT_UNMADE, err);
    }
    for (u32 i = 0; i < r->merges.count && !status; i++) {
        const char *text = string_at(&r->merges, i, &size);
        status = w_import_merge_line(f, text, size, err);
    }
    return status ? w_fail_at(err, status, "GGUF") : W_DONE;
}

enum w_status w_vocab_read_gguf(struct w_vocab **vocab, struct w_input *in,
                                const struct w_import_options *options, struct w_err *err)
{
    struct w_import f = {0};
    struct reading *r = calloc(1, sizeof *r);

    *vocab = NULL;
    if (!r)
        return w_fail(err, W_NOMEM, "no memory to read");
    r->in = in;
    r->err = err;
    enum w_status status = take_metadata(r);
    if (!status)
        status = w_import_init(&f, err);
    if (!status)
        status = give_split(r, &f, options, err);
    if (!status)
        status = give_tokens(r, &f, err);
    if (!status)
        status = w_import_finish(&f, options, vocab, err);
    w_import_release(&f);
    free(r->tokens.text.bytes);
    free(r->tokens.ends);
    free(r->merges.text.bytes);
    free(r->merges.ends);
    free(r->kinds);
    free(r);
    return status;
}
