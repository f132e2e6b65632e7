/* word_cache.h - the ids of words that were merged before. Nearly every word of a text is one of
 * those, so this table and the splitter decide the speed of encoding.
 *
 * A word of at most 15 bytes is found in a table of slots of 32 bytes, two of which share a cache
 * line: its bytes, its length and up to 4 ids, so that a lookup touches that line alone. Longer
 * words and lists of more ids are in a pool, which is emptied when it is full.
 *
 *     key = w_word_key(word, size, left)              // size <= W_WORD_KEY_BYTES
 *     set = w_word_cache_set(cache, &key)             // ask for its memory: __builtin_prefetch()
 *     ...
 *     slot = w_word_cache_find(set, &key)             // NULL: not there
 *     ids = slot->ids                         // or w_word_pooled(cache, slot, &count), if
 *                                             // w_word_slot_count(slot) is too large
 *
 * Lookups compare all bytes of a word, not only a hash of them. */
#ifndef W_WORD_CACHE_H
#define W_WORD_CACHE_H

#include "base/hash.h"
#include "base/status.h"

#define W_WORD_KEY_BYTES 15      /* of the longest word that has a key */
#define W_WORD_SLOT_IDS 4        /* most ids in a slot */
#define W_WORD_POOLED_BYTES 1024 /* of the longest word in the pool */

/* The word's bytes, little-endian, padded with zeroes; its length is in bits 56 to 59 of `high`. */
struct w_word_key {
    u64 low, high;
};

/* `high` also has the number of ids, in bits 60 to 63: 0 in a free slot. More than W_WORD_SLOT_IDS
 * means that the ids are in the pool. */
struct w_word_slot {
    u64 low, high;
    u32 ids[W_WORD_SLOT_IDS];
};

struct w_word_cache {
    struct w_word_slot *slots;
    struct w_pool_place *places; /* of words in the pool that have no slot */
    u32 *pool;
    u32 pool_used, pool_age; /* in units of 4 bytes; how often it was emptied */
};

/* Fails with W_NOMEM. */
enum w_status w_word_cache_init(struct w_word_cache *, struct w_err *) W_MUST_CHECK;
void w_word_cache_release(struct w_word_cache *); /* harmless on zeroes */

#define W_WORD_CACHE_BITS 19 /* log2 of its slots */

/* The key of a word of 1 to W_WORD_KEY_BYTES bytes; `left` bytes can be read from it on. */
static inline struct w_word_key w_word_key(const u8 *word, size_t size, size_t left)
{
    u64 key[2];

    w_short_key(key, word, size, left);
    return (struct w_word_key){.low = key[0], .high = key[1] | (u64)size << 56};
}

/* The first of the two slots where a key may be. */
static inline struct w_word_slot *w_word_cache_set(const struct w_word_cache *cache,
                                                   const struct w_word_key *key)
{
    u64 hash = key->low * W_GOLDEN + key->high * 0xC2B2AE3D27D4EB4Full;

    return cache->slots + (hash >> (64 - W_WORD_CACHE_BITS) & ~1ull);
}

/* The slot with a key, or NULL. */
static inline const struct w_word_slot *w_word_cache_find(const struct w_word_slot *set,
                                                          const struct w_word_key *key)
{
    set += set[1].low == key->low && (set[1].high ^ key->high) << 4 == 0;
    return set->low == key->low && (set->high ^ key->high) << 4 == 0 ? set : NULL;
}

static inline size_t w_word_slot_count(const struct w_word_slot *slot)
{
    return slot->high >> 60;
}

/* The ids in the pool that a slot refers to; NULL if the pool has been emptied since. Valid until a
 * word is added. */
const u32 *w_word_pooled(const struct w_word_cache *, const struct w_word_slot *, size_t *count);
/* Keep a word that is not in its set, of 1 or more ids. */
void w_word_cache_add(struct w_word_cache *, struct w_word_slot *set, const struct w_word_key *,
                      const u32 *ids, size_t count);

/* The same for a word without a key, of at most W_WORD_POOLED_BYTES bytes. */
const u32 *w_word_pool_find(const struct w_word_cache *, const u8 *word, size_t size,
                            size_t *count);
void w_word_pool_add(struct w_word_cache *, const u8 *word, size_t size, const u32 *ids,
                     size_t count);

#endif
