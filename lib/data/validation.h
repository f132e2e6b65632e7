/* validation.h - batches of the text that is kept for validation: all of it, in its order.
 *
 * Every token is a target once, so that a loss over the stream depends neither on the size of a
 * batch nor on a seed. The end id stands before the first token, as it stands before any other
 * document. The last sequence and the last batch are filled up with end ids; the column "targets"
 * says how many targets of each sequence are text, and what comes after them is padding.
 *
 *     record = targets u32 [B], then the columns of a batch (columns.h)
 *
 *     w_validation_header(&header, facts, &options, &err)     // then more keys, and the writer
 *     w_validation_new(&v, facts, &options, writer, &err)
 *     w_validation_add(v, records, count, &err)               // as often as you like
 *     w_validation_end(v, &err)                               // the last batch */
#ifndef W_VALIDATION_H
#define W_VALIDATION_H

#include "data/corpus.h"

struct w_validation_options {
    u64 batch, length; /* B sequences of T targets */
    u64 shard, shards; /* write only the sequences k with k % shards == shard */
    u64 most;          /* batches at most, what follows is left out; 0: no limit */
};

struct w_validation;

/* Add the columns to the header of batches, and the key that refuses readers which would take the
 * padding for text. Status as w_header_add(). */
enum w_status w_validation_header(struct w_header *, const struct w_corpus_facts *,
                                  const struct w_validation_options *, struct w_err *) W_MUST_CHECK;
/* The writer stays the caller's. W_NOMEM. */
enum w_status w_validation_new(struct w_validation **, const struct w_corpus_facts *,
                               const struct w_validation_options *, struct w_writer *,
                               struct w_err *) W_MUST_CHECK;
void w_validation_free(struct w_validation *); /* accepts NULL */

/* Tokens, as records of the corpus. Status as w_writer_records(). */
enum w_status w_validation_add(struct w_validation *, const u8 *records, u64 count,
                               struct w_err *) W_MUST_CHECK;
/* Fill up and write the last batch. W_MISMATCH: there was no text; else as w_writer_records(). */
enum w_status w_validation_end(struct w_validation *, struct w_err *) W_MUST_CHECK;

#endif
