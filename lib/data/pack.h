/* pack.h - documents to sequences: cut the tokens for training into sequences of one length. What
 * belongs to a token beside its id (columns.h) goes along with it. Those for validation pass to
 * batches of their own, in the same reading.
 *
 * Documents follow each other directly, each ended by the end id. Sequence k has the ids kT to kT +
 * T: T inputs, and the same moved by one as targets, so that neighbours share an id and every id
 * but the first is a target once. Documents for validation are left out before the cutting. Ids at
 * the end that fill no sequence are dropped. */
#ifndef W_PACK_H
#define W_PACK_H

#include "data/parts.h"
#include "data/validation.h"

struct w_pack_options {
    u64 length;        /* T */
    u64 shard, shards; /* give only the sequences k with k % shards == shard */
    /* takes the tokens for validation, and stays the caller's; NULL: they are left out */
    struct w_validation *validation;
};

/* Tokens and documents that were read, for training and for validation; the last document may lack
 * its end id, and is not counted then. */
struct w_pack_counts {
    u64 tokens[2], documents[2]; /* [1]: for validation */
    u64 sequences;               /* cut from those for training, for all shards */
};

struct w_pack;

/* Reads the parts of a corpus; both stay the caller's. W_NOMEM. */
enum w_status w_pack_new(struct w_pack **, struct w_corpus *, struct w_parts *,
                         const struct w_pack_options *, struct w_err *) W_MUST_CHECK;
void w_pack_free(struct w_pack *); /* accepts NULL */

/* Bytes of a sequence: T + 1 tokens. */
size_t w_pack_sequence_bytes(const struct w_pack *);
/* The columns of its tokens, each a plane of T + 1. */
const struct w_columns *w_pack_columns(const struct w_pack *);
/* The next sequence, or NULL to leave it out; W_END when no whole one is left; else as
 * w_parts_next() and w_validation_add(). */
enum w_status w_pack_next(struct w_pack *, u8 *sequence, struct w_err *) W_MUST_CHECK;
const struct w_pack_counts *w_pack_counts(const struct w_pack *);

#endif
