/* Which format a file has, and by name what has none; then the reader of the format. */
#include "text/vocab_import.h"

#include <stdlib.h>
#include <string.h>

#include "sys/file_kind.h"
#include "text/vocab_formats.h"

/* ---- the format of a file ---- */

/* In vocab.json the first member is a token and its number; in tokenizer.json it is something
 * else. */
static bool begins_with_token(const char *text, size_t size)
{
    size_t i = 0;

    while (i < size && text[i] != '"')
        i++;
    for (i++; i < size && text[i] != '"'; i++)
        i += text[i] == '\\';
    for (i++; i < size && strchr(" \t\r\n:", text[i]);)
        i++;
    return i < size && text[i] >= '0' && text[i] <= '9';
}

enum w_vocab_format w_vocab_format_of(const char *text, size_t size)
{
    size_t i = w_utf8_mark((const u8 *)text, size);

    if (size >= 4 && !memcmp(text, "GGUF", 4))
        return W_VOCAB_GGUF;
    while (i < size && strchr(" \t\r\n", text[i]))
        i++;
    if (i == size || text[i] != '{')
        return W_VOCAB_TIKTOKEN;
    return begins_with_token(text + i, size - i) ? W_VOCAB_GPT2 : W_VOCAB_HF;
}

/* Files that people take for vocabularies of these formats, by their first bytes, with what to
 * do. */
static const struct {
    const char *head;
    size_t size;
    const char *what;
} others[] = {
    {"\x1f\x8b", 2, "a gzip file: unpack it first (gunzip)"},
    {"\x28\xb5\x2f\xfd", 4, "a zstd file: unpack it first (zstd -d)"},
    {"\xfd"
     "7zXZ",
     5, "an xz file: unpack it first (unxz)"},
    {"BZh", 3, "a bzip2 file: unpack it first (bunzip2)"},
    {"PK\x03\x04", 4, "a zip file, as are PyTorch's: unpack it, and name tokenizer.json in it"},
    {"#version:", 9, "the merges of vocab.json: name both files"},
};

/* A model of SentencePiece begins with its first piece: field 1 of some bytes, and in it field 1,
 * the text. */
static bool is_sentencepiece(const char *text, size_t size)
{
    return size >= 4 && text[0] == '\n' && (u8)text[1] < 0x80 && text[2] == '\n' &&
           (u8)text[3] + 2 <= (u8)text[1];
}

/* WordPiece has one token a line. */
static bool is_word_list(const char *text, size_t size)
{
    size_t length = 0;

    while (length < size && !strchr("\r\n \t", text[length]))
        length++;
    return length > 0 && length < size && (text[length] == '\n' || text[length] == '\r');
}

/* Refuse by name what is no vocabulary that can be read; else leave it to the reader. */
static enum w_status refuse_others(const char *text, size_t size, struct w_err *err)
{
    for (size_t i = 0; i < W_COUNTOF(others); i++)
        if (size >= others[i].size && !memcmp(text, others[i].head, others[i].size))
            return w_fail(err, W_MISMATCH, "this is %s", others[i].what);
    if (is_sentencepiece(text, size))
        return w_fail(err, W_MISMATCH,
                      "this is a model of SentencePiece, whose tokens are no byte-level BPE: a "
                      "tokenizer.json of type BPE with ByteLevel is needed");
    if (is_word_list(text, size))
        return w_fail(err, W_MISMATCH,
                      "a list of words, such as vocab.txt of WordPiece, is no vocabulary of "
                      "byte-level BPE");
    return W_DONE;
}

static enum w_status look_at(const char *path, enum w_vocab_format *format, struct w_err *err)
{
    struct w_input in = {0};
    char head[4096];
    size_t got = 0;

    enum w_status status = w_input_open(&in, path, err);
    if (status)
        return status;
    if (in.seekable)
        status = w_input_read_at(&in, in.start, head, sizeof head, &got, err);
    else
        status =
            w_fail(err, W_USAGE,
                   "%s: a pipe cannot be looked at first: say what it is with --format", in.name);
    if (!status)
        *format = w_vocab_format_of(head, got);
    if (!status && *format == W_VOCAB_TIKTOKEN)
        status = refuse_others(head, got, err);
    w_input_close(&in);
    return status;
}

/* ---- reading ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static enum w_status import_gguf(struct w_vocab **vocab, const char *path,
                                 const struct w_import_options *options, struct w_err *err)
{
    struct w_input in = {0};

    enum w_status status = w_input_open(&in, path, err);
    if (!status)
        status = w_vocab_read_gguf(vocab, &in, options, err);
    w_input_close(&in);
    return status;
}

/* A text, and for vocab.json a second one, whichever of them was named first. */
static enum w_status import_texts(struct w_vocab **vocab, enum w_vocab_format format,
                                  char *const *paths, u32 count,
                                  const struct w_import_options *options, struct w_err *err)
{
    char *files[2] = {NULL}, *texts[2] = {NULL};
    size_t sizes[2] = {0};
    enum w_status status = W_DONE;

    for (u32 i = 0; i < count && !status; i++) {
        status = w_input_slurp(paths[i], W_VOCAB_FILE_BYTES_MAX, &files[i], &sizes[i], err);
        size_t mark = status ? 0 : w_utf8_mark((const u8 *)files[i], sizes[i]);
        texts[i] = status ? NULL : files[i] + mark;
        sizes[i] -= mark;
    }
    if (!status && format == W_VOCAB_HF) {
        status = w_vocab_read_hf(vocab, texts[0], sizes[0], options, err);
    } else if (!status && format == W_VOCAB_TIKTOKEN) {
        status =
            w_vocab_read_tiktoken(vocab, texts[0], sizes[0], base_name(paths[0]), options, err);
    } else if (!status) {
        int first = w_vocab_format_of(texts[0], sizes[0]) == W_VOCAB_TIKTOKEN; /* merges.txt */
        status = w_vocab_read_gpt2(vocab, texts[first], sizes[first], texts[!first], sizes[!first],
                                   options, err);
    }
    free(files[0]);
    free(files[1]);
    return status;
}

enum w_status w_vocab_import(struct w_vocab **vocab, enum w_vocab_format format, char *const *paths,
                             u32 count, const struct w_import_options *options, struct w_err *err)
{
    enum w_status status = W_DONE;

    if (count == 2 && format == W_VOCAB_AUTO)
        format = W_VOCAB_GPT2;
    if (format == W_VOCAB_AUTO)
        status = look_at(paths[0], &format, err);
    if (!status && (count == 2) != (format == W_VOCAB_GPT2))
        status = w_fail(err, W_USAGE,
                        "vocab.json goes with merges.txt: name both; other vocabularies are one "
                        "file");
    if (status)
        return status;
    status = format == W_VOCAB_GGUF ? import_gguf(vocab, paths[0], options, err)
                                    : import_texts(vocab, format, paths, count, options, err);
    return status && status != W_IO ? w_fail_at(err, status, "%s", paths[0]) : status;
}
