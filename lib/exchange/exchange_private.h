/* exchange_private.h - what the files of lib/exchange share. */
#ifndef W_EXCHANGE_PRIVATE_H
#define W_EXCHANGE_PRIVATE_H

#include "exchange/exchange.h"

#define W_LAYER_NORM_EPSILON 1e-5 /* that of the kernels (kern/kern.h) */

/* The formats, one file each. */
enum w_status w_gguf_look(const char *path, bool *is_one, struct w_err *) W_MUST_CHECK;
enum w_status w_gguf_read(struct w_weights *, const char *path, bool vocab, w_exchange_tell *,
                          struct w_err *) W_MUST_CHECK;
enum w_status w_gguf_write(const struct w_weights *, enum w_weight_type, const char *path,
                           w_exchange_tell *, struct w_err *) W_MUST_CHECK;
enum w_status w_safetensors_look(const char *path, bool *is_one, struct w_err *) W_MUST_CHECK;
enum w_status w_safetensors_read(struct w_weights *, const char *path, bool vocab,
                                 w_exchange_tell *, struct w_err *) W_MUST_CHECK;
enum w_status w_safetensors_write(const struct w_weights *, enum w_weight_type, const char *path,
                                  w_exchange_tell *, struct w_err *) W_MUST_CHECK;
enum w_status w_npy_look(const char *path, bool *is_one, struct w_err *) W_MUST_CHECK;
enum w_status w_npy_read(struct w_weights *, const char *path, bool vocab, w_exchange_tell *,
                         struct w_err *) W_MUST_CHECK;
enum w_status w_npy_write(const struct w_weights *, enum w_weight_type, const char *path,
                          w_exchange_tell *, struct w_err *) W_MUST_CHECK;

/* A line to `tell`, which may be NULL. */
void w_exchange_say(w_exchange_tell *tell, bool warning, const char *format, ...) W_PRINTF(3, 4);

/* The shape of a model of GPT-2's family, as files say it. */
struct w_gpt2_shape {
    u64 width, heads, layers, hidden, vocab, positions;
    double epsilon; /* of the norms */
};
/* Make the configuration: of the shape, with values to fine-tune with. W_MISMATCH: it is none that
 * can be here, with the reason. */
enum w_status w_gpt2_conf(struct w_conf *, const struct w_gpt2_shape *,
                          struct w_err *) W_MUST_CHECK;

/* Do other programs know this tensor? They know none of the gate of counts. */
bool w_gpt2_has(const struct w_tensor *);

/* As w_weights_vocab(), and w_weights_check_vocab(). */
enum w_status w_exchange_vocab(const struct w_weights *, struct w_vocab **,
                               struct w_err *) W_MUST_CHECK;
/* Writes numbers of one tensor, converted, piece by piece. W_MISMATCH: too large for the type; else
 * as w_output_write(). turned: its columns as rows. */
struct w_output;
enum w_status w_exchange_write_tensor(struct w_output *, const struct w_weights *,
                                      const struct w_tensor *, enum w_weight_type, bool turned,
                                      struct w_err *) W_MUST_CHECK;

#endif
