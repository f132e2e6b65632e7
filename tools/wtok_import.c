/* wtok import - vocabularies of other programs. */
#include "text/vocab_import.h"
#include "tools/wtok.h"

struct settings {
    const char *output, *split, *end;
    u32 format;     /* enum w_vocab_format */
    u32 normalizer; /* enum normalizer */
};

enum normalizer { KEEP, NONE };

static const struct w_option options[] = {
    {"format", 'f', W_OPT_CHOICE, AT(format), "FORMAT", "auto", .choices = W_VOCAB_FORMAT_NAMES,
     .help = "Format of the file: tokenizer.json, vocab.json with merges.txt, .tiktoken, or a GGUF "
             "model; auto looks at its first bytes."},
    {"output", 'o', W_OPT_TEXT, AT(output), "FILE", .output = true,
     .help = "Write the vocabulary to FILE, which appears when it is complete. Default: standard "
             "output."},
    {"split", 0, W_OPT_TEXT, AT(split), "RULE",
     .help = "How text is split into words, if the file does not say so or to override it: gpt2, "
             "cl100k, qwen2, smollm, o200k, deepseek or falcon."},
    {"normalizer", 0, W_OPT_CHOICE, AT(normalizer), "WHAT", "keep", .choices = "keep|none",
     .help =
         "With keep, a vocabulary whose text is to be in NFC is taken with that: its text is "
         "normalised wherever it is encoded. One that changes text otherwise is refused. With none "
         "both are taken without that: ids are those of the other program for text that it would "
         "not change."},
    {"end", 0, W_OPT_TEXT, AT(end), "NAME",
     .help =
         "The special token that ends documents; it is added if the file has none of this name. "
         "Default: the one that the file names, or <|endoftext|> and the like."},
    {0},
};

static const char *const examples[] = {
    "From Hugging Face",
    "wtok import -o gpt2.vocab tokenizer.json",
    "From the two files that GPT-2 came with",
    "wtok import -o gpt2.vocab vocab.json merges.txt",
    "From a model of llama.cpp, of which only the head is read",
    "wtok import -o qwen.vocab qwen2-0.5b.gguf",
    NULL,
};

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct w_import_options import = {
        .has_split = set->split != NULL, .no_normalizer = set->normalizer == NONE, .end = set->end};
    struct w_vocab *vocab = NULL;

    if (argc < 1 || argc > 2)
        return w_fail(err, W_USAGE, "name one vocabulary, or vocab.json and merges.txt");
    enum w_status status = set->end ? wtok_check_end(set->end, err) : W_DONE;
    if (!status && set->split && !w_split_find(set->split, &import.split))
        status = w_fail(err, W_USAGE, "--split %.40s: the rules are " W_SPLIT_NAMES, set->split);
    if (!status)
        status = w_vocab_import(&vocab, set->format, argv, (u32)argc, &import, err);
    if (!status)
        status = w_vocab_save(vocab, set->output, err);
    if (!status) {
        u32 size;
        const u8 *end = w_vocab_bytes(vocab, w_vocab_eot_id(vocab), &size);
        w_say("%u ids, %u merges, %u special tokens, split as %s%s; documents end with %.*s (%u)",
              w_vocab_size(vocab), w_vocab_merge_count(vocab), w_vocab_special_count(vocab),
              w_split_name(w_vocab_split(vocab)), w_vocab_nfc(vocab) ? ", text in NFC" : "",
              (int)size, (const char *)end, w_vocab_eot_id(vocab));
    }
    w_vocab_free(vocab);
    return status;
}

const struct w_program wtok_import_program = {
    "wtok import",
    "read a vocabulary of another program",
    "FILE [MERGES]",
    "Reads the vocabulary of another program and writes one that gives the same ids. A "
    "vocabulary that changes or splits text in a way unknown here is refused.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
