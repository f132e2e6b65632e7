/* pack.h - documents to sequences: cut the tokens of a corpus into sequences of one length. What
 * belongs to a token beside its id (columns.h) goes along with it.
 *
 * Documents follow each other directly, each ended by the end id. Sequence k has the ids kT to kT +
 * T: T inputs, and the same moved by one as targets, so that neighbours share an id and every id
 * but the first is a target once. Documents of the other part of the split are left out before the
 * cutting. Ids at the end that fill no sequence are dropped. */
#ifndef W_PACK_H
#define W_PACK_H

#include "data/corpus.h"

enum w_subset { W_SUBSET_TRAIN, W_SUBSET_VAL, W_SUBSET_ALL };

struct w_pack_options {
    u64 length;          /* T */
    enum w_subset part;  /* which documents */
    double val_fraction; /* share of the documents that are for validation */
    u64 split_seed;
    u64 shard, shards; /* give only the sequences k with k % shards == shard */
};

struct w_pack_counts {
    u64 tokens, documents;           /* read */
    u64 part_tokens, part_documents; /* of those, of the part asked for */
    u64 sequences;                   /* cut from the part, for all shards */
};

struct w_pack;

/* Reads from the corpus, which stays the caller's. W_NOMEM. */
enum w_status w_pack_new(struct w_pack **, struct w_corpus *, const struct w_pack_options *,
                         struct w_err *) W_MUST_CHECK;
void w_pack_free(struct w_pack *); /* accepts NULL */

/* Bytes of a sequence: T + 1 tokens. */
size_t w_pack_sequence_bytes(const struct w_pack *);
/* The columns of its tokens, each a plane of T + 1. */
const struct w_columns *w_pack_columns(const struct w_pack *);
/* The next sequence; W_END when no whole one is left; else as w_corpus_read(). */
enum w_status w_pack_next(struct w_pack *, u8 *sequence, struct w_err *) W_MUST_CHECK;
const struct w_pack_counts *w_pack_counts(const struct w_pack *);

#endif
