/* fuzz_safetensors.c - any bytes as model.safetensors, or, where they begin with {, as the
 * config.json beside it. A model that is accepted is written again, and must come back with the
 * same weights. */
#include "tests/fuzz/sample_folder.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed);

static const struct w_exchange_format *const format = &w_exchange_formats[1];
static struct sample_file files[] = {{.name = "model.safetensors"}, {.name = "config.json"}};

/* Nobody finds a model by chance: begin with a whole one. */
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed)
{
    const struct sample_file *file = &files[seed % 2];

    make_sample_folder(format, W_WEIGHT_F16, files, W_COUNTOF(files));
    if (size >= 16)
        return LLVMFuzzerMutate(data, size, room);
    size = W_MIN(file->size, room);
    memcpy(data, file->bytes, size);
    return size;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    make_sample_folder(format, W_WEIGHT_F16, files, W_COUNTOF(files));
    read_sample_folder(format, &files[size > 0 && bytes[0] == '{'], bytes, size);
    return 0;
}
