#include "text/bpe_encode.h"

#include <stdlib.h>
#include <string.h>

#include "text/pair_map.h"
#include "text/split.h"

#define BATCH 256 /* words that are looked up together, so that the cache's memory is on its way */
#define SHORT_BYTES 96  /* words up to here merge by scanning, longer ones by a heap */
#define CACHED_BYTES 15 /* longest word in the cache: with its length, 16 bytes */
#define CACHED_IDS 4    /* most ids of a word in the cache */
#define CACHE_BITS 17   /* log2 of its slots, of 32 bytes */
#define ID_BITS 24      /* an id; W_TOKENS_MAX */

/* A word that was merged before. Nearly every word of a text is one of those, so this table and the
 * splitter are what makes encoding fast. Two slots share a cache line. */
struct slot {
    u64 low,
        high; /* the word's bytes, little-endian; its length in the top byte of high; 0: free */
    u32 ids[CACHED_IDS]; /* the count of ids is in the top byte of the last */
};

/* A word that is being merged: symbols in a doubly linked list. */
struct node {
    u32 id, prev, next;
};

/* A possible merge: rank in the upper half, place of its left symbol in the lower half, so that the
 * smallest is the next to do, the leftmost first. */
struct heap {
    u64 *items;
    size_t count, room;
};

struct w_encoder {
    const struct w_vocab *vocab;
    struct w_pair_map merges; /* pair of ids -> rank */
    const u32 *merged_ids;    /* by rank */
    const u32 *byte_ids;
    struct slot *cache;
    struct node *nodes; /* for long words */
    size_t node_room;
    struct heap heap;
};

enum w_status w_encoder_new(struct w_encoder **encoder, const struct w_vocab *vocab,
                            struct w_err *err)
{
    u32 count = w_vocab_merge_count(vocab);
    const struct w_merge *merges = w_vocab_merges(vocab);
    struct w_encoder *e = calloc(1, sizeof *e);

    *encoder = NULL;
    if (!e)
        return w_fail(err, W_NOMEM, "no memory for an encoder");
    e->vocab = vocab;
    e->merged_ids = w_vocab_merged_ids(vocab);
    e->byte_ids = w_vocab_byte_ids(vocab);
    enum w_status status = w_pair_map_init(&e->merges, count, err);
    for (u32 i = 0; i < count && !status; i++)
        status = w_pair_map_add(&e->merges, merges[i].left, merges[i].right, i, err);
    if (!status) {
        e->cache = aligned_alloc(64, sizeof(struct slot) << CACHE_BITS);
        if (e->cache)
            memset(e->cache, 0, sizeof(struct slot) << CACHE_BITS);
        else
            status = w_fail(err, W_NOMEM, "no memory for an encoder's word cache");
    }
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
    w_pair_map_release(&e->merges);
    free(e->cache);
    free(e->nodes);
    free(e->heap.items);
    free(e);
}

/* ---- merging ---- */

/* Merge a word of 1 to SHORT_BYTES bytes; returns the number of ids. Scanning for the smallest rank
 * is quadratic, but for short words nothing is faster. */
static size_t merge_short(const struct w_encoder *e, const u8 *word, size_t size, u32 *ids)
{
    u32 ranks[SHORT_BYTES]; /* ranks[i]: of the pair ids[i], ids[i + 1] */
    size_t n = size;

    for (size_t i = 0; i < n; i++)
        ids[i] = e->byte_ids[word[i]];
    for (size_t i = 0; i + 1 < n; i++)
        ranks[i] = w_pair_map_find(&e->merges, ids[i], ids[i + 1]);
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++)
            if (ranks[i] < ranks[best])
                best = i;
        if (ranks[best] == W_PAIR_NONE)
            break;
        ids[best] = e->merged_ids[ranks[best]];
        n--;
        memmove(ids + best + 1, ids + best + 2, (n - best - 1) * sizeof *ids);
        memmove(ranks + best, ranks + best + 1, (n - best - 1) * sizeof *ranks);
        if (best > 0)
            ranks[best - 1] = w_pair_map_find(&e->merges, ids[best - 1], ids[best]);
        if (best + 1 < n)
            ranks[best] = w_pair_map_find(&e->merges, ids[best], ids[best + 1]);
    }
    return n;
}

