/* wtok.h - shared by the commands of wtok. */
#ifndef W_WTOK_H
#define W_WTOK_H

#include "text/document.h"
#include "text/vocab.h"
#include "tools/cli.h"

#define WTOK_BY "wtok " W_VERSION_TEXT

extern const struct w_program wtok_train_program, wtok_encode_program, wtok_decode_program,
    wtok_info_program, wtok_import_program, wtok_export_program, wtok_read_ids_program,
    wtok_write_ids_program;

/* Options about the input text, for a command whose settings have this as member `input`. */
struct wtok_input {
    u32 format; /* enum w_format */
    const char *field;
    bool binary;
    u64 doc_cap, max_bytes; /* of each document, of all text; 0: no limit */
};
#define WTOK_INPUT_OPTIONS(settings)                                                               \
    {"format",                                                                                     \
     'f',                                                                                          \
     W_OPT_CHOICE,                                                                                 \
     offsetof(settings, input.format),                                                             \
     "FORMAT",                                                                                     \
     "auto",                                                                                       \
     .choices = "auto|plain|lines|wiki|jsonl",                                                     \
     .help = "Format of the text: one document a file, one a line, WikiExtractor's <doc> blocks, " \
             "or JSON Lines; auto looks at the first bytes of each file."},                        \
        {"binary", 0, W_OPT_FLAG, offsetof(settings, input.binary),                                \
         .help =                                                                                   \
             "Take every file as it is, byte for byte: nothing is decompressed, and what is not "  \
             "text is taken too."},                                                                \
    {                                                                                              \
        "field", 0, W_OPT_TEXT, offsetof(settings, input.field), "NAME", "text",                   \
            .help = "With JSON Lines: the member that is the text."                                \
    }

/* Text from operands, with progress. */
struct wtok_reader {
    struct w_file_list files;
    struct w_documents *documents;
    u64 bytes; /* to read in all; 0: unknown */
    double started_s;
};
struct wtok_reading {
    const struct wtok_input *input;
    enum w_split split;
    bool nfc;                          /* normalise the text */
    const struct w_specials *specials; /* to look for, or NULL */
    u32 threads;                       /* that work on the text; as many may unpack it */
    const char *outputs[2];            /* files that will be written: NULL: none */
};
/* To be closed whatever it returns: W_USAGE where it would read a terminal or an output; else it
 * fails as w_file_list_make() and w_documents_open(). */
enum w_status wtok_reader_open(struct wtok_reader *, const struct wtok_reading *, int argc,
                               char **argv, struct w_err *) W_MUST_CHECK;
/* Warn of files that were left out, and of those that are no plain text. */
void wtok_reader_say_files(const struct wtok_reader *);
void wtok_reader_progress(const struct wtok_reader *, const char *verb, bool last);
void wtok_reader_close(struct wtok_reader *);

/* Begin a stream of tokens, whose header carries the vocabulary. threads: that work beside. Fails
 * as w_writer_open(). */
enum w_status wtok_writer_open(struct w_writer **, struct w_output *out, const struct w_vocab *,
                               const struct w_writing *, u64 threads, struct w_err *) W_MUST_CHECK;
/* What the end of the stream says of it; fails as w_writer_close(). */
struct wtok_totals {
    u64 documents, text_bytes;
    u32 max; /* the largest id */
};
enum w_status wtok_writer_close(struct w_writer **, const struct wtok_totals *,
                                struct w_err *) W_MUST_CHECK;

/* W_USAGE for a name that the token that ends documents cannot have: no UTF-8, or a single byte. */
enum w_status wtok_check_end(const char *end, struct w_err *) W_MUST_CHECK;

#endif
