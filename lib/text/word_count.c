/* An open hash table of words in the order in which they first occur. Short words are their own
 * key, so that comparing them reads no text; only words of more than 16 bytes are compared byte by
 * byte. Counting costs one probe per word, mostly of memory that is in the cache. Pruning drops the
 * rarest words, and with them counts that later occurrences cannot make good: how much is
 * reported. */
#include "text/word_count.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/hash.h"

void w_word_count_release(struct w_word_count *t)
{
    free(t->words);
    free(t->bytes);
    free(t->table);
    memset(t, 0, sizeof *t);
}

static u64 table_size(const struct w_word_count *t)
{
    return t->table ? (u64)1 << (64 - t->shift) : 0;
}

void w_word_count_clear(struct w_word_count *t)
{
    if (t->table)
        memset(t->table, 0, table_size(t) * sizeof *t->table);
    t->count = 0;
    t->bytes_used = 0;
    t->total = 0;
}

/* ---- finding a word ---- */

/* Make the key of a word, without the offset of a long one. `readable` bytes from p on may be
 * read. */
static inline void make_key(struct w_word *word, const u8 *p, size_t size, size_t readable)
{
    if (size > W_SHORT_BYTES)
        word->key[0] = w_hash_bytes(p, size), word->key[1] = 0;
    else
        w_short_key(word->key, p, size, readable);
    word->size = (u32)size;
}

/* Where in the table the search for a word begins: the top bits of its hash. */
static inline u64 first_place(const struct w_word_count *t, const struct w_word *w)
{
    u64 second = w->size <= W_SHORT_BYTES ? w->key[1] : 0;
    u64 mixed = (w->key[0] ^ second * 0xC2B2AE3D27D4EB4Full) * W_GOLDEN;

    return ((mixed ^ mixed >> 32) * W_GOLDEN) >> t->shift;
}

/* The place of a word with this key and these bytes, or a free one. */
static inline u32 *find(const struct w_word_count *t, const struct w_word *key, const u8 *bytes)
{
    u64 last = table_size(t) - 1, at = first_place(t, key);

    for (; t->table[at]; at = (at + 1) & last) {
        const struct w_word *w = &t->words[t->table[at] - 1];
        if (w->key[0] != key->key[0] || w->size != key->size)
            continue;
        if (key->size <= W_SHORT_BYTES ? w->key[1] == key->key[1]
                                       : !memcmp(t->bytes + w->key[1], bytes, key->size))
            break;
    }
    return &t->table[at];
}

/* ---- adding ---- */

/* Enter all words into the table, which is empty; they are all different. */
static void fill_table(struct w_word_count *t)
{
    u64 last = table_size(t) - 1;

    for (u32 i = 0; i < t->count; i++) {
        u64 at = first_place(t, &t->words[i]);
        while (t->table[at])
            at = (at + 1) & last;
        t->table[at] = i + 1;
    }
}

static enum w_status grow_words(struct w_word_count *t, struct w_err *err)
{
    u64 room = t->room ? (u64)t->room * 2 : 4096;
    struct w_word *words = room < UINT32_MAX ? realloc(t->words, room * sizeof *words) : NULL;

    if (words) {
        t->words = words;
        free(t->table); /* before the larger one is allocated: both at once would be the peak */
        t->table = calloc(2 * room, sizeof *t->table);
    }
    if (!words || !t->table)
        return w_fail(err, W_NOMEM, "no memory to count %llu different words",
                      (unsigned long long)room);
    t->room = (u32)room;
    t->shift = (u32)__builtin_clzll(2 * room) + 1;
    fill_table(t);
    return W_DONE;
}

/* Count a word `times` more, given its key and its bytes. */
static inline enum w_status count_word(struct w_word_count *t, const struct w_word *key,
                                       const u8 *bytes, u64 times, struct w_err *err)
{
    enum w_status status = t->count == t->room ? grow_words(t, err) : W_DONE;

    if (status)
        return status;
    u32 *place = find(t, key, bytes);
    if (*place) {
        t->words[*place - 1].count += times;
    } else {
        struct w_word *word = &t->words[t->count];
        *word = *key;
        word->count = times;
        if (key->size > W_SHORT_BYTES) {
            status = w_grow(&t->bytes, &t->bytes_room, t->bytes_used + key->size, 1,
                            "bytes of words", err);
            if (status)
                return status;
            word->key[1] = t->bytes_used;
            memcpy(t->bytes + t->bytes_used, bytes, key->size);
            t->bytes_used += key->size;
        }
        *place = ++t->count;
    }
    t->total += times;
    return W_DONE;
}