static void heap_push(struct heap *h, u64 item)
{
    size_t i = h->count++;

    for (; i > 0 && h->items[(i - 1) / 2] > item; i = (i - 1) / 2)
        h->items[i] = h->items[(i - 1) / 2];
    h->items[i] = item;
}

static u64 heap_pop(struct heap *h)
{
    u64 top = h->items[0], item = h->items[--h->count];
    size_t i = 0;

    for (size_t child; (child = 2 * i + 1) < h->count; i = child) {
        if (child + 1 < h->count && h->items[child + 1] < h->items[child])
            child++;
        if (h->items[child] >= item)
            break;
        h->items[i] = h->items[child];
    }
    h->items[i] = item;
    return top;
}

/* Offer the pair of symbol `left` and the one behind it. */
static void offer(struct w_encoder *e, u32 left)
{
    u32 right = e->nodes[left].next;
    u32 rank = right == W_PAIR_NONE
                   ? W_PAIR_NONE
                   : w_pair_map_find(&e->merges, e->nodes[left].id, e->nodes[right].id);
    if (rank != W_PAIR_NONE)
        heap_push(&e->heap, (u64)rank << 32 | left);
}

/* Memory for a word of size bytes: each merge takes one pair away and offers at most two. */
static enum w_status reserve_nodes(struct w_encoder *e, size_t size, struct w_err *err)
{
    if (size <= e->node_room)
        return W_DONE;
    free(e->nodes);
    free(e->heap.items);
    e->nodes = malloc(size * sizeof *e->nodes);
    e->heap.items = malloc(3 * size * sizeof *e->heap.items);
    e->node_room = e->nodes && e->heap.items ? size : 0;
    return e->node_room ? W_DONE : w_fail(err, W_NOMEM, "no memory for a word of %zu bytes", size);
}

/* Merge a long word in O(n log n): a heap of possible merges. An item is stale when its symbol is gone
 * or its pair is another by now. */
static enum w_status merge_long(struct w_encoder *e, const u8 *word, size_t size, u32 *ids,
                                size_t *count, struct w_err *err)
{
    enum w_status status = reserve_nodes(e, size, err);
    if (status)
        return status;
    struct node *nodes = e->nodes;
    e->heap.count = 0;
    for (u32 i = 0; i < size; i++)
        nodes[i] = (struct node){e->byte_ids[word[i]], i ? i - 1 : W_PAIR_NONE,
                                 i + 1 < size ? i + 1 : W_PAIR_NONE};
    for (u32 i = 0; i < size; i++)
        offer(e, i);
    while (e->heap.count > 0) {
        u64 item = heap_pop(&e->heap);
        u32 rank = (u32)(item >> 32), left = (u32)item, right = nodes[left].next;
        if (nodes[left].id == W_PAIR_NONE || right == W_PAIR_NONE ||
            w_pair_map_find(&e->merges, nodes[left].id, nodes[right].id) != rank)
            continue;
        nodes[left].id = e->merged_ids[rank];
        nodes[left].next = nodes[right].next;
        nodes[right].id = W_PAIR_NONE;
        if (nodes[left].next != W_PAIR_NONE)
            nodes[nodes[left].next].prev = left;
        offer(e, left);
        if (nodes[left].prev != W_PAIR_NONE)
            offer(e, nodes[left].prev);
    }
    *count = 0;
    for (u32 i = 0; i != W_PAIR_NONE; i = nodes[i].next)
        ids[(*count)++] = nodes[i].id;
    return W_DONE;
}

/* ---- words ---- */

/* A vocabulary may take a word that is a token as that token, whatever its merges would give. */
static bool is_token(const struct w_encoder *e, const u8 *word, size_t size, u32 *id)
{
    return w_vocab_whole_words(e->vocab) && w_vocab_find(e->vocab, word, size, id) &&
           !w_vocab_is_special(e->vocab, *id);
}

/* The key of a word of at most CACHED_BYTES bytes; `left` bytes can be read from it on. */
static inline void make_key(const u8 *word, size_t size, size_t left, u64 *low, u64 *high)
{
    u8 copy[16] = {0};

    if (left < 16) {
        memcpy(copy, word, size);
        word = copy;
    }
    u64 a = w_get64(word), b = w_get64(word + 8);
    u64 keep_a = size >= 8 ? ~0ull : (1ull << 8 * size) - 1;
    u64 keep_b = size > 8 ? (1ull << 8 * (size - 8)) - 1 : 0;
    *low = a & keep_a;
    *high = (b & keep_b) | (u64)size << 56;
}

