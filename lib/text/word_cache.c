#include "text/word_cache.h"

#include <stdlib.h>

#include "sys/pages.h"

#define SLOTS_BYTES (sizeof(struct w_word_slot) << W_WORD_CACHE_BITS)
#define PLACE_BITS 15         /* log2 of the places for words without a slot */
#define POOL_WORDS (1u << 20) /* of 4 bytes */

/* Where in the pool a word is: its number of ids and the ids; for a word without a slot then its
 * length and its bytes. */
struct w_pool_place {
    u32 hash; /* its low half; the top bits are the number of the place */
    u32 at;   /* 0: free */
};

enum w_status w_word_cache_init(struct w_word_cache *c, struct w_err *err)
{
    c->slots = w_pages_new(SLOTS_BYTES);
    c->places = calloc((size_t)1 << PLACE_BITS, sizeof *c->places);
    c->pool = malloc(POOL_WORDS * sizeof *c->pool);
    c->pool_used = 1; /* no word is at 0 */
    if (c->slots && c->places && c->pool)
        return W_DONE;
    w_word_cache_release(c);
    return w_fail(err, W_NOMEM, "no memory for an encoder's word cache");
}

void w_word_cache_release(struct w_word_cache *c)
{
    w_pages_free(c->slots, SLOTS_BYTES);
    free(c->places);
    free(c->pool);
    memset(c, 0, sizeof *c);
}

/* ---- the pool ---- */

/* Put ids into the pool, with room for `more` units of 4 bytes after them. Returns where. */
static u32 put_ids(struct w_word_cache *c, const u32 *ids, size_t count, size_t more)
{
    if (c->pool_used + 1 + count + more > POOL_WORDS) {
        memset(c->places, 0, sizeof *c->places << PLACE_BITS);
        c->pool_used = 1;
        c->pool_age++;
    }
    u32 at = c->pool_used;
    c->pool[at] = (u32)count;
    memcpy(c->pool + at + 1, ids, count * sizeof *ids);
    c->pool_used += (u32)(1 + count + more);
    return at;
}

static const u32 *ids_at(const struct w_word_cache *c, u32 at, size_t *count)
{
    *count = c->pool[at];
    return c->pool + at + 1;
}

/* ---- words that have a slot ---- */

/* The first word of a set stays: in most texts, words that come early come often. */
void w_word_cache_add(struct w_word_cache *c, struct w_word_slot *set, const struct w_word_key *key,
                      const u32 *ids, size_t count)
{
    struct w_word_slot *s = set->high >> 60 ? set + 1 : set;

    *s = (struct w_word_slot){.low = key->low};
    if (count <= W_WORD_SLOT_IDS) {
        memcpy(s->ids, ids, count * sizeof *ids);
    } else {
        s->ids[0] = put_ids(c, ids, count, 0);
        s->ids[1] = c->pool_age;
        count = W_WORD_SLOT_IDS + 1;
    }
    s->high = key->high | (u64)count << 60;
}

const u32 *w_word_pooled(const struct w_word_cache *c, const struct w_word_slot *slot,
                         size_t *count)
{
    return slot->ids[1] == c->pool_age ? ids_at(c, slot->ids[0], count) : NULL;
}

/* ---- words without a slot ---- */

const u32 *w_word_pool_find(const struct w_word_cache *c, const u8 *word, size_t size,
                            size_t *count)
{
    u64 hash = w_hash_bytes(word, size);
    const struct w_pool_place *place = &c->places[hash >> (64 - PLACE_BITS)];

    if (place->at == 0 || place->hash != (u32)hash)
        return NULL;
    const u32 *ids = ids_at(c, place->at, count), *after = ids + *count;
    return after[0] == size && memcmp(after + 1, word, size) == 0 ? ids : NULL;
}

void w_word_pool_add(struct w_word_cache *c, const u8 *word, size_t size, const u32 *ids,
                     size_t count)
{
    u64 hash = w_hash_bytes(word, size);
    u32 at = put_ids(c, ids, count, 1 + (size + 3) / 4), *after = c->pool + at + 1 + count;

    after[0] = (u32)size;
    memcpy(after + 1, word, size);
    c->places[hash >> (64 - PLACE_BITS)] = (struct w_pool_place){(u32)hash, at};
}