/* The same for a word of any length, of which `readable` bytes may be read. */
static inline enum w_status count_bytes(struct w_word_count *t, const u8 *word, size_t size,
                                        size_t readable, u64 times, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (size_t at = 0; at < size && !status; at += W_COUNTED_BYTES) {
        size_t part = W_MIN(size - at, W_COUNTED_BYTES);
        struct w_word key;
        make_key(&key, word + at, part, readable - at);
        status = count_word(t, &key, word + at, times, err);
    }
    return status;
}

enum w_status w_word_count_add(struct w_word_count *t, const u8 *word, size_t size, u64 times,
                               struct w_err *err)
{
    u64 parts = w_ceil_div(size, W_COUNTED_BYTES), more, sum;

    if (!w_mul_ok(parts, times, &more) || !w_add_ok(t->total, more, &sum))
        return w_fail(err, W_LIMIT, "more occurrences of words than 2^64");
    return count_bytes(t, word, size, size, times, err);
}

enum w_status w_word_count_text(struct w_word_count *t, enum w_split split, const u8 *text,
                                size_t size, struct w_err *err)
{
    size_t ends[256], count;
    enum w_status status = W_DONE;

    while (size > 0 && !status) {
        count = w_split_words(split, text, size, ends, W_COUNTOF(ends));
        for (size_t i = 0, from = 0; i < count && !status; from = ends[i++])
            status = count_bytes(t, text + from, ends[i] - from, size - from, 1, err);
        text += ends[count - 1];
        size -= ends[count - 1];
    }
    return status;
}

enum w_status w_word_count_merge(struct w_word_count *t, const struct w_word_count *other,
                                 struct w_err *err)
{
    enum { AHEAD = 8 };
    enum w_status status = W_DONE;

    for (u32 i = 0; i < other->count && !status; i++) {
        const struct w_word *w = &other->words[i];
        if (t->table && i + 2 * AHEAD < other->count) {
            __builtin_prefetch(&t->table[first_place(t, w + 2 * AHEAD)]);
            __builtin_prefetch(&t->words[t->table[first_place(t, w + AHEAD)]]);
        }
        status = count_word(t, w, w_word_bytes(other, w), w->count, err);
    }
    return status;
}

/* ---- pruning ---- */

static int compare_u64(const void *a, const void *b)
{
    u64 x = *(const u64 *)a, y = *(const u64 *)b;
    return (x > y) - (x < y);
}

/* The smallest count that at most `keep` words exceed; keep is less than the number of words. */
static enum w_status find_floor(const struct w_word_count *t, u32 keep, u64 *floor,
                                struct w_err *err)
{
    u64 *counts = malloc(t->count * sizeof *counts);

    if (!counts)
        return w_fail(err, W_NOMEM, "no memory to find the rarest of %u words", t->count);
    for (u32 i = 0; i < t->count; i++)
        counts[i] = t->words[i].count;
    qsort(counts, t->count, sizeof *counts, compare_u64);
    *floor = counts[t->count - keep - 1];
    free(counts);
    return W_DONE;
}

enum w_status w_word_count_prune(struct w_word_count *t, u32 keep, struct w_pruned *pruned,
                                 struct w_err *err)
{
    u64 floor = 0, bytes_used = 0;
    u32 kept = 0;

    if (t->count <= keep)
        return W_DONE;
    enum w_status status = find_floor(t, keep, &floor, err);
    if (status)
        return status;
    pruned->times++;
    pruned->floor += floor;
    for (u32 i = 0; i < t->count; i++) {
        struct w_word w = t->words[i];
        if (w.count <= floor) {
            pruned->words++;
            pruned->occurrences += w.count;
            continue;
        }
        if (w.size > W_SHORT_BYTES) {
            memmove(t->bytes + bytes_used, t->bytes + w.key[1], w.size);
            w.key[1] = bytes_used;
            bytes_used += w.size;
        }
        t->words[kept++] = w;
    }
    t->count = kept;
    t->bytes_used = bytes_used;
    memset(t->table, 0, table_size(t) * sizeof *t->table);
    fill_table(t);
    return W_DONE;
}
