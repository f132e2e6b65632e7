/* .tiktoken: each token with its rank, which is its id. tiktoken takes a word that is a token as
 * that token. Else it repeatedly joins the two neighbours that make the token of lowest rank, the
 * leftmost first. So every pair of tokens whose bytes joined are a token is a merge of that token's
 * rank; which of them are ever done is left to import.h, and is one for each token at most. Two
 * pairs of one token never compete, since only one of them is ever done: the order in which they
 * are listed does not matter. Cost: the square of a token's bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "text/vocab_formats.h"

#define BYTES 256
#define RANKED_BYTES_MAX 1024u /* of a token */
#define SPECIALS_MAX 5

/* What published files do not state. */
static const struct known {
    const char *name;
    enum w_split split;
    struct {
        const char *name;
        u32 id;
    } specials[SPECIALS_MAX];
} known_files[] = {
    {"cl100k_base",
     W_SPLIT_CL100K,
     {{"<|endoftext|>", 100257},
      {"<|fim_prefix|>", 100258},
      {"<|fim_middle|>", 100259},
      {"<|fim_suffix|>", 100260},
      {"<|endofprompt|>", 100276}}},
    {"o200k_base", W_SPLIT_O200K, {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}}},
    {"r50k_base", W_SPLIT_GPT2, {{"<|endoftext|>", 50256}}},
    {"p50k_base", W_SPLIT_GPT2, {{"<|endoftext|>", 50256}}},
};

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* ---- reading ---- */

/* Tokens with their ranks; bytes belong to the reading. */
struct reading {
    struct w_token *tokens;
    u8 *bytes; /* of all of them */
    u32 count;
};

static int digit_of(char c)
{
    const char *digit = c ? strchr(base64_digits, c) : NULL;

    return digit ? (int)(digit - base64_digits) : -1;
}

/* Base64 in groups of four, the last one filled with '='. Writes at most 3/4 of size. */
static bool decode_base64(const char *text, size_t size, u8 *bytes, u32 *count)
{
    *count = 0;
    if (size == 0 || size % 4)
        return false;
    for (size_t i = 0; i < size; i += 4) {
        u32 fill = 0, group = 0;
        if (i + 4 == size)
            fill = text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
        for (size_t k = 0; k < 4; k++) {
            int digit = k + fill >= 4 ? 0 : digit_of(text[i + k]);
            if (digit < 0)
                return false;
            group = group << 6 | (u32)digit;
        }
        for (unsigned k = 0; k < 3 - fill; k++)
            bytes[(*count)++] = (u8)(group >> (16 - 8 * k));
    }
    return true;
}

/* "base64 rank" */
static bool parse_line(const char *line, size_t size, u8 *bytes, struct w_token *token)
{
    const char *blank = memchr(line, ' ', size), *end = line + size;
    u32 rank = 0;

    if (!blank || blank + 1 == end ||
        !decode_base64(line, (size_t)(blank - line), bytes, &token->size))
        return false;
    for (const char *p = blank + 1; p < end; p++) {
        if (*p < '0' || *p > '9' || rank >= W_TOKENS_MAX)
            return false;
        rank = rank * 10 + (u32)(*p - '0');
    }
    token->id = rank;
    token->bytes = bytes;
    return rank < W_TOKENS_MAX;
}

static enum w_status read_lines(struct reading *r, const char *text, size_t size, struct w_err *err)
{
    size_t lines = 1, number = 0, length;
    const char *line;

    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    r->tokens = malloc(lines * sizeof *r->tokens);
    r->bytes = malloc(size + 3);
    if (!r->tokens || !r->bytes)
        return w_fail(err, W_NOMEM, "no memory for %zu tokens", lines);
    u8 *bytes = r->bytes;
    for (const char *at = text; w_line_next(&at, text + size, &line, &length);) {
        struct w_token *token = &r->tokens[r->count];
        number++;
        length -= length > 0 && line[length - 1] == '\r';
        if (length == 0)
            continue;
        if (!parse_line(line, length, bytes, token))
            return w_fail(err, W_CORRUPT, "line %zu is not a token in base64, a blank and a rank",
                          number);
        if (token->size > RANKED_BYTES_MAX)
            return w_fail(err, W_LIMIT, "line %zu: a token of %u bytes; at most %u are read",
                          number, token->size, RANKED_BYTES_MAX);
        bytes += token->size;
        r->count++;
    }
    return W_DONE;
}

/* Hand the tokens to the import, by rank. */
static enum w_status take_tokens(struct reading *r, struct w_import *f, struct w_err *err)
{
    enum w_status status = W_DONE;

    w_import_sort(r->tokens, r->count);
    for (u32 i = 0; i < r->count && !status; i++) {
        const struct w_token *t = &r->tokens[i];
        status = i > 0 && t->id == t[-1].id
                     ? w_fail(err, W_CORRUPT, "two tokens have the rank %u", t->id)
                     : w_import_token(f, t->id, t->bytes, t->size, W_IMPORT_NORMAL, err);
    }
    return status;
}

/* Every pair of tokens that makes a token, by its rank. */
static enum w_status make_merges(struct reading *r, struct w_import *f, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (u32 i = 0; i < r->count && !status; i++) {
        const struct w_token *t = &r->tokens[i];
        for (u32 k = 1; k < t->size && !status; k++)
            if (w_import_has(f, t->bytes, k) && w_import_has(f, t->bytes + k, t->size - k))
                status = w_import_merge(f, t->bytes, k, t->bytes + k, t->size - k, err);
    }
    f->whole_words = true;
    return status;
}

