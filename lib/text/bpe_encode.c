/* A text is split into words, a batch at a time. The keys of a batch are made and their slots in
 * the word cache prefetched before the first one is looked up, so that cache misses overlap. A word
 * that the word cache does not have is merged and added to it. Linear in the text: nearly all words
 * are found. */
#include "text/bpe_encode.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "text/split.h"
#include "text/word_cache.h"
#include "text/word_merge.h"

#define BATCH 256 /* words whose slots are prefetched before the first is looked up */

struct w_encoder {
    enum w_split split;
    struct w_merger *merger;
    struct w_word_cache cache;
};

enum w_status w_encoder_new(struct w_encoder **encoder, const struct w_vocab *vocab,
                            struct w_err *err)
{
    struct w_encoder *e = calloc(1, sizeof *e);

    *encoder = NULL;
    if (!e)
        return w_fail(err, W_NOMEM, "no memory for an encoder");
    e->split = w_vocab_split(vocab);
    enum w_status status = w_merger_new(&e->merger, vocab, err);
    if (!status)
        status = w_word_cache_init(&e->cache, err);
    if (status)
        w_encoder_free(e);
    else
        *encoder = e;
    return status;
}

void w_encoder_free(struct w_encoder *e)
{
    if (!e)
        return;
    w_merger_free(e->merger);
    w_word_cache_release(&e->cache);
    free(e);
}

/* ---- ids ---- */

static enum w_status reserve_ids(struct w_ids *out, size_t more, struct w_err *err)
{
    return w_grow(&out->ids, &out->room, out->count + more, sizeof *out->ids, "ids", err);
}

enum w_status w_ids_append(struct w_ids *ids, u32 id, struct w_err *err)
{
    enum w_status status = reserve_ids(ids, 1, err);

    if (!status)
        ids->ids[ids->count++] = id;
    return status;
}

/* ---- words ---- */

/* A word to look up: its set of slots, and its key. */
struct lookup {
    struct w_word_slot *set; /* NULL: too long for a key */
    struct w_word_key key;
};

/* Make the keys of the words that end at ends[0..count), and ask for the memory of their slots. */
static void look_ahead(const struct w_word_cache *cache, const u8 *text, size_t left,
                       const size_t *ends, size_t count, struct lookup *lookups)
{
    size_t from = 0;

    for (size_t i = 0; i < count; from = ends[i++]) {
        const size_t size = ends[i] - from;
        struct lookup l = {.set = NULL};
        if (size <= W_WORD_KEY_BYTES) {
            l.key = w_word_key(text + from, size, left - from);
            l.set = w_word_cache_set(cache, &l.key);
            __builtin_prefetch(l.set);
        }
        lookups[i] = l;
    }
}

/* The ids of a word that no slot holds: from the pool, or by merging. */
static __attribute__((noinline)) enum w_status encode_rare_word(
    struct w_encoder *e, const struct lookup *where, const struct w_word_slot *slot, const u8 *word,
    size_t size, u32 *ids, size_t *count, struct w_err *err)
{
    struct w_word_cache *cache = &e->cache;
    const u32 *pooled = NULL;

    if (slot)
        pooled = w_word_pooled(cache, slot, count);
    else if (!where->set && size <= W_WORD_POOLED_BYTES)
        pooled = w_word_pool_find(cache, word, size, count);
    if (pooled) {
        memcpy(ids, pooled, *count * sizeof *ids);
        return W_DONE;
    }
    enum w_status status = w_merge_word(e->merger, word, size, ids, count, err);
    if (!status && where->set)
        w_word_cache_add(cache, where->set, &where->key, ids, *count);
    else if (!status && size <= W_WORD_POOLED_BYTES)
        w_word_pool_add(cache, word, size, ids, *count);
    return status;
}

/* Encode the words that end at ends[0..count); the first begins at text, of which `left` bytes may
 * be read. out has room for their ids, and for W_WORD_SLOT_IDS more. */
static enum w_status encode_words(struct w_encoder *e, const u8 *text, size_t left,
                                  const size_t *ends, size_t count, struct w_ids *out,
                                  struct w_err *err)
{
    struct lookup lookups[BATCH];
    u32 *ids = out->ids + out->count;
    enum w_status status = W_DONE;

    look_ahead(&e->cache, text, left, ends, count, lookups);
    for (size_t i = 0; i < count && !status; i++) {
        const struct lookup *l = &lookups[i];
        const struct w_word_slot *s = l->set ? w_word_cache_find(l->set, &l->key) : NULL;
        size_t n = s ? w_word_slot_count(s) : 0;
        if (n - 1 < W_WORD_SLOT_IDS) {
            memcpy(ids, s->ids, sizeof s->ids); /* may write more than n */
        } else {
            const size_t from = i ? ends[i - 1] : 0;
            status = encode_rare_word(e, l, s, text + from, ends[i] - from, ids, &n, err);
        }
        ids += n;
    }
    out->count = (size_t)(ids - out->ids);
    return status;
}

enum w_status w_encode(struct w_encoder *e, const u8 *text, size_t size, struct w_ids *out,
                       struct w_err *err)
{
    size_t ends[BATCH];
    enum w_status status = W_DONE;

    while (size > 0 && !status) {
        size_t count = w_split_words(e->split, text, size, ends, BATCH), used = ends[count - 1];
        status = reserve_ids(out, used + W_WORD_SLOT_IDS, err);
        if (!status)
            status = encode_words(e, text, size, ends, count, out, err);
        text += used;
        size -= used;
    }
    return status;
}
