/* exchange.h - models of other programs: reading and writing.
 *
 *     gguf         one file of llama.cpp, architecture gpt2, with the vocabulary in it
 *     safetensors  a folder as GPT2LMHeadModel of transformers has it: model.safetensors,
 *                  config.json, tokenizer.json
 *     npy          a folder of NAME.npy, one for each tensor, for numpy; with config.json and
 *                  tokenizer.json as above
 *
 *     w_exchange_read(&weights, "gpt2", true, tell, &err);        // the format is recognised
 *     w_exchange_write(&weights, &w_exchange_formats[0], W_WEIGHT_Q8_0, "gpt2.gguf", tell, &err);
 *
 * The other program computes the same as this one, as far as the type of the weights allows: a
 * model that would compute something else is refused with W_MISMATCH and the reason. What was
 * written, read and written again in the same format and type is the same bytes.
 *
 * Memory for reading is a small multiple of the file's size, whatever the file says. */
#ifndef W_EXCHANGE_H
#define W_EXCHANGE_H

#include "exchange/weight_type.h"
#include "store/weights.h"

/* Called with a line for people about what is not a failure: a warning, or a detail. */
typedef void w_exchange_tell(bool warning, const char *text);

struct w_exchange_format {
    const char *name;
    const char *what; /* a few words */
    bool is_folder;
    u32 types; /* bits 1 << enum w_weight_type that it can hold */
    /* Is a file or folder of this format? W_IO, W_NOMEM: it cannot be read. */
    enum w_status (*look)(const char *path, bool *is_one, struct w_err *);
    /* Both as the functions below. */
    enum w_status (*read)(struct w_weights *, const char *path, bool vocab, w_exchange_tell *,
                          struct w_err *);
    enum w_status (*write)(const struct w_weights *, enum w_weight_type, const char *path,
                           w_exchange_tell *, struct w_err *);
};
#define W_EXCHANGE_FORMAT_NAMES "gguf|safetensors|npy"
extern const struct w_exchange_format w_exchange_formats[]; /* in this order; a NULL name ends it */

/* The format of a file or folder, by what is in it; *format NULL: none of them. W_IO, W_NOMEM: it
 * cannot be read. */
enum w_status w_exchange_look(const struct w_exchange_format **format, const char *path,
                              struct w_err *) W_MUST_CHECK;

/* Read a model. *w, zeros at the call, is to be released, also after a failure. The configuration
 * says what the file does; the keys of training have values to fine-tune with. vocab: its
 * vocabulary is wanted, too. W_MISMATCH: no format, or a model that is none of ours; W_CORRUPT,
 * W_TRUNCATED: damaged, or numbers that are not finite; W_NEWER: another version of the format;
 * W_LIMIT, W_IO, W_NOMEM. */
enum w_status w_exchange_read(struct w_weights *w, const char *path, bool vocab, w_exchange_tell *,
                              struct w_err *) W_MUST_CHECK;
/* Write a model; the file or folder appears when it is complete. W_USAGE: the format cannot hold
 * the type, or a folder of that name exists; W_MISMATCH: the format cannot say what the model is,
 * or a weight is too large for the type; W_CORRUPT: a weight is not finite; W_IO, W_NOMEM. */
enum w_status w_exchange_write(const struct w_weights *w, const struct w_exchange_format *,
                               enum w_weight_type, const char *path, w_exchange_tell *,
                               struct w_err *) W_MUST_CHECK;

#endif