/* The splitting rule and the special tokens: from the options, or by the name of a published
 * file. */
static enum w_status take_known(struct w_import *f, const char *name,
                                const struct w_import_options *options, struct w_err *err)
{
    const struct known *known = NULL;
    enum w_status status = W_DONE;

    for (size_t i = 0; i < W_COUNTOF(known_files); i++) {
        size_t length = strlen(known_files[i].name);
        if (!strncmp(name, known_files[i].name, length) && (!name[length] || name[length] == '.'))
            known = &known_files[i];
    }
    for (u32 i = 0; known && i < SPECIALS_MAX && known->specials[i].name && !status; i++) {
        const char *special = known->specials[i].name;
        status = w_import_token(f, known->specials[i].id, (const u8 *)special, strlen(special),
                                W_IMPORT_SPECIAL, err);
    }
    if (!status && !known && !options->has_split)
        status =
            w_fail(err, W_USAGE, "the format does not say how text is split: say it with --split");
    f->split = known && !options->has_split ? known->split : options->split;
    return status;
}

enum w_status w_vocab_read_tiktoken(struct w_vocab **vocab, const char *text, size_t size,
                                    const char *name, const struct w_import_options *options,
                                    struct w_err *err)
{
    struct reading r = {0};
    struct w_import f = {0};

    *vocab = NULL;
    enum w_status status = w_import_init(&f, err);
    if (!status)
        status = read_lines(&r, text, size, err);
    if (!status)
        status = take_tokens(&r, &f, err);
    if (!status)
        status = make_merges(&r, &f, err);
    if (!status)
        status = take_known(&f, name, options, err);
    if (!status)
        status = w_import_finish(&f, options, vocab, err);
    w_import_release(&f);
    free(r.tokens);
    free(r.bytes);
    return status;
}

/* ---- writing ---- */

static enum w_status write_line(struct w_draft *out, const u8 *bytes, u32 size, u32 rank,
                                struct w_err *err)
{
    enum w_status status = W_DONE;
    char text[16];

    for (u32 i = 0; i < size && !status; i += 3) {
        u32 left = W_MIN(size - i, 3);
        unsigned group = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        for (u32 k = 0; k < 4; k++)
            text[k] = k <= left ? base64_digits[group >> (18 - 6 * k) & 63] : '=';
        status = w_draft_append(out, text, 4, err);
    }
    return status ? status : w_draft_append(out, text, (size_t)sprintf(text, " %u\n", rank), err);
}

/* Does joining by ranks give the same as the merges? It does if, in the vocabulary read back from
 * the file, every merge is one of ours, in our order: as long as both have given the same tokens,
 * neighbours that make a token are those of its one merge that is ever done by ranks, so our other
 * merges are not done either. */
static enum w_status check_ranks(const struct w_vocab *v, const struct w_vocab *ranked,
                                 struct w_err *err)
{
    const struct w_merge *ours = w_vocab_merges(v), *theirs = w_vocab_merges(ranked);
    u32 count = w_vocab_merge_count(v), i = 0, size;

    for (u32 k = 0; k < w_vocab_merge_count(ranked); k++, i++) {
        while (i < count && (ours[i].left != theirs[k].left || ours[i].right != theirs[k].right))
            i++;
        if (i == count)
            return w_fail(err, W_MISMATCH,
                          "token %u: ranks would make it of %u and %u, but no merge does at that "
                          "place: export it as tokenizer.json",
                          w_vocab_merged_ids(ranked)[k], theirs[k].left, theirs[k].right);
    }
    for (u32 id = 0; id < w_vocab_size(v); id++)
        if (w_vocab_kind(ranked, id) == W_TOKEN_ADDED && !w_vocab_whole_words(v) &&
            w_vocab_bytes(v, id, &size))
            return w_fail(
                err, W_MISMATCH,
                "token %u is not the result of merging its own bytes, but this format would "
                "give it for a word: export it as tokenizer.json",
                id);
    return W_DONE;
}

enum w_status w_vocab_write_tiktoken(const struct w_vocab *v, struct w_draft *out,
                                     struct w_err *err)
{
    struct w_vocab *ranked = NULL;
    struct w_import_options options = {.has_split = true, .split = w_vocab_split(v)};
    enum w_status status = W_DONE;
    size_t before = out->count;
    u32 size;

    for (u32 id = 0; id < w_vocab_size(v) && !status; id++) {
        const u8 *bytes = w_vocab_bytes(v, id, &size);
        if (bytes && !w_vocab_is_special(v, id))
            status = write_line(out, bytes, size, id, err);
    }
    const u8 *name = w_vocab_bytes(v, w_vocab_eot_id(v), &size);
    char *end = strndup((const char *)name, size);
    options.end = end;
    if (!status && !end)
        status = w_fail(err, W_NOMEM, "no memory for a name");
    if (!status)
        status = w_vocab_read_tiktoken(&ranked, out->bytes + before, out->count - before, "",
                                       &options, err);
    if (!status)
        status = check_ranks(v, ranked, err);
    w_vocab_free(ranked);
    free(end);
    return status;
}