/* The first of the two slots where a key may be. */
static inline struct slot *find_line(const struct w_encoder *e, u64 low, u64 high)
{
    u64 hash = (low ^ high >> 32 ^ high << 32) * 0x9E3779B97F4A7C15ull;
    hash ^= hash >> 32;
    hash = (hash + high) * 0xC2B2AE3D27D4EB4Full;
    return e->cache + ((hash >> (64 - CACHE_BITS)) & ~1ull);
}

/* A word that was seen once takes the second slot, so that it cannot push out one seen again. */
static void remember(struct slot *line, u64 low, u64 high, const u32 *ids, size_t count)
{
    struct slot *s = line[0].high ? &line[1] : &line[0];

    *s = (struct slot){.low = low, .high = high};
    memcpy(s->ids, ids, count * sizeof *ids);
    s->ids[CACHED_IDS - 1] |= (u32)count << ID_BITS;
}

/* A word of the second slot was seen again. */
static void promote(struct slot *line)
{
    struct slot s = line[0];

    line[0] = line[1];
    line[1] = s;
}

static enum w_status reserve_ids(struct w_ids *out, size_t more, struct w_err *err)
{
    if (out->count + more <= out->room)
        return W_DONE;
    size_t room = W_MAX(out->count + more, out->room * 2);
    u32 *bigger = realloc(out->ids, room * sizeof *bigger);
    if (!bigger)
        return w_fail(err, W_NOMEM, "no memory for %zu ids", room);
    out->ids = bigger;
    out->room = room;
    return W_DONE;
}

enum w_status w_ids_append(struct w_ids *ids, u32 id, struct w_err *err)
{
    enum w_status status = reserve_ids(ids, 1, err);

    if (!status)
        ids->ids[ids->count++] = id;
    return status;
}

/* Encode words that end at ends[0..count), the first beginning at text; out has room for them. */
static enum w_status encode_words(struct w_encoder *e, const u8 *text, size_t left,
                                  const size_t *ends, size_t count, struct w_ids *out,
                                  struct w_err *err)
{
    struct {
        struct slot *line; /* NULL: too long for the cache */
        u64 low, high;
    } keys[BATCH];
    size_t from = 0;

    for (size_t i = 0; i < count; from = ends[i++]) {
        size_t size = ends[i] - from;
        keys[i].line = NULL;
        if (size > CACHED_BYTES)
            continue;
        make_key(text + from, size, left - from, &keys[i].low, &keys[i].high);
        keys[i].line = find_line(e, keys[i].low, keys[i].high);
        __builtin_prefetch(keys[i].line);
    }
    from = 0;
    for (size_t i = 0; i < count; from = ends[i++]) {
        const struct slot *s = keys[i].line;
        size_t size = ends[i] - from, n;
        u32 *ids = out->ids + out->count;
        if (s && s[1].low == keys[i].low && s[1].high == keys[i].high)
            promote(keys[i].line);
        if (s && s->low == keys[i].low && s->high == keys[i].high) {
            memcpy(ids, s->ids, sizeof s->ids); /* room for four is always there */
            n = ids[CACHED_IDS - 1] >> ID_BITS;
            ids[CACHED_IDS - 1] &= (1u << ID_BITS) - 1;
        } else if (size <= SHORT_BYTES) {
            n = is_token(e, text + from, size, ids) ? 1 : merge_short(e, text + from, size, ids);
            if (keys[i].line && n <= CACHED_IDS)
                remember(keys[i].line, keys[i].low, keys[i].high, ids, n);
        } else if (is_token(e, text + from, size, ids)) {
            n = 1;
        } else {
            enum w_status status = merge_long(e, text + from, size, ids, &n, err);
            if (status)
                return status;
        }
        out->count += n;
    }
    return W_DONE;
}

enum w_status w_encode(struct w_encoder *e, const u8 *text, size_t size, struct w_ids *out,
                       struct w_err *err)
{
    size_t ends[BATCH], count;
    enum w_status status = W_DONE;

    while (size > 0 && !status) {
        count = w_split_words(w_vocab_split(e->vocab), text, size, ends, BATCH);
        status = reserve_ids(out, ends[count - 1] + CACHED_IDS, err);
        if (!status)
            status = encode_words(e, text, size, ends, count, out, err);
        text += ends[count - 1];
        size -= ends[count - 1];
    }
    return status;
}
