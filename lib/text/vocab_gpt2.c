/* vocab.json and merges.txt. The former has the ids of tokens in letters (byte_letters.h), special
 * ones included; the latter a line "#version: 0.2" and then a merge a line, by rank. */
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "text/vocab_formats.h"
#include "text/vocab_letters.h"

static enum w_status read_merges(struct w_import *f, const char *text, size_t size,
                                 struct w_err *err)
{
    enum w_status status = W_DONE;
    size_t number = 0, length;
    const char *line;

    for (const char *at = text; !status && w_line_next(&at, text + size, &line, &length);) {
        number++;
        length -= length > 0 && line[length - 1] == '\r';
        bool version = number == 1 && length >= 9 && !memcmp(line, "#version:", 9);
        if (length > 0 && !version)
            status = w_import_merge_line(f, line, length, err);
        if (status)
            status = w_fail_at(err, status, "merges: line %zu", number);
    }
    return status;
}

enum w_status w_vocab_read_gpt2(struct w_vocab **vocab, const char *tokens, size_t tokens_size,
                                const char *merges, size_t merges_size,
                                const struct w_import_options *options, struct w_err *err)
{
    struct w_import f = {0};
    struct w_json *json = NULL;

    *vocab = NULL;
    enum w_status status = w_json_parse_large(&json, tokens, tokens_size, W_VOCAB_VALUES_MAX, err);
    if (!status)
        status = w_import_init(&f, err);
    f.split = options->has_split ? options->split : W_SPLIT_GPT2;
    if (!status)
        status = w_letters_read_vocab(&f, json, W_IMPORT_UNMADE, err);
    if (!status)
        status = read_merges(&f, merges, merges_size, err);
    if (!status)
        status = w_import_finish(&f, options, vocab, err);
    w_import_release(&f);
    w_json_free(json);
    return status;
}

/* This format cannot express that a word that is a token takes no merges. */
enum w_status w_vocab_write_gpt2(const struct w_vocab *v, struct w_draft *tokens,
                                 struct w_draft *merges, struct w_err *err)
{
    const struct w_merge *list = w_vocab_merges(v);

    if (w_vocab_whole_words(v))
        return w_fail(
            err, W_MISMATCH,
            "takes words that are tokens whole, which merges.txt cannot express: export it as "
            "tokenizer.json");
    enum w_status status = w_letters_write_vocab(v, false, tokens, err);
    if (!status)
        status = w_draft_append(tokens, "\n", 1, err);
    if (!status)
        status = w_draft_append(merges, "#version: 0.2\n", 14, err);
    for (u32 i = 0; i < w_vocab_merge_count(v) && !status; i++) {
        status = w_letters_write(v, list[i].left, false, merges, err);
        if (!status)
            status = w_draft_append(merges, " ", 1, err);
        if (!status)
            status = w_letters_write(v, list[i].right, false, merges, err);
        if (!status)
            status = w_draft_append(merges, "\n", 1, err);
    }
    return status;
}
