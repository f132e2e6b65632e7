#include "store/vocab_open.h"

#include "wire/token_header.h"

#define STREAM_BEGINS 0x89 /* with this byte, and JSON never */

enum w_status w_header_vocab(struct w_vocab **vocab, const struct w_header *header,
                             struct w_err *err)
{
    const struct w_json *tok = w_header_tok(header);

    *vocab = NULL;
    if (!w_json_get(tok, "merges"))
        return w_fail(err, W_MISMATCH, "there is no vocabulary in its header: name one with -V");
    return w_vocab_from_json(vocab, tok, err);
}

/* Add what to do: the file may be another program's vocabulary, or, from a pipe, a stream. */
static enum w_status hint(bool seekable, struct w_err *err)
{
    struct w_err why = *err;

    if (!seekable)
        return w_fail(err, why.status,
                      "%s (a stream or a model that stands for its vocabulary has to be a regular "
                      "file, and what other programs use goes through 'wtok import' first)",
                      why.text);
    return w_fail(err, why.status, "%s (what other programs use goes through 'wtok import' first)",
                  why.text);
}

/* The vocabulary in the first header of an input. */
static enum w_status from_stream(struct w_vocab **vocab, struct w_input *in, const char *path,
                                 struct w_err *err)
{
    struct w_reader *reader = NULL;
    const struct w_header *header = NULL;

    enum w_status status = w_reader_open(&reader, in, err);
    if (!status)
        status = w_reader_member(reader, &header, err);
    if (status == W_END)
        status = w_fail(err, W_TRUNCATED, "%s: empty", path);
    if (!status) {
        status = w_header_vocab(vocab, header, err);
        if (status)
            status = w_fail_at(err, status, "%s", path);
    }
    w_reader_close(&reader);
    return status;
}

enum w_status w_vocab_open(struct w_vocab **vocab, const char *path, struct w_err *err)
{
    struct w_input in = {0};
    u8 first = 0;
    size_t got;

    *vocab = NULL;
    enum w_status status = w_input_open(&in, path, err);
    if (status)
        return status;
    bool seekable = in.seekable;
    if (seekable) /* without moving: standard input is read again, from the same byte */
        status = w_input_read_at(&in, in.start, &first, 1, &got, err);
    if (!status && first == STREAM_BEGINS) {
        status = from_stream(vocab, &in, path, err);
        w_input_close(&in);
        return status;
    }
    w_input_close(&in);
    if (!status)
        status = w_vocab_load(vocab, path, err);
    return status == W_CORRUPT || status == W_LIMIT ? hint(seekable, err) : status;
}
