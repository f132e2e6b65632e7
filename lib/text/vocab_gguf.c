/* The vocabulary in the metadata of a GGUF file, which text/gguf_cursor.h describes. Memory grows
 * with the bytes that were read, and what is too long is refused. */
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "text/gguf_cursor.h"
#include "text/vocab_formats.h"

#define PAIRS_MAX 65536u
#define STRING_MAX 131072u /* bytes of a token in letters, or of a merge's line: twice a token */
#define STRINGS_MAX (1u << 28)   /* bytes of all strings of an array */
#define SKIPPED_MAX (1ull << 30) /* bytes of all values that are skipped */

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
    struct w_gguf_cursor cursor;
    struct w_err *err;

    char model[32], pre[32]; /* empty: missing */
    struct strings tokens, merges;
    u32 *kinds;
    u32 kind_count;
    bool has_end_id;
    u32 eot_id;
};

/* ---- values ---- */

/* The head of an array of one type. */
static enum w_status take_array(struct reading *r, u32 type, u32 wanted, const char *key,
                                u32 *count)
{
    u32 element = 0;
    u64 n = 0;
    enum w_status status = W_DONE;

    if (type == W_GGUF_ARRAY)
        status = w_gguf_u32(&r->cursor, &element);
    if (!status && (type != W_GGUF_ARRAY || element != wanted))
        status = w_fail(r->err, W_CORRUPT, "GGUF: %s is not the array that it should be", key);
    if (!status)
        status = w_gguf_u64(&r->cursor, &n);
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
    enum w_status status = w_gguf_u64(&r->cursor, &size);

    if (!status && (size > STRING_MAX || s->text.count + size > STRINGS_MAX))
        status =
            w_fail(r->err, W_LIMIT, "GGUF: %s: string %u of %llu bytes, or all of more than %u",
                   key, s->count, (unsigned long long)size, STRINGS_MAX);
    if (!status)
        status = w_grow(&s->ends, &s->room, s->count + 1u, sizeof *s->ends, "strings", r->err);
    for (size_t n; !status && size > 0; size -= n) {
        n = (size_t)W_MIN(size, sizeof piece);
        status = w_gguf_take(&r->cursor, piece, n);
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
    enum w_status status = take_array(r, type, W_GGUF_STRING, key, &count);
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
    enum w_status status = take_array(r, type, W_GGUF_I32, key, &count);
    for (u32 i = 0; i < count && !status; i++) {
        status = w_grow(&r->kinds, &room, i + 1u, sizeof *r->kinds, "kinds", r->err);
        if (status)
            break;
        status = w_gguf_u32(&r->cursor, &r->kinds[i]);
        r->kind_count = i + 1;
    }
    return status;
}

static enum w_status take_name(struct reading *r, u32 type, const char *key, char name[32])
{
    return type == W_GGUF_STRING ? w_gguf_text(&r->cursor, name, 32, key)
                                 : w_fail(r->err, W_CORRUPT, "GGUF: %s is no string", key);
}

static enum w_status take_pair(struct reading *r)
{
    char key[W_GGUF_KEY];
    u32 type = 0;
    enum w_status status = w_gguf_text(&r->cursor, key, sizeof key, "a key");

    if (!status)
        status = w_gguf_u32(&r->cursor, &type);
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
    if (!strcmp(key, "tokenizer.ggml.eos_token_id") && type == W_GGUF_U32) {
        r->has_end_id = true;
        return w_gguf_u32(&r->cursor, &r->eot_id);
    }
    return w_gguf_skip_value(&r->cursor, type);
}

static enum w_status take_metadata(struct reading *r)
{
    u64 tensors, pairs = 0;

    enum w_status status = w_gguf_begin(&r->cursor, &tensors, &pairs);
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
        if (kind == W_GGUF_UNUSED)
            continue;
        if (kind == W_GGUF_CONTROL || kind == W_GGUF_USER_DEFINED || kind == W_GGUF_UNKNOWN)
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
    r->cursor.in = in;
    r->cursor.err = r->err = err;
    r->cursor.skip_max = SKIPPED_MAX;
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
