/* vocab_open.h - the vocabulary of a file, whatever the file is: a vocabulary (text/vocab.h), or a
 * stream or a model that holds one in its header.
 *
 * It stands here and not in lib/text because a header is wire's; vocabularies of other programs are
 * text/vocab_import.h's. */
#ifndef W_VOCAB_OPEN_H
#define W_VOCAB_OPEN_H

#include "text/vocab.h"
#include "wire/stream.h"

/* What comes from a pipe cannot be looked at first: it has to be a vocabulary. W_MISMATCH: a stream
 * without one; W_CORRUPT or W_LIMIT: no vocabulary of ours, W_TRUNCATED: empty; else what reading
 * and w_vocab_from_json() give. *vocab is NULL after a failure, else the caller's. */
enum w_status w_vocab_open(struct w_vocab **vocab, const char *path, struct w_err *) W_MUST_CHECK;

/* The vocabulary in the header of a stream; W_MISMATCH if there is none. */
enum w_status w_header_vocab(struct w_vocab **vocab, const struct w_header *,
                             struct w_err *) W_MUST_CHECK;

#endif
