/* columns.h - what belongs to a token: its id, and where the tokens were counted, the
 * log-probability lp and the features ctx that the counts give it. In a token stream they lie
 * together in a record; in a sequence, and in a batch, each column is a plane of its own, in the
 * order that wstream(5) gives a batch: falling element sizes.
 *
 *     sequence = lp f32 [T + 1], x u16 [T + 1], ctx u8 [T + 1, F]
 *     batch    = lp f32 [B, T + 1], x u16 [B, T + 1], ctx u8 [B, T + 1, F] */
#ifndef W_COLUMNS_H
#define W_COLUMNS_H

#include "wire/token_header.h"

#define W_COLUMNS_MAX 3

struct w_column {
    const char *name; /* in a batch */
    enum w_type dtype;
    u64 features; /* its further dimension; 0: one number */
    u64 bytes;    /* of a token */
    u64 at;       /* bytes of the token's record before it */
};

struct w_columns {
    u32 count;
    u64 token_bytes; /* of all columns together */
    struct w_column column[W_COLUMNS_MAX];
};

/* The columns of a token stream that go into batches; others are left out. */
void w_columns_read(struct w_columns *, const struct w_token_header *);
/* Do both have the same ones, also at the same places? */
bool w_columns_same(const struct w_columns *, const struct w_columns *);
/* Add them to the header of batches of B sequences of `room` tokens. Status as w_header_add(). */
enum w_status w_columns_add(const struct w_columns *, struct w_header *, u64 batch, u64 room,
                            struct w_err *) W_MUST_CHECK;

/* Copy n tokens from records of `record_bytes` to the places `from` to `from` + n of a sequence
 * with `room` places. */
void w_columns_gather(const struct w_columns *, u8 *sequence, u64 room, u64 from, const u8 *records,
                      u64 record_bytes, u64 n);
/* Copy the last token of a sequence to its place 0. */
void w_columns_carry(const struct w_columns *, u8 *sequence, u64 room);
/* Copy a sequence to row `row` of a batch of B. */
void w_columns_put(const struct w_columns *, u8 *batch, u64 rows, u64 row, const u8 *sequence,
                   u64 room);

#endif
