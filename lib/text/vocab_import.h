/* vocab_import.h - a vocabulary of another program from its files, whatever their format is.
 *
 *     struct w_import_options options = {0};
 *     w_vocab_import(&vocab, W_VOCAB_AUTO, paths, 1, &options, &err);
 *
 * For the formats see vocab_formats.h. */
#ifndef W_VOCAB_IMPORT_H
#define W_VOCAB_IMPORT_H

#include "text/import.h"

enum w_vocab_format {
    W_VOCAB_AUTO, /* by the first bytes */
    W_VOCAB_HF,
    W_VOCAB_GPT2, /* two files, in any order */
    W_VOCAB_TIKTOKEN,
    W_VOCAB_GGUF,
};
#define W_VOCAB_FORMAT_NAMES "auto|hf|gpt2|tiktoken|gguf"

/* The format by the first bytes of a file; never AUTO. For merges.txt of GPT-2, TIKTOKEN. */
enum w_vocab_format w_vocab_format_of(const char *head, size_t size);

/* count: 2 for vocab.json and merges.txt, else 1. W_USAGE: the format needs another number of
 * files, or AUTO has to look at a pipe; else fails as the reader of the format does, and with W_IO;
 * messages begin with the name of the file. *vocab is the caller's after success. */
enum w_status w_vocab_import(struct w_vocab **vocab, enum w_vocab_format, char *const *paths,
                             u32 count, const struct w_import_options *,
                             struct w_err *) W_MUST_CHECK;

#endif
