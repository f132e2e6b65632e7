/* origin.h - which batches a stream holds, whoever wrote them: what decides their records, and how
 * far along them a reader is. A run that is resumed compares both with those of its checkpoint.
 *
 * An origin is a JSON object, made of the header of a batch stream: the vocabulary, the text, the
 * seed, and what else decides the records; no command line, no compression, no number of epochs. */
#ifndef W_ORIGIN_H
#define W_ORIGIN_H

#include "wire/stream.h"

/* A place among the batches of an origin, whatever frames and members they come in. */
struct w_batch_place {
    u64 pos; /* batches before it, from batch 0 of the origin on */
    u32 crc; /* CRC-32 of the bytes of their records */
};

/* The place where a stream begins: batch 0, unless its header has "start" and "start_crc". */
struct w_batch_place w_origin_start(const struct w_header *);
/* The same in a header that is being built. */
void w_origin_set_start(struct w_header *, struct w_batch_place);

/* The caller owns it. A lack of memory shows when it is written, see sys/json.h. */
struct w_json *w_origin_make(const struct w_header *);
/* W_MISMATCH: they differ, with the first difference and both its values; what one of them does not
 * say is no difference. W_NOMEM. */
enum w_status w_origin_same(const struct w_json *now, const struct w_json *before,
                            struct w_err *) W_MUST_CHECK;

#endif
