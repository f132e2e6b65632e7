/* bpe_encode.h - text to ids: split into words, merge inside each, remember the words seen.
 *
 * An encoder is for one thread; it owns its word cache. A long text may come in several calls, cut
 * where w_split_cut() allows it: the ids are those of one call. All functions fail with W_NOMEM
 * alone. */
#ifndef W_BPE_ENCODE_H
#define W_BPE_ENCODE_H

#include "text/vocab.h"

struct w_encoder;

/* The vocabulary has to outlive the encoder. */
enum w_status w_encoder_new(struct w_encoder **, const struct w_vocab *,
                            struct w_err *) W_MUST_CHECK;
void w_encoder_free(struct w_encoder *); /* accepts NULL */

/* A growing array of ids, owned by the caller: start with zeroes, free(ids) at the end. */
struct w_ids {
    u32 *ids;
    size_t count, room;
};

/* Append one id, such as the one that ends documents. */
enum w_status w_ids_append(struct w_ids *, u32 id, struct w_err *) W_MUST_CHECK;

/* Append the ids of a text. Special ids are never among them. */
enum w_status w_encode(struct w_encoder *, const u8 *text, size_t size, struct w_ids *,
                       struct w_err *) W_MUST_CHECK;

#endif
