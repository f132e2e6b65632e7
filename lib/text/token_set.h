/* token_set.h - byte strings by number, each once.
 *
 * Shared by vocabularies and the trainer: from the id of a token to its bytes and back. A set of
 * tokens begins with the 256 single bytes; all zeroes are an empty set, for names. */
#ifndef W_TOKEN_SET_H
#define W_TOKEN_SET_H

#include "base/status.h"

/* Limits, so that a small file cannot ask for much memory by doubling tokens. */
#define W_TOKENS_MAX (1u << 24)       /* ids */
#define W_TOKEN_BYTES_MAX 65536u      /* bytes of one token */
#define W_TOKENS_BYTES_MAX (1u << 28) /* bytes of all tokens together */

struct w_token_set {
    u32 count;
    u32 room;
    u32 *offsets; /* count + 1 of them, into bytes */
    u8 *bytes;
    size_t bytes_room;
    u32 *table; /* by hash of the bytes: id + 1, 0 is free; at most half full */
    u64 table_size;
};

/* A set of the 256 bytes. W_NOMEM; to be released in any case. */
enum w_status w_token_set_init(struct w_token_set *, struct w_err *) W_MUST_CHECK;
void w_token_set_release(struct w_token_set *); /* harmless on zeroes */

/* The bytes of id < count. */
static inline const u8 *w_token_bytes(const struct w_token_set *set, u32 id, u32 *size)
{
    *size = set->offsets[id + 1] - set->offsets[id];
    return set->bytes + set->offsets[id];
}

/* The id of a byte string; false if it has none. */
bool w_token_set_find(const struct w_token_set *, const u8 *bytes, size_t size, u32 *id);

/* Add a byte string, or the bytes of two tokens joined, as the next id. W_NO, without a message and
 * without a change, if the set has it already (*twin, which may be NULL, is its id); W_LIMIT beyond
 * the limits above; W_NOMEM. */
enum w_status w_token_set_add(struct w_token_set *, const u8 *bytes, size_t size, u32 *twin,
                              struct w_err *) W_MUST_CHECK;
enum w_status w_token_set_join(struct w_token_set *, u32 left, u32 right, u32 *twin,
                               struct w_err *) W_MUST_CHECK;

#endif
