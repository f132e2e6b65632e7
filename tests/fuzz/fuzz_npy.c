/* fuzz_npy.c - any bytes as one of the .npy files of a model: the first byte says which. What is
 * accepted is written again, and must come back with the same weights. */
#include "tests/fuzz/sample_folder.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed);

static const struct w_exchange_format *const format = &w_exchange_formats[2];
static struct sample_file files[] = {
    {.name = "wte.weight.npy"},
    {.name = "h.0.attn.c_attn.weight.npy"},
    {.name = "ln_f.bias.npy"},
};

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed)
{
    const size_t which = seed % W_COUNTOF(files);

    make_sample_folder(format, W_WEIGHT_F32, files, W_COUNTOF(files));
    if (size >= 16)
        return LLVMFuzzerMutate(data, size, room);
    size = W_MIN(files[which].size + 1, room);
    data[0] = (u8)which;
    memcpy(data + 1, files[which].bytes, size - 1);
    return size;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    const size_t which = size > 0 ? bytes[0] % W_COUNTOF(files) : 0;

    make_sample_folder(format, W_WEIGHT_F32, files, W_COUNTOF(files));
    read_sample_folder(format, &files[which], bytes + (size > 0), size - (size > 0));
    return 0;
}
