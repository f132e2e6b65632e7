/* wmodel export - models for other programs. */
#include "tools/wmodel.h"

struct settings {
    const char *output;
    u32 format, type; /* index into w_exchange_formats; enum w_weight_type */
};

static const struct w_option options[] = {
    {"format", 'f', W_OPT_CHOICE, AT(format), "FORMAT", "gguf", .choices = W_EXCHANGE_FORMAT_NAMES,
     .help = "What to write: a file for llama.cpp, a folder for transformers (GPT2LMHeadModel), or "
             "a folder of arrays for numpy."},
    {"type", 0, W_OPT_CHOICE, AT(type), "TYPE", "f32", .choices = W_WEIGHT_TYPE_NAMES,
     .help = "Type of the weights. In GGUF norms, biases and positions stay f32, and rows that are "
             "no multiple of 32 are f16 where q8_0 is chosen."},
    {"output", 'o', W_OPT_TEXT, AT(output), "FILE", .output = true,
     .help = "The file or folder to write, which appears when it is complete. A folder must not "
             "exist yet."},
    {0},
};

static const char *const examples[] = {
    "For llama.cpp and programs made of it, in 8 bits",
    "wmodel export -f gguf --type q8_0 -o wiki.gguf wiki.wts",
    "For transformers, from_pretrained(\"wiki-hf\")",
    "wmodel export -f safetensors -o wiki-hf wiki.wts",
    NULL,
};

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct w_weights w = {0};

    enum w_status status = wmodel_one(argc, err);
    if (!status && !set->output)
        status = w_fail(err, W_USAGE, "say where to write: -o FILE");
    if (!status)
        status = wmodel_load(&w, argv[0], NULL, err);
    if (!status)
        status = w_exchange_write(&w, &w_exchange_formats[set->format], set->type, set->output,
                                  wmodel_tell, err);
    w_weights_release(&w);
    return status;
}

const struct w_program wmodel_export_program = {
    "wmodel export",
    "write a model for another program",
    "MODEL",
    "The other program computes the same as wsample, as far as the type of the weights allows. "
    "What the format cannot say is refused or told.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
