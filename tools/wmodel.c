/* wmodel - models as files: what is in them, to other programs and from them. */
#include "sys/fdio.h"
#include "tools/wmodel.h"

static const char *const examples[] = {
    "What is in a model",
    "wmodel info wiki.wts",
    "For llama.cpp, in 8 bits",
    "wmodel export -f gguf --type q8_0 -o wiki.gguf wiki.wts",
    "A model of another program, to be trained further",
    "wmodel import -o gpt2.wts gpt2/",
    NULL,
};

static const struct w_program program = {
    "wmodel",
    "describe models, and exchange them with other programs",
    "COMMAND",
    "A model is a file of wtrain, a GGUF file, or a folder with safetensors or .npy files.",
    .examples = examples,
};

static const struct w_command commands[] = {
    {"info", &wmodel_info_program},     {"export", &wmodel_export_program},
    {"import", &wmodel_import_program}, {"average", &wmodel_average_program},
    {"strip", &wmodel_strip_program},   {"positions", &wmodel_positions_program},
    {"ids", &wmodel_ids_program},       {0},
};

int main(int argc, char **argv)
{
    return w_cli_main(&program, commands, NULL, argc, argv);
}

/* ---- shared by the commands ---- */

void wmodel_tell(bool warning, const char *text)
{
    if (warning)
        w_warn("%s", text);
    else
        w_say("%s", text);
}

enum w_status wmodel_one(int argc, struct w_err *err)
{
    return argc == 1 ? W_DONE : w_fail(err, W_USAGE, "name one model");
}

enum w_status wmodel_need_output(const char *output, struct w_err *err)
{
    return output ? W_DONE : w_fail(err, W_USAGE, "say where to write: -o MODEL.wts");
}

enum w_status wmodel_load(struct w_weights *w, const char *path,
                          const struct w_exchange_format **format, struct w_err *err)
{
    const struct w_exchange_format *found = NULL;

    enum w_status status = w_exchange_look(&found, path, err);
    if (status)
        return status;
    if (format)
        *format = found;
    /* Of a folder that is no model it says what is missing. */
    return found || w_path_kind(path) == W_PATH_FOLDER
               ? w_exchange_read(w, path, true, wmodel_tell, err)
               : w_weights_load(w, path, err);
}

enum w_status wmodel_save(const struct w_weights *w, const char *path, struct w_err *err)
{
    enum w_status status = w_weights_save(w, path, WMODEL_BY, true, err);

    if (!status)
        w_say("%.4g million parameters, %llu ids, %llu positions%s",
              (double)w->tensors.parameters / 1e6, (unsigned long long)w->conf.vocab_size,
              (unsigned long long)w->conf.max_length, w->tok ? "" : ", no vocabulary");
    return status;
}
