/* wtok.h - what the commands of wtok share. */
#ifndef W_WTOK_H
#define W_WTOK_H

#include "text/document.h"
#include "text/vocab.h"
#include "tools/cli.h"

#define WTOK_BY "wtok " W_VERSION_TEXT

extern const struct w_program wtok_train_program, wtok_encode_program, wtok_decode_program,
    wtok_info_program, wtok_import_program, wtok_export_program;
int wtok_train(int argc, char **argv);
int wtok_encode(int argc, char **argv);
int wtok_decode(int argc, char **argv);
int wtok_info(int argc, char **argv);
int wtok_import(int argc, char **argv);
int wtok_export(int argc, char **argv);

/* Options about the text that is read, for a command whose settings have this as member `input`. */
struct wtok_input {
    u32 format; /* enum w_format */
    const char *field;
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
     .help = "What the text is: a document a file, a document a line, WikiExtractor's <doc> "      \
             "blocks, or JSON Lines; auto looks at the first bytes of each file."},                \
    {                                                                                              \
        "field", 0, W_OPT_TEXT, offsetof(settings, input.field), "NAME", "text",                   \
            .help = "With JSON Lines: the member that is the text."                                \
    }

/* Text from operands, for a splitting rule and names of special tokens to look for (or NULL); counts and shows what has been read. */
struct wtok_reader {
    struct w_file_list files;
    struct w_documents *documents;
    u64 bytes; /* that there are to read; 0: unknown */
    double started_s;
};
enum w_status wtok_reader_open(struct wtok_reader *, const struct wtok_input *, enum w_split,
                               const struct w_specials *, int argc, char **argv,
                               struct w_err *) W_MUST_CHECK;
void wtok_reader_progress(const struct wtok_reader *, const char *doing, bool last);
void wtok_reader_close(struct wtok_reader *);

/* W_SIGNAL once a signal has told the program to stop. Asked again behind the last input, so that what
 * was stopped is not said to be done. */
enum w_status wtok_check_signal(struct w_err *) W_MUST_CHECK;

/* Refuse a name for the token that ends documents which no vocabulary can have: bytes are tokens. */
enum w_status wtok_check_end(const char *end, struct w_err *) W_MUST_CHECK;

#endif
