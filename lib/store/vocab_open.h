/* vocab_open.h - the vocabulary in a file: a vocabulary file (text/vocab.h), or a stream or a model
 * that has one in its header.
 *
 * It is here and not in lib/text because headers belong to lib/wire; text/vocab_import.h reads
 * those of other programs. */
#ifndef W_VOCAB_OPEN_H
#define W_VOCAB_OPEN_H

#include "text/vocab.h"
#include "wire/stream.h"

/* From a pipe, whose first byte cannot be read twice, only a vocabulary file is accepted.
 * W_MISMATCH: a stream without one; W_CORRUPT or W_LIMIT: not a vocabulary of ours; W_TRUNCATED: an
 * empty stream; else as reading and w_vocab_from_json(). *vocab is NULL after a failure, else the
 * caller's. */
enum w_status w_vocab_open(struct w_vocab **vocab, const char *path, struct w_err *) W_MUST_CHECK;

/* The vocabulary in the header of a stream; W_MISMATCH if there is none; else as
 * w_vocab_from_json(). */
enum w_status w_header_vocab(struct w_vocab **vocab, const struct w_header *,
                             struct w_err *) W_MUST_CHECK;

#endif
