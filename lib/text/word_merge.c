/* Definition: while some adjacent pair of symbols has a merge, join the pair of lowest rank, of
 * equals the leftmost. merge_short() does that, with a scan for each merge: quadratic. Two steps
 * make that faster and do not change the result:
 *
 * merge_long() takes the next merge from a heap ordered by (rank, position of the left symbol).
 * Every adjacent pair that has a merge has its entry, pushed when the two symbols became
 * neighbours. An entry whose left symbol is gone, or where the pair now has another rank, is
 * dropped when popped. The first entry that is left is therefore the merge of the definition. A
 * merge pushes at most two entries: O(n log n).
 *
 * A word is cut into parts first, between two bytes that no merge has in its middle. No merge ever
 * crosses such a place, so each part comes out as it would inside the word. */
#include "text/word_merge.h"

#include <stdlib.h>
#include <string.h>

#include "text/pair_map.h"

#define SHORT_BYTES 64 /* parts up to here merge by scanning, longer ones by a heap */

/* A word that is being merged: symbols in a doubly linked list. */
struct node {
    u32 id, prev, next;
};

/* Possible merges, each the rank in the upper half and the position of the left symbol in the
 * lower. */
struct heap {
    u64 *items;
    size_t count, room;
};

struct w_merger {
    const struct w_vocab *vocab;
    struct w_pair_map merges; /* pair of ids -> rank */
    u32 *byte_ranks;          /* [256][256]: ranks of pairs of bytes, as every word begins */
    u64 joined[65536 / 64];   /* a bit for each pair of bytes: some merge has it in its middle */
    u64 *likely;              /* a bit for each hash: some pair with this hash has a merge */
    u32 likely_shift;         /* 64 - log2 of the number of bits */
    const u32 *merged_ids;    /* by rank */
    const u32 *byte_ids;
    u32 last;           /* rank of the last merge */
    struct node *nodes; /* for long words */
    size_t node_room;
    struct heap heap;
};

/* Most pairs have no merge, and the table of those that have one exceeds the fastest caches: one
 * bit rules out most of the others. */
static inline u64 likely_bit(const struct w_merger *m, u32 left, u32 right)
{
    return (((u64)right << 32 | left) * W_GOLDEN) >> m->likely_shift;
}

static inline u32 rank_of(const struct w_merger *m, u32 left, u32 right)
{
    u64 bit = likely_bit(m, left, right);

    return m->likely[bit / 64] >> bit % 64 & 1 ? w_pair_map_find(&m->merges, left, right)
                                               : W_PAIR_NONE;
}

/* The tables that make looking up a rank fast. */
static enum w_status make_shortcuts(struct w_merger *m, struct w_err *err)
{
    u32 count = w_vocab_merge_count(m->vocab), bits = 10;
    const struct w_merge *merges = w_vocab_merges(m->vocab);

    while ((u64)1 << bits < (u64)count * 8)
        bits++;
    m->likely_shift = 64 - bits;
    m->likely = calloc((size_t)1 << bits >> 6, sizeof *m->likely);
    m->byte_ranks = malloc(65536 * sizeof *m->byte_ranks);
    if (!m->likely || !m->byte_ranks)
        return w_fail(err, W_NOMEM, "no memory for an encoder");
    for (u32 i = 0; i < count; i++) {
        u64 bit = likely_bit(m, merges[i].left, merges[i].right);
        u32 left_size, right_size;
        const u8 *left = w_vocab_bytes(m->vocab, merges[i].left, &left_size);
        const u8 *right = w_vocab_bytes(m->vocab, merges[i].right, &right_size);
        u32 middle = (u32)left[left_size - 1] << 8 | right[0];
        m->likely[bit / 64] |= 1ull << bit % 64;
        m->joined[middle / 64] |= 1ull << middle % 64;
    }
    for (u32 pair = 0; pair < 65536; pair++)
        m->byte_ranks[pair] = rank_of(m, m->byte_ids[pair >> 8], m->byte_ids[pair & 0xff]);
    return W_DONE;
}

enum w_status w_merger_new(struct w_merger **merger, const struct w_vocab *vocab, struct w_err *err)
{
    u32 count = w_vocab_merge_count(vocab);
    const struct w_merge *merges = w_vocab_merges(vocab);
    struct w_merger *m = calloc(1, sizeof *m);

    *merger = NULL;
    if (!m)
        return w_fail(err, W_NOMEM, "no memory for an encoder");
    m->vocab = vocab;
    m->merged_ids = w_vocab_merged_ids(vocab);
    m->byte_ids = w_vocab_byte_ids(vocab);
    enum w_status status = w_pair_map_init(&m->merges, count, err);
    for (u32 i = 0; i < count && !status; i++)
        status = w_pair_map_add(&m->merges, merges[i].left, merges[i].right, i, err);
    if (!status)
        status = make_shortcuts(m, err);
    if (status)
        w_merger_free(m);
    else
        *merger = m;
    return status;
}

void w_merger_free(struct w_merger *m)
{
    if (!m)
        return;
    w_pair_map_release(&m->merges);
    free(m->byte_ranks);
    free(m->likely);
    free(m->nodes);
    free(m->heap.items);
    free(m);
}

/* Merge a part of 1 to SHORT_BYTES bytes; returns the number of ids. A symbol has the index of its
 * first byte; in `alive` the bits of these indices are set. Looking for the least rank four at a
 * time, and looking up ranks without branches, took 245 to 285 ns a word instead of 236 (words of a
 * text that come for the first time, Intel Xeon). */
