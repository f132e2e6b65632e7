/* wtok export - vocabularies for other programs. */
#include <stdlib.h>
#include <string.h>

#include "store/vocab_open.h"
#include "text/vocab_formats.h"
#include "tools/wtok.h"

enum format { HF, GPT2, TIKTOKEN };

struct settings {
    const char *vocab, *output, *merges;
    u32 format; /* enum format */
};

static const struct w_option options[] = {
    {"vocab", 'V', W_OPT_TEXT, AT(vocab), "FILE",
     .help =
         "The vocabulary: a file of wtok train or import, or a token stream or model that holds "
         "one."},
    {"format", 'f', W_OPT_CHOICE, AT(format), "FORMAT", "hf", .choices = "hf|gpt2|tiktoken",
     .help = "Format to write: tokenizer.json, vocab.json with merges.txt, or .tiktoken."},
    {"output", 'o', W_OPT_TEXT, AT(output), "FILE", .output = true,
     .help = "Write to FILE, which appears when it is complete. Default: standard output."},
    {"merges", 0, W_OPT_TEXT, AT(merges), "FILE", .output = true,
     .help = "With gpt2: the file for the merges."},
    {0},
};

static const char *const examples[] = {
    "For Hugging Face tokenizers and transformers",
    "wtok export -V wiki.vocab -o tokenizer.json",
    "The two files of GPT-2's format",
    "wtok export -V wiki.vocab -f gpt2 -o vocab.json --merges merges.txt",
    "Ranks for tiktoken, from the vocabulary inside a model",
    "wtok export -V wiki.wts -f tiktoken -o wiki.tiktoken",
    NULL,
};

static enum w_status write_text(const struct w_vocab *vocab, enum format format,
                                struct w_draft *text, struct w_draft *merges, struct w_err *err)
{
    switch (format) {
    case GPT2: return w_vocab_write_gpt2(vocab, text, merges, err);
    case TIKTOKEN: return w_vocab_write_tiktoken(vocab, text, err);
    default: return w_vocab_write_hf(vocab, text, err);
    }
}

/* Both files or none: neither appears before both are written completely. */
static enum w_status write_files(const struct settings *set, const struct w_draft *text,
                                 const struct w_draft *merges, struct w_err *err)
{
    struct w_output out = {.fd = -1}, merges_out = {.fd = -1};

    enum w_status status = w_output_open(&out, set->output, err);
    if (!status && set->merges)
        status = w_output_open(&merges_out, set->merges, err);
    if (!status)
        status = w_output_write(&out, text->bytes, text->count, err);
    if (!status && set->merges)
        status = w_output_write(&merges_out, merges->bytes, merges->count, err);
    if (!status)
        status = w_output_commit(&merges_out, err);
    if (!status)
        status = w_output_commit(&out, err);
    w_output_abort(&merges_out);
    w_output_abort(&out);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct w_vocab *vocab = NULL;
    struct w_draft text = {0}, merges = {0};

    (void)argv;
    if (argc > 0)
        return w_fail(err, W_USAGE, "name the vocabulary with -V FILE and the output with -o FILE");
    if (!set->vocab)
        return w_fail(err, W_USAGE, "say which vocabulary: -V FILE");
    if ((set->format == GPT2) != (set->merges != NULL))
        return w_fail(err, W_USAGE,
                      "--merges FILE goes with the format gpt2, which is two files, and with no "
                      "other");
    enum w_status status = set->merges ? w_cli_refuse_same(set->output, set->merges, err) : W_DONE;
    if (!status)
        status = w_vocab_open(&vocab, set->vocab, err);
    if (!status) {
        status = write_text(vocab, set->format, &text, &merges, err);
        if (status)
            status = w_fail_at(err, status, "%s", set->vocab);
    }
    if (!status)
        status = write_files(set, &text, &merges, err);
    if (!status && set->format != HF && w_vocab_nfc(vocab))
        w_warn("this format cannot say that text is in NFC: ids are the same for text that is");
    free(text.bytes);
    free(merges.bytes);
    w_vocab_free(vocab);
    return status;
}

const struct w_program wtok_export_program = {
    "wtok export",
    "write a vocabulary for another program",
    "",
    "Writes a file with which the other program gives any text the same ids, except for names of "
    "special tokens, which it may encode as the tokens, like encode --allow-special. A vocabulary "
    "that the format cannot express exactly is refused, but that text is to be in NFC is said by a "
    "warning where the format has no word for it.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
