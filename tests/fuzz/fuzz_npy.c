/* fuzz_npy.c - any bytes as one of the .npy files of a model: the first byte says which. What is
 * accepted is written again, and must come back with the same weights. */
#include "tests/fuzz/sample_model.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed);

static const struct w_exchange_format *const format = &w_exchange_formats[2];
static char folder[80], again_folder[96];
static const char *const names[] = {"wte.weight.npy", "h.0.attn.c_attn.weight.npy",
                                    "ln_f.bias.npy"};
static u8 *files[W_COUNTOF(names)]; /* of the sample */
static size_t sizes[W_COUNTOF(names)];

/* A whole folder, once. */
static void make_sample(void)
{
    struct w_weights w = {0};
    char path[128];

    if (files[0])
        return;
    snprintf(folder, sizeof folder, "%s", sample_path());
    snprintf(again_folder, sizeof again_folder, "%s.again", folder);
    remove_sample(folder);
    sample_weights(&w, 2);
    if (w_exchange_write(&w, format, W_WEIGHT_F32, folder, NULL, NULL))
        abort();
    w_weights_release(&w);
    for (size_t i = 0; i < W_COUNTOF(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        files[i] = bytes_of_file(path, &sizes[i]);
    }
    snprintf(path, sizeof path, "%s/tokenizer.json", folder);
    unlink(path);
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed)
{
    const size_t which = seed % W_COUNTOF(names);

    make_sample();
    if (size >= 16)
        return LLVMFuzzerMutate(data, size, room);
    size = W_MIN(sizes[which] + 1, room);
    data[0] = (u8)which;
    memcpy(data + 1, files[which], size - 1);
    return size;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    struct w_weights w = {0}, again = {0};
    struct w_err err = {0};

    make_sample();
    const size_t which = size > 0 ? bytes[0] % W_COUNTOF(names) : 0;
    put_file(folder, names[which], bytes + (size > 0), size - (size > 0));
    const enum w_status status = w_exchange_read(&w, folder, true, NULL, &err);
    if (status && (!err.text[0] || w_exit_code(status) == 0))
        abort();
    if (!status &&
        (w_exchange_write(&w, format, W_WEIGHT_F32, again_folder, NULL, &err) ||
         w_exchange_read(&again, again_folder, true, NULL, &err) || !same_weights(&w, &again)))
        abort();
    put_file(folder, names[which], files[which], sizes[which]);
    remove_sample(again_folder);
    w_weights_release(&w);
    w_weights_release(&again);
    return 0;
}
