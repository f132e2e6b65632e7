/* count_keys.h - a set of 64-bit keys: each has the number that says when it came, from 0. */
#ifndef W_COUNT_KEYS_H
#define W_COUNT_KEYS_H

#include "base/status.h"

#define W_COUNT_NO_ENTRY UINT32_MAX

/* A hash table with exact keys below 2^64 - 1. Its slots are kept in the order of their coming, so
 * that clearing costs no more than was entered. */
struct w_count_keys {
    u64 *key;   /* [room] of the table + 1; 0: empty */
    u32 *entry; /* [room] the number of the key */
    u32 *slot;  /* [room / 2] of a number */
    u32 room, count;
};

/* An empty set. To be freed whatever it returns: W_NOMEM. */
enum w_status w_count_keys_new(struct w_count_keys *, struct w_err *) W_MUST_CHECK;
void w_count_keys_free(struct w_count_keys *); /* harmless on zeroes */
void w_count_keys_clear(struct w_count_keys *);

/* The number of a key, or W_COUNT_NO_ENTRY. */
u32 w_count_keys_find(const struct w_count_keys *, u64 key);

/* The number of a key, *fresh if it is a new one. W_NOMEM; W_LIMIT: 2^30 keys. */
enum w_status w_count_keys_enter(struct w_count_keys *, u64 key, u32 *entry, bool *fresh,
                                 struct w_err *) W_MUST_CHECK;

/* The key of a token beside a context. */
static inline u64 w_count_key(u32 context, u32 word)
{
    return (u64)context << 32 | word;
}

#endif
