/* wtok_words.h - the first half of wtok train: text, or words that were counted before, to
 * counts. */
#ifndef W_WTOK_WORDS_H
#define W_WTOK_WORDS_H

#include "text/word_count.h"
#include "tools/wtok.h"

struct wtok_words_options {
    const struct wtok_input *input;
    enum w_split split;
    u32 threads;
    u32 max_words;          /* when there are more different ones, the rarest are pruned */
    const char *outputs[2]; /* files that will be written; NULL: none */
    bool counts; /* the operands are words and their counts, {"word":, "count":} a line */
};

struct wtok_words {
    struct w_word_count total;
    struct w_pruned pruned;
    u64 documents, text_bytes; /* that were counted */
    double seconds;
};

/* Read the operands. words->total is the caller's to release, whatever the status: that of
 * wtok_reader_open() or w_documents_next(), W_CORRUPT for a wrong line of counts, W_LIMIT for 2^64
 * occurrences, W_SIGNAL, W_NOMEM. */
enum w_status wtok_words_count(struct wtok_words *words, const struct wtok_words_options *options,
                               int argc, char **argv, struct w_err *err) W_MUST_CHECK;

#endif
