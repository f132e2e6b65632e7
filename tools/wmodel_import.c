/* wmodel import - models of other programs. */
#include "store/vocab_open.h"
#include "tools/wmodel.h"

struct settings {
    const char *output, *vocab;
};

static const struct w_option options[] = {
    WMODEL_OUTPUT_OPTION,
    {"vocab", 'V', W_OPT_TEXT, AT(vocab), "FILE",
     .help = "Take this vocabulary in place of that of the model; 'wtok import' makes one."},
    {0},
};

static const char *const examples[] = {
    "A folder with model.safetensors, config.json and tokenizer.json",
    "wmodel import -o gpt2.wts gpt2/",
    "A model of llama.cpp",
    "wmodel import -o gpt2.wts gpt2.Q8_0.gguf",
    NULL,
};

static enum w_status set_vocab(struct w_weights *w, const char *path, struct w_err *err)
{
    struct w_vocab *vocab = NULL;

    enum w_status status = w_vocab_open(&vocab, path, err);
    if (!status)
        status = w_weights_set_vocab(w, vocab, err);
    w_vocab_free(vocab);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct w_weights w = {0};

    enum w_status status = wmodel_one(argc, err);
    if (!status)
        status = wmodel_need_output(set->output, err);
    if (!status)
        status = w_exchange_read(&w, argv[0], !set->vocab, wmodel_tell, err);
    if (!status && set->vocab)
        status = set_vocab(&w, set->vocab, err);
    if (!status)
        status = wmodel_save(&w, set->output, err);
    w_weights_release(&w);
    return status;
}

const struct w_program wmodel_import_program = {
    "wmodel import",
    "read a model of another program",
    "MODEL",
    "Reads a GGUF file, or a folder with safetensors or .npy files, of GPT-2's architecture, and "
    "writes a model for wsample and wtrain --init. A model that would compute something else here "
    "is refused with the reason.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
