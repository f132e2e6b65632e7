/* fuzz_safetensors.c - any bytes as model.safetensors, or, where they begin with {, as the config.json
 * beside it. A model that is accepted is written again, and must come back with the same weights. */
#include "tests/fuzz/sample_model.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed);

static const struct w_exchange_format *const format = &w_exchange_formats[1];
static char folder[80], again_folder[96];
static u8 *model, *config; /* of the sample */
static size_t model_size, config_size;

/* A whole folder, once. */
static void make_sample(void)
{
    struct w_weights w = {0};
    char path[128];

    if (model)
        return;
    snprintf(folder, sizeof folder, "%s", sample_path());
    snprintf(again_folder, sizeof again_folder, "%s.again", folder);
    remove_sample(folder);
    sample_weights(&w, 2);
    if (w_exchange_write(&w, format, W_WEIGHT_F16, folder, NULL, NULL))
        abort();
    w_weights_release(&w);
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    model = bytes_of_file(path, &model_size);
    snprintf(path, sizeof path, "%s/config.json", folder);
    config = bytes_of_file(path, &config_size);
    snprintf(path, sizeof path, "%s/tokenizer.json", folder);
    unlink(path);
}

/* Nobody finds a model by chance: begin with a whole one. */
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed)
{
    make_sample();
    if (size >= 16)
        return LLVMFuzzerMutate(data, size, room);
    size = W_MIN(seed % 2 ? config_size : model_size, room);
    memcpy(data, seed % 2 ? config : model, size);
    return size;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    struct w_weights w = {0}, again = {0};
    struct w_err err = {0};

    make_sample();
    const bool is_config = size > 0 && bytes[0] == '{';
    put_file(folder, "config.json", is_config ? bytes : config, is_config ? size : config_size);
    put_file(folder, "model.safetensors", is_config ? model : bytes, is_config ? model_size : size);
    const enum w_status status = w_exchange_read(&w, folder, true, NULL, &err);
    if (status && (!err.text[0] || w_exit_code(status) == 0))
        abort();
    if (!status &&
        (w_exchange_write(&w, format, W_WEIGHT_F32, again_folder, NULL, &err) ||
         w_exchange_read(&again, again_folder, true, NULL, &err) || !same_weights(&w, &again)))
        abort();
    remove_sample(again_folder);
    w_weights_release(&w);
    w_weights_release(&again);
    return 0;
}
