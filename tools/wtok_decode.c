/* wtok decode - a stream of tokens or batches to text. */
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
    {"separator", 0, W_OPT_TEXT, AT(separator), "TEXT",
     .help =
         "Write TEXT where a document ends, or of batches a sequence. Without it, the bytes are "
         "exactly those of the documents, and sequences end with a newline."},
    {0},
};

static const char *const examples[] = {
    "The text of a stream",
    "wtok decode wiki.tok | less",
    "What a model is shown",
    "wbatch -c small.json wiki.tok | wtok decode | head -3",
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

    if (header->kind != W_TOKENS && header->kind != W_BATCH)
        return w_fail(err, W_MISMATCH, "%s: holds %s, neither tokens nor batches", d->in.name,
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

/* What a member holds: of a batch, sequences of `length` ids. */
struct member {
    const struct w_vocab *vocab;
    struct w_token_header said;
    u64 sequences, length; /* in a record; tokens: 1 and 1 */
    bool batch;
};

static enum w_status decode_id(struct decoding *d, const struct member *m, u32 id, u64 record,
                               struct w_err *err)
{
    u32 size;
    const u8 *bytes = w_vocab_bytes(m->vocab, id, &size);

    if (!bytes)
        return w_fail(err, W_CORRUPT, "%s: record %llu: id %u is not in the vocabulary of %u",
                      d->in.name, (unsigned long long)record, id, w_vocab_size(m->vocab));
    return append(d, bytes, size, err);
}

static enum w_status end_text(struct decoding *d, const char *usual, struct w_err *err)
{
    const char *end = d->set->separator ? d->set->separator : usual;

    return append(d, (const u8 *)end, strlen(end), err);
}

static enum w_status decode_token(struct decoding *d, const struct member *m, const u8 *record,
                                  u64 number, struct w_err *err)
{
    const u32 id = w_id_at(record + m->said.ids_at, m->said.id_bytes, 0);

    return id == w_vocab_eot_id(m->vocab) ? end_text(d, "", err) : decode_id(d, m, id, number, err);
}

/* As a model sees it: with the name of the id that ends documents, and without padding. */
static enum w_status decode_batch(struct decoding *d, const struct member *m, const u8 *record,
                                  u64 number, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (u64 b = 0; b < m->sequences && !status; b++) {
        const u64 targets = m->said.sequences ? w_targets_at(&m->said, record, b) : m->length - 1;
        const u64 ids = targets ? W_MIN(targets + 1, m->length) : 0;
        for (u64 i = 0; i < ids && !status; i++) {
            const u64 at = b * m->length + i;
            status = decode_id(d, m, w_id_at(record + m->said.ids_at, m->said.id_bytes, at), number,
                               err);
        }
        if (!status && ids)
            status = end_text(d, "\n", err);
    }
    return status;
}

/* Write the text of some records; `first` is the number of the first one. */
static enum w_status decode_records(struct decoding *d, const struct member *m, const u8 *records,
                                    u64 count, u64 first, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (u64 i = 0; i < count && !status; i++) {
        const u8 *record = records + i * m->said.record_bytes;
        status = m->batch ? decode_batch(d, m, record, first + i, err)
                          : decode_token(d, m, record, first + i, err);
    }
    if (!status)
        status = flush(d, err);
    w_progress(false, "decoded %.1f million tokens",
               (double)((first + count) * m->sequences * m->length) / 1e6);
    return status;
}

static enum w_status decode_member(struct decoding *d, struct w_reader *reader,
                                   const struct w_header *header, struct w_err *err)
{
    struct member m = {.sequences = 1, .length = 1, .batch = header->kind == W_BATCH};
    const struct w_array *x = w_header_find(header, "x");
    const void *records;
    u64 count, done = 0;

    w_token_header_read(&m.said, header);
    enum w_status status = choose_vocab(d, header, &m.vocab, err);
    if (!status && m.batch && (!x || x->ndim != 2 || m.said.id_bytes == 0))
        status = w_fail(err, W_MISMATCH, "%s: a batch without ids", d->in.name);
    else if (!status && m.batch)
        m.sequences = x->shape[0], m.length = x->shape[1];
    while (!status) {
        status = w_signals_check(err);
        if (!status)
            status = w_reader_records(reader, &records, &count, err);
        if (!status)
            status = decode_records(d, &m, records, count, done, err);
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
    w_signals_catch();
    if (!status)
        status = w_output_open(&d.out, set->output, err);
    if (!status && argc == 0)
        status = decode_file(&d, NULL, err);
    for (int i = 0; i < argc && !status; i++)
        status = decode_file(&d, argv[i], err);
    if (!status)
        status = w_signals_check(err);
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
    "turn a stream of tokens or batches into text",
    "[TOKENS ...]",
    "Reads streams of tokens or batches (standard input, if no file is named) and writes the bytes "
    "of their tokens.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