static size_t merge_short(struct w_merger *m, const u8 *word, size_t size, u32 *ids)
{
    u32 symbols[SHORT_BYTES], ranks[SHORT_BYTES]; /* ranks[i]: of the pair that begins at i */
    u64 alive = ~0ull >> (64 - size);
    size_t n = 0;

    for (size_t i = 0; i + 1 < size; i++)
        ranks[i] = m->byte_ranks[word[i] << 8 | word[i + 1]];
    for (size_t i = 0; i < size; i++)
        symbols[i] = m->byte_ids[word[i]];
    ranks[size - 1] = W_PAIR_NONE;
    for (;;) {
        size_t best = 0;
        u32 rank = ranks[0];
        for (size_t i = 1; i < size; i++) {
            best = ranks[i] < rank ? i : best;
            rank = ranks[i] < rank ? ranks[i] : rank;
        }
        if (rank == W_PAIR_NONE)
            break;
        u64 after = alive & (~1ull << best), before = alive & ((1ull << best) - 1);
        size_t right = (size_t)__builtin_ctzll(after);
        symbols[best] = m->merged_ids[m->last = rank];
        ranks[right] = W_PAIR_NONE;
        alive &= ~(1ull << right);
        after &= after - 1;
        ranks[best] =
            after ? rank_of(m, symbols[best], symbols[__builtin_ctzll(after)]) : W_PAIR_NONE;
        if (before) {
            size_t left = 63 - (size_t)__builtin_clzll(before);
            ranks[left] = rank_of(m, symbols[left], symbols[best]);
        }
    }
    for (; alive; alive &= alive - 1)
        ids[n++] = symbols[__builtin_ctzll(alive)];
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

/* Push the pair of symbol `left` and the next one, if it has a merge. */
static void offer(struct w_merger *m, u32 left)
{
    u32 right = m->nodes[left].next;
    u32 rank =
        right == W_PAIR_NONE ? W_PAIR_NONE : rank_of(m, m->nodes[left].id, m->nodes[right].id);
    if (rank != W_PAIR_NONE)
        heap_push(&m->heap, (u64)rank << 32 | left);
}

/* Memory for a part of size bytes: fewer than size pairs at first, two more for each merge. */
static enum w_status reserve_nodes(struct w_merger *m, size_t size, struct w_err *err)
{
    if (size <= m->node_room)
        return W_DONE;
    free(m->nodes);
    free(m->heap.items);
    m->nodes = malloc(size * sizeof *m->nodes);
    m->heap.items = malloc(3 * size * sizeof *m->heap.items);
    m->node_room = m->nodes && m->heap.items ? size : 0;
    return m->node_room ? W_DONE : w_fail(err, W_NOMEM, "no memory for a word of %zu bytes", size);
}

/* Merge a part of any size, by the heap. */
static enum w_status merge_long(struct w_merger *m, const u8 *word, size_t size, u32 *ids,
                                size_t *count, struct w_err *err)
{
    enum w_status status = reserve_nodes(m, size, err);
    if (status)
        return status;
    struct node *nodes = m->nodes;
    m->heap.count = 0;
    for (u32 i = 0; i < size; i++)
        nodes[i] = (struct node){m->byte_ids[word[i]], i ? i - 1 : W_PAIR_NONE,
                                 i + 1 < size ? i + 1 : W_PAIR_NONE};
    for (u32 i = 0; i < size; i++)
        offer(m, i);
    while (m->heap.count > 0) {
        u64 item = heap_pop(&m->heap);
        u32 rank = (u32)(item >> 32), left = (u32)item, right = nodes[left].next;
        if (nodes[left].id == W_PAIR_NONE || right == W_PAIR_NONE ||
            rank_of(m, nodes[left].id, nodes[right].id) != rank)
            continue;
        nodes[left].id = m->merged_ids[m->last = rank];
        nodes[left].next = nodes[right].next;
        nodes[right].id = W_PAIR_NONE;
        if (nodes[left].next != W_PAIR_NONE)
            nodes[nodes[left].next].prev = left;
        offer(m, left);
        if (nodes[left].prev != W_PAIR_NONE)
            offer(m, nodes[left].prev);
    }
    *count = 0;
    for (u32 i = 0; i != W_PAIR_NONE; i = nodes[i].next)
        ids[(*count)++] = nodes[i].id;
    return W_DONE;
}

/* A vocabulary may take a word that is a token as that token, whatever its merges would give. */
static bool is_token(const struct w_merger *m, const u8 *word, size_t size, u32 *id)
{
    return w_vocab_whole_words(m->vocab) && w_vocab_find(m->vocab, word, size, id);
}

/* The end of the part that begins at i: the next place that no merge can cross. */
static size_t part_end(const struct w_merger *m, const u8 *word, size_t i, size_t size)
{
    for (i++; i < size; i++) {
        u32 middle = (u32)word[i - 1] << 8 | word[i];
        if (!(m->joined[middle / 64] >> middle % 64 & 1))
            break;
    }
    return i;
}

enum w_status w_merge_bytes(struct w_merger *m, const u8 *word, size_t size, u32 *ids,
                            size_t *count, u32 *last, struct w_err *err)
{
    enum w_status status = W_DONE;

    *count = 0;
    for (size_t i = 0, end; i < size && !status; i = end) {
        size_t made = 0;
        end = part_end(m, word, i, size);
        if (end - i <= SHORT_BYTES)
            made = merge_short(m, word + i, end - i, ids + *count);
        else
            status = merge_long(m, word + i, end - i, ids + *count, &made, err);
        *count += made;
    }
    *last = m->last;
    return status;
}

enum w_status w_merge_word(struct w_merger *m, const u8 *word, size_t size, u32 *ids, size_t *count,
                           struct w_err *err)
{
    u32 last;

    *count = 1;
    return is_token(m, word, size, ids) ? W_DONE
                                        : w_merge_bytes(m, word, size, ids, count, &last, err);
}
