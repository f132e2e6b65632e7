/* token_header.h - what the header of a stream says of its ids: where they are in a record, their
 * width, their vocabulary, which of them ends documents, the columns of counts that go with them,
 * and which of them are padding. Streams of tokens and of batches have all of these, "vocab", "eot"
 * and "tok" of wstream(5); a model has the vocabulary, "tok".
 *
 *     struct w_token_header said;
 *     w_token_header_read(&said, header);
 *     for (u64 i = 0; i < count; i++, records += said.record_bytes)
 *         for (u64 k = 0; k < said.ids; k++)
 *             use(w_id_at(records + said.ids_at, said.id_bytes, k)); */
#ifndef W_TOKEN_HEADER_H
#define W_TOKEN_HEADER_H

#include <float.h>
#include <string.h>

#include "wire/stream.h"

#define W_NOT_SAID UINT64_MAX

struct w_token_header {
    u32 id_bytes; /* of an id, little-endian: 2 or 4; 0: the records hold no ids */
    u64 ids;      /* in a record: 1 of tokens (the first column); of a batch, those of x */
    u64 ids_at;   /* bytes of the record before them */
    u64 record_bytes;
    /* Columns of the counts: for each id an f32, lp, and a list of u8, ctx. */
    u64 features;      /* in the list; 0: no such columns */
    u64 lp_at, ctx_at; /* bytes of the record before them */
    /* Column of a padded batch: how many targets of each sequence are text, a u32. */
    u64 sequences;  /* B; 0: no padding */
    u64 targets_at; /* bytes of the record before it */
    u64 vocab;      /* every id is below it; W_NOT_SAID */
    u64 eot;        /* the id that ends documents; W_NOT_SAID */
};

/* Read a header; what it lacks becomes 0 or W_NOT_SAID. */
void w_token_header_read(struct w_token_header *, const struct w_header *);
/* Set "vocab" and "eot" in a header that is being built. */
void w_token_header_write(struct w_header *, u64 vocab, u64 eot);

/* The vocabulary in a header, an object that belongs to it; NULL if there is none. */
const struct w_json *w_header_tok(const struct w_header *);
/* Put a vocabulary into a header that is being built; takes it over. */
void w_header_set_tok(struct w_header *, struct w_json *tok);
/* The hash that a vocabulary carries; NULL if it has none or is NULL. */
const char *w_tok_sha256(const struct w_json *tok);
/* W_MISMATCH: both vocabularies have hashes, and these differ. `theirs` belongs to the stream or
 * model that the caller names before the message, `ours` to the batches. */
enum w_status w_tok_same(const struct w_json *ours, const struct w_json *theirs,
                         struct w_err *) W_MUST_CHECK;

/* Bytes of an id in the streams and files that are made with a vocabulary of so many. */
static inline u32 w_id_bytes(u64 vocab)
{
    return vocab <= 65536 ? 2 : 4;
}

/* The id at an index of an array of ids. */
static inline u32 w_id_at(const u8 *ids, u32 id_bytes, u64 index)
{
    return id_bytes == 2 ? w_get16(ids + 2 * index) : w_get32(ids + 4 * index);
}

/* The log-probability, in nats, at an index of a column lp. */
static inline float w_lp_at(const u8 *lp, u64 index)
{
    const u32 bits = w_get32(lp + 4 * index);
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Is a number a log-probability? Not so NaN and the infinities. */
static inline bool w_lp_ok(float lp)
{
    return lp <= 0 && lp >= -FLT_MAX;
}

/* How many targets of a sequence are text, by a record. */
static inline u64 w_targets_at(const struct w_token_header *said, const u8 *record, u64 sequence)
{
    return w_get32(record + said->targets_at + 4 * sequence);
}
/* W_CORRUPT: a sequence of a padded record has more targets than places; `number`: of the record,
 * for the message. */
enum w_status w_targets_check(const struct w_token_header *, const u8 *record, u64 number,
                              struct w_err *) W_MUST_CHECK;

#endif
