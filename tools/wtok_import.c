/* wtok import - vocabularies of other programs. */
#include <stdlib.h>
#include <string.h>

#include "text/vocab_formats.h"
#include "tools/wtok.h"

enum format { AUTO, HF, GPT2, TIKTOKEN, GGUF };

struct settings {
    const char *output, *split, *end;
    u32 format; /* enum format */
};

static const struct w_option options[] = {
    {"format", 'f', W_OPT_CHOICE, AT(format), "FORMAT", "auto",
     .choices = "auto|hf|gpt2|tiktoken|gguf",
     .help = "What the file is: tokenizer.json, vocab.json with merges.txt, .tiktoken, or a GGUF "
             "model; auto looks at its first bytes."},
    {"output", 'o', W_OPT_TEXT, AT(output), "FILE",
     .help = "Write the vocabulary to FILE, which appears when it is complete. Default: standard "
             "output."},
    {"split", 0, W_OPT_TEXT, AT(split), "RULE",
     .help =
         "How text is split into words, where the file does not say it or to overrule it: gpt2, "
         "cl100k, qwen2 or smollm."},
    {"end", 0, W_OPT_TEXT, AT(end), "NAME",
     .help =
         "The special token that ends documents; a new one, if none has this name. Default: what "
         "the file says, or <|endoftext|> and the like."},
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

const struct w_program wtok_import_program = {
    "wtok import",
    "take over a vocabulary of another program",
    "FILE [MERGES]",
    "Reads a vocabulary that another program uses and writes one that gives the same ids. A "
    "vocabulary that changes text, or splits it in a way unknown here, is refused.",
    options,
    examples,
};

/* ---- what a file is ---- */

/* In vocab.json the first member is a token and its number; in tokenizer.json it is something else. */
static bool begins_with_token(const char *text, size_t size)
{
    size_t i = 0;

    while (i < size && text[i] != '"')
        i++;
    for (i++; i < size && text[i] != '"'; i++)
        i += text[i] == '\\';
    for (i++; i < size && strchr(" \t\r\n:", text[i]);)
        i++;
    return i < size && text[i] >= '0' && text[i] <= '9';
}

static enum format format_of(const char *text, size_t size)
{
    size_t i = 0;

    if (size >= 4 && !memcmp(text, "GGUF", 4))
        return GGUF;
    while (i < size && strchr(" \t\r\n", text[i]))
        i++;
    if (i == size || text[i] != '{')
        return TIKTOKEN;
    return begins_with_token(text + i, size - i) ? GPT2 : HF;
}

static enum w_status look_at(const char *path, enum format *format, struct w_err *err)
{
    struct w_input in = {0};
    char head[4096];
    size_t got = 0;

    enum w_status status = w_input_open(&in, path, err);
    if (status)
        return status;
    if (in.seekable)
        status = w_input_read(&in, head, sizeof head, &got, err);
    else
        status =
            w_fail(err, W_USAGE,
                   "%s: a pipe cannot be looked at first: say what it is with --format", in.name);
    if (!status)
        *format = format_of(head, got);
    w_input_close(&in);
    return status;
}

/* ---- reading ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static enum w_status import_gguf(struct w_vocab **vocab, const char *path,
                                 const struct w_import_options *import, struct w_err *err)
{
    struct w_input in = {0};

    enum w_status status = w_input_open(&in, path, err);
    if (!status)
        status = w_vocab_read_gguf(vocab, &in, import, err);
    w_input_close(&in);
    return status;
}

/* A text, and for vocab.json a second one, whichever of them was named first. */
static enum w_status import_texts(struct w_vocab **vocab, enum format format, char **paths,
                                  int count, const struct w_import_options *import,
                                  struct w_err *err)
{
    char *texts[2] = {NULL};
    size_t sizes[2] = {0};
    enum w_status status = W_DONE;

    for (int i = 0; i < count && !status; i++)
        status = w_input_slurp(paths[i], W_VOCAB_FILE_BYTES_MAX, &texts[i], &sizes[i], err);
    if (!status && format == HF) {
        status = w_vocab_read_hf(vocab, texts[0], sizes[0], import, err);
    } else if (!status && format == TIKTOKEN) {
        status = w_vocab_read_tiktoken(vocab, texts[0], sizes[0], base_name(paths[0]), import, err);
    } else if (!status) {
        int first = format_of(texts[0], sizes[0]) == TIKTOKEN; /* merges.txt looks like that */
        status = w_vocab_read_gpt2(vocab, texts[first], sizes[first], texts[!first], sizes[!first],
                                   import, err);
    }
    free(texts[0]);
    free(texts[1]);
    return status;
}

static enum w_status import_files(struct w_vocab **vocab, const struct settings *set, char **paths,
                                  int count, struct w_err *err)
{
    struct w_import_options import = {.has_split = set->split != NULL, .end = set->end};
    enum format format = set->format;
    enum w_status status = W_DONE;

    if (set->split && !w_split_find(set->split, &import.split))
        return w_fail(err, W_USAGE, "--split %.40s: the rules are " W_SPLIT_NAMES, set->split);
    if (count == 2 && format == AUTO)
        format = GPT2;
    if (format == AUTO)
        status = look_at(paths[0], &format, err);
    if (!status && (count == 2) != (format == GPT2))
        status = w_fail(err, W_USAGE,
                        "vocab.json goes with merges.txt: name both; other vocabularies are one "
                        "file");
    if (status)
        return status;
    status = format == GGUF ? import_gguf(vocab, paths[0], &import, err)
                            : import_texts(vocab, format, paths, count, &import, err);
    return status && status != W_IO ? w_fail_at(err, status, "%s", paths[0]) : status;
}

static enum w_status run(const struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct w_vocab *vocab = NULL;

    if (argc < 1 || argc > 2)
        return w_fail(err, W_USAGE, "name one vocabulary, or vocab.json and merges.txt");
    enum w_status status = set->end ? wtok_check_end(set->end, err) : W_DONE;
    if (!status)
        status = import_files(&vocab, set, argv, argc, err);
    if (!status)
        status = w_vocab_save(vocab, set->output, err);
    if (!status) {
        u32 size;
        const u8 *end = w_vocab_bytes(vocab, w_vocab_end_id(vocab), &size);
        w_say("%u ids, %u merges, %u special tokens, split as %s; documents end with %.*s (%u)",
              w_vocab_size(vocab), w_vocab_merge_count(vocab), w_vocab_special_count(vocab),
              w_split_name(w_vocab_split(vocab)), (int)size, (const char *)end,
              w_vocab_end_id(vocab));
    }
    w_vocab_free(vocab);
    return status;
}

int wtok_import(int argc, char **argv)
{
    struct settings set = {0};
    struct w_err err = {0};
    int stop = w_cli_parse(&wtok_import_program, &set, &argc, &argv);

    return stop ? stop - 1 : w_cli_finish(run(&set, argc, argv, &err), &err);
}
