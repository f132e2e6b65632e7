/* add_columns.c - for tests: adds columns of counts to a stream of tokens, with values that say
 * which record they belong to and that no counting would give.
 *
 *     add_columns IN OUT             record i: lp -(i + 1) / 65536, ctx[k] = i * (k + 1), k < 8
 *     add_columns IN OUT RECORD LP   record RECORD has that lp instead
 *
 * Between them is a column that no reader knows. Ends with 0, or 1 and a message. */
#include <stdio.h>
#include <stdlib.h>

#include "wire/token_header.h"

#define FEATURES 8

struct adding {
    struct w_input in;
    struct w_output out;
    struct w_reader *reader;
    struct w_writer *writer;
    struct w_token_header said;
    u64 spoilt;
    float lp;
};

static enum w_status begin(struct adding *a, const struct w_header *from, struct w_err *err)
{
    struct w_header to = {0};
    const u64 features = FEATURES;

    w_token_header_read(&a->said, from);
    enum w_status status = w_header_begin(&to, W_TOKENS, "add_columns", err);
    if (!status)
        status = w_header_add(&to, "tok", from->arrays[0].dtype, 0, NULL, err);
    if (!status)
        status = w_header_add(&to, "lp", W_TYPE_F32, 0, NULL, err);
    if (!status)
        status = w_header_add(&to, "unknown", W_TYPE_I64, 0, NULL, err);
    if (!status)
        status = w_header_add(&to, "ctx", W_TYPE_U8, 1, &features, err);
    if (!status) {
        w_token_header_write(&to, a->said.vocab, a->said.eot);
        w_header_set_tok(&to, w_json_copy(w_header_tok(from)));
        status = w_writer_open(&a->writer, &a->out, &to, &(struct w_write_options){0}, err);
    }
    w_header_free(&to);
    return status;
}

static enum w_status add(struct adding *a, const u8 *record, u64 number, struct w_err *err)
{
    const float lp = number == a->spoilt ? a->lp : -(float)(number + 1) / 65536;
    u8 to[4 + 4 + 8 + FEATURES] = {0}, *at = to + a->said.id_bytes;

    memcpy(to, record + a->said.ids_at, a->said.id_bytes);
    memcpy(at, &lp, sizeof lp);
    for (u32 k = 0; k < FEATURES; k++)
        at[4 + 8 + k] = (u8)(number * (k + 1));
    return w_writer_records(a->writer, to, 1, err);
}

static enum w_status run(struct adding *a, char **argv, struct w_err *err)
{
    const struct w_header *header = NULL;
    const void *records = NULL;
    u64 count, number = 0;

    enum w_status status = w_input_open(&a->in, argv[1], err);
    if (!status)
        status = w_output_open(&a->out, argv[2], err);
    if (!status)
        status = w_reader_open(&a->reader, &a->in, err);
    if (!status)
        status = w_reader_member(a->reader, &header, err);
    if (!status)
        status = begin(a, header, err);
    while (!status && !(status = w_reader_records(a->reader, &records, &count, err)))
        for (u64 i = 0; i < count && !status; i++, number++)
            status = add(a, (const u8 *)records + i * a->said.record_bytes, number, err);
    if (status == W_END)
        status = w_writer_close(&a->writer, NULL, err);
    return status ? status : w_output_commit(&a->out, err);
}

int main(int argc, char **argv)
{
    struct adding a = {.in = {.fd = -1}, .out = {.fd = -1}, .spoilt = UINT64_MAX};
    struct w_err err = {0};

    if (argc != 3 && argc != 5)
        return 2;
    if (argc == 5) {
        a.spoilt = strtoull(argv[3], NULL, 10);
        a.lp = strtof(argv[4], NULL);
    }
    enum w_status status = run(&a, argv, &err);
    if (status)
        fprintf(stderr, "add_columns: %s\n", err.text);
    w_writer_abort(&a.writer, "add_columns", &err);
    w_output_abort(&a.out);
    w_reader_close(&a.reader);
    w_input_close(&a.in);
    return status != W_DONE;
}
