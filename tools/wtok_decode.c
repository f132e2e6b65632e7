/* wtok decode - a stream of tokens to text. */
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "store/vocab_open.h"
#include "tools/wtok.h"
#include "wire/token_header.h"

#define TEXT_BYTES ((size_t)1 << 20) /* gathered before they are written */

struct settings {
    const char *vocab, *output, *separator;
};

static const struct w_option options[] = {
    {"vocab", 'V', W_OPT_TEXT, AT(vocab), "FILE",
     .help = "The vocabulary. Default: the one in the stream; another one is refused."},
    {"output", 'o', W_OPT_TEXT, AT(output), "FILE", .output = true,
     .help = "Write to FILE, which appears when it is complete. Default: standard output."},
    {"separator", 0, W_OPT_TEXT, AT(separator), "TEXT", "",
     .help = "Write TEXT where a document ends. Without it, the bytes are exactly those of the "
             "documents."},
    {0},
};

static const char *const examples[] = {
    "The text of a stream",
    "wtok decode wiki.tok | less",
    "A document a line, of documents without newlines",
    "wtok encode -V wiki.vocab -f lines names.txt | wtok decode --separator $'\\n'",
    NULL,
};

struct decoding {
    const struct settings *set;
    struct w_vocab *given, *own; /* from -V; from the present stream */
    struct w_input in;
    struct w_output out;
    u8 *text; /* not yet written */
    size_t size, room;
};

static enum w_status flush(struct decoding *d, struct w_err *err)
{
    size_t size = d->size;

    d->size = 0;
    return w_output_write(&d->out, d->text, size, err);
}

/* Text is written in chunks of TEXT_BYTES: a compressed frame of a few hundred bytes can hold
 * millions of records, each of the longest token. */
static enum w_status append(struct decoding *d, const u8 *bytes, size_t size, struct w_err *err)
{
    enum w_status status = w_grow(&d->text, &d->room, d->size + size, 1, "bytes of text", err);

    if (status)
        return status;
    memcpy(d->text + d->size, bytes, size);
    d->size += size;
    return d->size < TEXT_BYTES ? W_DONE : flush(d, err);
}

/* The vocabulary of a member: the given one, if it is the same, else its own. */
static enum w_status choose_vocab(struct decoding *d, const struct w_header *header,
                                  const struct w_vocab **vocab, struct w_err *err)
{
    const char *sha256 = w_tok_sha256(w_header_tok(header));

    if (header->kind != W_TOKENS)
        return w_fail(err, W_MISMATCH, "%s: holds %s, not tokens", d->in.name,
                      w_kind_name(header->kind));
    *vocab = d->given;
    if (d->given) {
        if (sha256 && strcmp(sha256, w_vocab_sha256(d->given)))
            return w_fail(err, W_MISMATCH,
                          "%s: made with the vocabulary of sha256 %.16s, but %s is %.16s",
                          d->in.name, sha256, d->set->vocab, w_vocab_sha256(d->given));
        return W_DONE;
    }
    w_vocab_free(d->own);
    enum w_status status = w_header_vocab(&d->own, header, err);
    *vocab = d->own;
    return status ? w_fail_at(err, status, "%s", d->in.name) : W_DONE;
}

/* Write the text of some records; `first` is the number of the first one. */
static enum w_status decode_records(struct decoding *d, const struct w_vocab *vocab,
                                    const struct w_token_header *said, const u8 *records, u64 count,
                                    u64 first, struct w_err *err)
{
    enum w_status status = W_DONE;
    u32 eot_id = w_vocab_eot_id(vocab), size;

    for (u64 i = 0; i < count && !status; i++) {
        u32 id = w_id_at(records + i * said->record_bytes + said->ids_at, said->id_bytes, 0);
        const u8 *bytes = w_vocab_bytes(vocab, id, &size);
        if (!bytes)
            status = w_fail(err, W_CORRUPT, "%s: record %llu: id %u is not in the vocabulary of %u",
                            d->in.name, (unsigned long long)(first + i), id, w_vocab_size(vocab));
        else if (id == eot_id)
            status = append(d, (const u8 *)d->set->separator, strlen(d->set->separator), err);
        else
            status = append(d, bytes, size, err);
    }
    if (!status)
        status = flush(d, err);
    w_progress(false, "decoded %.1f million tokens", (double)(first + count) / 1e6);
    return status;
}

static enum w_status decode_member(struct decoding *d, struct w_reader *reader,
                                   const struct w_header *header, struct w_err *err)
{
    const struct w_vocab *vocab = NULL;
    const void *records;
    u64 count, done = 0;
    struct w_token_header said;

    w_token_header_read(&said, header);
    enum w_status status = choose_vocab(d, header, &vocab, err);
    while (!status) {
        status = w_cli_check_signal(err);
        if (!status)
            status = w_reader_records(reader, &records, &count, err);
        if (!status)
            status = decode_records(d, vocab, &said, records, count, done, err);
        done += status ? 0 : count;
    }
    return status == W_END ? W_DONE : status;
}

static enum w_status decode_file(struct decoding *d, const char *path, struct w_err *err)
{
    struct w_reader *reader = NULL;
    const struct w_header *header;
    u64 members = 0;

    enum w_status status = w_input_open(&d->in, path, err);
    if (status)
        return status;
    status = w_reader_open(&reader, &d->in, err);
    while (!status) {
        status = w_reader_member(reader, &header, err);
        if (!status)
            status = decode_member(d, reader, header, err), members++;
    }
    if (status == W_END)
        status = members ? W_DONE
                         : w_fail(err, W_TRUNCATED, "%s: empty: no stream of tokens", d->in.name);
    w_reader_close(&reader);
    w_input_close(&d->in);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct decoding d = {.set = set, .out = {.fd = -1}};
    enum w_status status = W_DONE;

    if (argc == 0)
        status = w_cli_refuse_typing("name a token stream, or pipe one in: wtok encode ... |", err);
    if (!status && set->vocab)
        status = w_vocab_open(&d.given, set->vocab, err);
    w_cli_catch_signals();
    if (!status)
        status = w_output_open(&d.out, set->output, err);
    if (!status && argc == 0)
        status = decode_file(&d, NULL, err);
    for (int i = 0; i < argc && !status; i++)
        status = decode_file(&d, argv[i], err);
    if (!status)
        status = w_cli_check_signal(err);
    if (!status)
        status = w_output_commit(&d.out, err);
    w_output_abort(&d.out);
    w_vocab_free(d.given);
    w_vocab_free(d.own);
    free(d.text);
    return status;
}

const struct w_program wtok_decode_program = {
    "wtok decode",
    "turn a stream of tokens into text",
    "[TOKENS ...]",
    "Reads token streams (standard input, if no file is named) and writes the bytes of their "
    "tokens.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
