/* sample_folder.h - the sample model as a folder, one file of which a fuzzer replaces by its
 * bytes. */
#ifndef W_SAMPLE_FOLDER_H
#define W_SAMPLE_FOLDER_H

#include "tests/fuzz/sample_model.h"

/* A file of the folder, by its name, and its bytes in the sample. */
struct sample_file {
    const char *name;
    u8 *bytes;
    size_t size;
};

static char sample_folder[80];

/* Write the folder, without a vocabulary, and take the bytes of the files; the first call alone
 * does. */
static inline void make_sample_folder(const struct w_exchange_format *format,
                                      enum w_weight_type type, struct sample_file *files,
                                      size_t count)
{
    struct w_weights w = {0};
    char path[128];

    if (sample_folder[0])
        return;
    snprintf(sample_folder, sizeof sample_folder, "%s", sample_path());
    remove_sample(sample_folder);
    sample_weights(&w, 2);
    if (w_exchange_write(&w, format, type, sample_folder, NULL, NULL))
        abort();
    w_weights_release(&w);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", sample_folder, files[i].name);
        files[i].bytes = bytes_of_file(path, &files[i].size);
    }
    snprintf(path, sizeof path, "%s/tokenizer.json", sample_folder);
    unlink(path);
}

/* Read the folder with other bytes in a file of it. What is refused has a reason; what is accepted
 * is written again, and must come back with the same weights. */
static inline void read_sample_folder(const struct w_exchange_format *format,
                                      const struct sample_file *file, const u8 *bytes, size_t size)
{
    struct w_weights w = {0}, again = {0};
    struct w_err err = {0};
    char again_folder[96];

    snprintf(again_folder, sizeof again_folder, "%s.again", sample_folder);
    put_file(sample_folder, file->name, bytes, size);
    const enum w_status status = w_exchange_read(&w, sample_folder, true, NULL, &err);
    if (status && (!err.text[0] || w_exit_code(status) == 0))
        abort();
    if (!status &&
        (w_exchange_write(&w, format, W_WEIGHT_F32, again_folder, NULL, &err) ||
         w_exchange_read(&again, again_folder, true, NULL, &err) || !same_weights(&w, &again)))
        abort();
    put_file(sample_folder, file->name, file->bytes, file->size);
    remove_sample(again_folder);
    w_weights_release(&w);
    w_weights_release(&again);
}

#endif
