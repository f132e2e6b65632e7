/* wtok - learn byte-pair vocabularies, turn text into tokens and back. */
#include "tools/wtok.h"

#include <string.h>

#include "base/utf8.h"
#include "sys/clock.h"
#include "sys/file_kind.h"
#include "wire/prov.h"
#include "wire/token_header.h"

static const char *const examples[] = {
    "Learn a vocabulary of 16,000 tokens from a folder of text",
    "wtok train -n 16000 -o wiki.vocab wiki/",
    "Turn text into tokens, and those into batches",
    "wtok encode -V wiki.vocab wiki/ | wbatch -b 8 -T 512 -o wiki.batch",
    "Check that nothing is lost",
    "wtok encode -V wiki.vocab README.md | wtok decode | cmp - README.md",
    NULL,
};

static const struct w_program program = {
    "wtok",
    "learn a vocabulary, turn text into tokens and back",
    "COMMAND",
    "Byte-level byte-pair encoding: every byte string has tokens, and they give it back exactly.",
    .examples = examples,
};

static const struct w_command commands[] = {
    {"train", &wtok_train_program},
    {"encode", &wtok_encode_program},
    {"decode", &wtok_decode_program},
    {"info", &wtok_info_program},
    {"import", &wtok_import_program},
    {"export", &wtok_export_program},
    {"read-ids", &wtok_read_ids_program},
    {"write-ids", &wtok_write_ids_program},
    {0},
};

int main(int argc, char **argv)
{
    return w_cli_main(&program, commands, NULL, argc, argv);
}

/* ---- shared by the commands ---- */

enum w_status wtok_reader_open(struct wtok_reader *r, const struct wtok_reading *how, int argc,
                               char **argv, struct w_err *err)
{
    const struct wtok_input *input = how->input;
    enum w_status status = W_DONE;

    *r = (struct wtok_reader){.started_s = w_now_s()};
    if (argc == 0)
        status = w_cli_refuse_typing("name files or folders of text, or pipe text in", err);
    if (!status)
        status = w_file_list_make(&r->files, argv, (size_t)argc, err);
    for (size_t i = 0; i < W_COUNTOF(how->outputs) && !status; i++)
        status = w_file_list_mark_output(&r->files, how->outputs[i], err);
    struct w_document_options options = {.files = &r->files,
                                         .format = (enum w_format)input->format,
                                         .field = input->field,
                                         .binary = input->binary,
                                         .threads = how->threads + 1, /* the main one waits */
                                         .split = how->split,
                                         .nfc = how->nfc,
                                         .specials = how->specials,
                                         .document_bytes_max = input->doc_cap,
                                         .text_bytes_max = input->max_bytes};
    if (!status && r->files.sized)
        r->bytes = input->max_bytes ? W_MIN(input->max_bytes, r->files.bytes) : r->files.bytes;
    if (!status)
        status = w_documents_open(&r->documents, &options, err);
    return status;
}

void wtok_reader_say_files(const struct wtok_reader *r)
{
    const struct w_kind_counts *doubtful = w_documents_doubtful(r->documents);
    char names[512];

    w_warn_left_out(w_documents_left_out(r->documents));
    w_kind_counts_list(doubtful, names, sizeof names);
    if (doubtful->files)
        w_warn("%llu %s no plain text, and taken as it is: %s", (unsigned long long)doubtful->files,
               doubtful->files == 1 ? "file is" : "files are", names);
}

void wtok_reader_progress(const struct wtok_reader *r, const char *verb, bool last)
{
    w_progress_of(last, &(struct w_task){.verb = verb,
                                         .unit = "MB",
                                         .done = (double)w_documents_bytes(r->documents) / 1e6,
                                         .all = (double)r->bytes / 1e6,
                                         .seconds = w_now_s() - r->started_s,
                                         .digits = 1});
}

void wtok_reader_close(struct wtok_reader *r)
{
    w_documents_close(&r->documents);
    w_file_list_release(&r->files);
}

enum w_status wtok_writer_open(struct w_writer **writer, struct w_output *out,
                               const struct w_vocab *vocab, const struct w_writing *writing,
                               u64 threads, struct w_err *err)
{
    const struct w_write_options options = w_cli_write_options(writing, threads);
    const u32 ids = w_vocab_size(vocab);
    struct w_header header = {0};

    enum w_status status = w_header_begin(&header, W_TOKENS, WTOK_BY, err);
    if (!status)
        status = w_header_add(&header, "tok", w_id_bytes(ids) == 2 ? W_TYPE_U16 : W_TYPE_U32, 0,
                              NULL, err);
    if (!status) {
        w_token_header_write(&header, ids, w_vocab_eot_id(vocab));
        w_header_set_tok(&header, w_vocab_json(vocab));
        if (!writing->no_provenance)
            status = w_prov_add(&header, w_cli_provenance(), NULL, err);
    }
    if (!status)
        status = w_writer_open(writer, out, &header, &options, err);
    w_header_free(&header);
    return status;
}

enum w_status wtok_writer_close(struct w_writer **writer, const struct wtok_totals *totals,
                                struct w_err *err)
{
    struct w_json *stats = w_json_object();

    if (!stats)
        return w_fail(err, W_NOMEM, "no memory for the end frame");
    w_json_set_u64(stats, "docs", totals->documents);
    w_json_set_u64(stats, "max", totals->max);
    w_json_set_u64(stats, "text_bytes", totals->text_bytes);
    enum w_status status = w_writer_close(writer, stats, err);
    w_json_free(stats);
    return status;
}

enum w_status wtok_check_end(const char *end, struct w_err *err)
{
    size_t size = strlen(end);

    return size >= 2 && w_utf8_valid((const u8 *)end, size)
               ? W_DONE
               : w_fail(err, W_USAGE, "--end: a name is valid UTF-8 of two bytes or more");
}
