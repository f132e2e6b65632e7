/* fuzz_gguf.c - any bytes as a GGUF file. A model that is accepted is written again, and must come
 * back with the same weights and vocabulary. */
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/sample_model.h"

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed);

/* Nobody finds a model by chance: begin with a whole one. */
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t room, unsigned seed)
{
    struct w_weights w = {0};

    if (size >= 16)
        return LLVMFuzzerMutate(data, size, room);
    sample_weights(&w, seed % 2 ? 32 : 2);
    if (w_exchange_write(&w, &w_exchange_formats[0], seed % 2 ? W_WEIGHT_Q8_0 : W_WEIGHT_F32,
                         sample_path(), NULL, NULL))
        abort();
    u8 *bytes = bytes_of_file(sample_path(), &size);
    size = W_MIN(size, room);
    memcpy(data, bytes, size);
    free(bytes);
    unlink(sample_path());
    w_weights_release(&w);
    return size;
}

/* What is written may be refused (a vocabulary that GGUF cannot say), but not come back as
 * something else. */
static void check_again(const struct w_weights *w)
{
    struct w_weights again = {0};
    struct w_err err = {0};

    if (!w_exchange_write(w, &w_exchange_formats[0], W_WEIGHT_F32, sample_path(), NULL, &err)) {
        if (w_exchange_read(&again, sample_path(), true, NULL, &err) || !same_weights(w, &again) ||
            !w->tok != !again.tok)
            abort();
    } else if (!err.text[0]) {
        abort();
    }
    unlink(sample_path());
    w_weights_release(&again);
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    struct memory_file file;
    struct w_weights w = {0};
    struct w_err err = {0};

    memory_file_open(&file, bytes, size);
    enum w_status status = w_exchange_read(&w, file.path, true, NULL, &err);
    if (status && (!err.text[0] || w_exit_code(status) == 0))
        abort();
    if (!status)
        check_again(&w);
    w_weights_release(&w);
    memory_file_close(&file);
    return 0;
}
