/* sample_model.h - a small model with a vocabulary, for fuzzers and tests of lib/exchange; and a
 * name to write it to. */
#ifndef W_SAMPLE_MODEL_H
#define W_SAMPLE_MODEL_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "exchange/exchange.h"
#include "sys/fdio.h"
#include "sys/input.h"
#include "sys/folder.h"

/* 259 ids: bytes, "th", "the", the end of a document. The model has one row more. */
static inline struct w_vocab *sample_vocab(void)
{
    static const struct w_merge merges[] = {{'t', 'h'}, {256, 'e'}};
    static const char *const specials[] = {"<|endoftext|>"};
    struct w_vocab *v = NULL;

    if (w_vocab_new(&v, W_SPLIT_GPT2, merges, 2, specials, 1, NULL))
        abort();
    return v;
}

/* width: even. One layer, two heads, three positions. */
static inline void sample_weights(struct w_weights *w, unsigned width)
{
    struct w_rng rng = {.seed = 3};
    struct w_conf conf;
    char text[256];

    const int size = snprintf(text, sizeof text,
                              "{\"d_model\":%u,\"num_heads\":2,\"num_layers\":1,\"d_ff\":4,"
                              "\"vocab_size\":260,\"batch_size\":1,\"max_length\":3,"
                              "\"learning_rate\":0.001}",
                              width);
    if (w_conf_parse(&conf, text, (size_t)size, "sample", NULL) || w_weights_init(w, &conf, NULL))
        abort();
    for (u32 i = 0; i < w->tensors.count; i++)
        for (u64 j = 0; j < w->tensors.rows[i].count; j++)
            w->values[w->tensors.rows[i].offset + j] = (float)w_rng_normal(&rng);
    struct w_vocab *vocab = sample_vocab();
    if (w_weights_set_vocab(w, vocab, NULL))
        abort();
    w_vocab_free(vocab);
}

/* The same shapes and bits? */
static inline bool same_weights(const struct w_weights *a, const struct w_weights *b)
{
    bool same = a->tensors.count == b->tensors.count && a->tensors.floats == b->tensors.floats;

    for (u32 i = 0; same && i < a->tensors.count; i++) {
        const struct w_tensor *x = &a->tensors.rows[i], *y = &b->tensors.rows[i];
        same = !strcmp(x->name, y->name) && x->count == y->count &&
               !memcmp(a->values + x->offset, b->values + y->offset, x->count * sizeof(float));
    }
    return same;
}

/* A name for what is written, of this process; in memory, if there is such a folder, since a file
 * is synced. */
static inline const char *sample_path(void)
{
    static char name[64];

    snprintf(name, sizeof name, "%s/sample_model.%d",
             w_is_missing("/dev/shm") ? "/tmp" : "/dev/shm", (int)getpid());
    return name;
}

static inline enum w_status remove_one(void *folder, const char *name, struct w_err *err)
{
    char path[512];

    (void)err;
    snprintf(path, sizeof path, "%s/%s", (const char *)folder, name);
    unlink(path);
    return W_DONE;
}

static inline void remove_sample(const char *path)
{
    char copy[256];

    snprintf(copy, sizeof copy, "%s", path);
    if (unlink(path) && !w_folder_each(path, remove_one, copy, NULL))
        rmdir(path);
}

/* A file in a folder, replaced. */
static inline void put_file(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, size, f) != size || fclose(f))
        abort();
}

/* A file's bytes, to be freed. */
static inline u8 *bytes_of_file(const char *path, size_t *size)
{
    char *text = NULL;

    if (w_input_slurp(path, 1u << 26, &text, size, NULL))
        abort();
    return (u8 *)text;
}

#endif
