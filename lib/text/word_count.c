#include "text/word_count.h"

#include <stdlib.h>
#include <string.h>

void w_word_count_release(struct w_word_count *t)
{
    free(t->words);
    free(t->bytes);
    free(t->table);
    memset(t, 0, sizeof *t);
}

static u64 hash_of(const u8 *p, size_t size)
{
    const u64 k = 0x9E3779B97F4A7C15ull;
    u64 hash = size * k, last = 0;

    for (; size >= 8; p += 8, size -= 8) {
        hash = (hash ^ w_get64(p)) * k;
        hash ^= hash >> 32;
    }
    for (size_t i = 0; i < size; i++)
        last |= (u64)p[i] << 8 * i;
    hash = (hash ^ last) * k;
    return hash ^ hash >> 32;
}

static enum w_status grow_words(struct w_word_count *t, struct w_err *err)
{
    u64 room = t->room ? (u64)t->room * 2 : 4096;
    struct w_word *words = room < UINT32_MAX ? realloc(t->words, room * sizeof *words) : NULL;
    u32 *table = calloc(2 * room, sizeof *table);

    if (words)
        t->words = words;
    if (!words || !table) {
        free(table);
        return w_fail(err, W_NOMEM, "no memory to count %llu different words",
                      (unsigned long long)room);
    }
    free(t->table);
    t->table = table;
    t->table_size = 2 * room;
    t->room = (u32)room;
    for (u32 i = 0; i < t->count; i++) {
        u64 at = words[i].hash & (t->table_size - 1);
        while (table[at])
            at = (at + 1) & (t->table_size - 1);
        table[at] = i + 1;
    }
    return W_DONE;
}

static enum w_status grow_bytes(struct w_word_count *t, size_t size, struct w_err *err)
{
    if (t->bytes_used + size <= t->bytes_room)
        return W_DONE;
    u64 room = W_MAX((t->bytes_used + size) * 2, 65536);
    u8 *bytes = realloc(t->bytes, room);
    if (!bytes)
        return w_fail(err, W_NOMEM, "no memory for %llu bytes of words", (unsigned long long)room);
    t->bytes = bytes;
    t->bytes_room = room;
    return W_DONE;
}

static enum w_status count_word(struct w_word_count *t, const u8 *word, u32 size, u64 times,
                                struct w_err *err)
{
    enum w_status status = t->count == t->room ? grow_words(t, err) : W_DONE;
    u64 hash = hash_of(word, size), at;

    if (status)
        return status;
    t->total += times;
    for (at = hash & (t->table_size - 1); t->table[at]; at = (at + 1) & (t->table_size - 1)) {
        struct w_word *w = &t->words[t->table[at] - 1];
        if (w->hash == hash && w->size == size && !memcmp(t->bytes + w->offset, word, size)) {
            w->count += times;
            return W_DONE;
        }
    }
    status = grow_bytes(t, size, err);
    if (status)
        return status;
    memcpy(t->bytes + t->bytes_used, word, size);
    t->words[t->count] =
        (struct w_word){.hash = hash, .offset = t->bytes_used, .count = times, .size = size};
    t->table[at] = ++t->count;
    t->bytes_used += size;
    return W_DONE;
}

enum w_status w_word_count_add(struct w_word_count *t, const u8 *word, size_t size, u64 times,
                               struct w_err *err)
{
    enum w_status status = W_DONE;

    for (size_t at = 0; at < size && !status; at += W_COUNTED_BYTES)
        status = count_word(t, word + at, (u32)W_MIN(size - at, W_COUNTED_BYTES), times, err);
    return status;
}

enum w_status w_word_count_text(struct w_word_count *t, enum w_split split, const u8 *text,
                                size_t size, struct w_err *err)
{
    size_t ends[256], count;
    enum w_status status = W_DONE;

    while (size > 0 && !status) {
        count = w_split_words(split, text, size, ends, W_COUNTOF(ends));
        for (size_t i = 0, from = 0; i < count && !status; from = ends[i++])
            status = w_word_count_add(t, text + from, ends[i] - from, 1, err);
        text += ends[count - 1];
        size -= ends[count - 1];
    }
    return status;
}

enum w_status w_word_count_merge(struct w_word_count *t, const struct w_word_count *other,
                                 struct w_err *err)
{
    enum w_status status = W_DONE;

    for (u32 i = 0; i < other->count && !status; i++)
        status = count_word(t, other->bytes + other->words[i].offset, other->words[i].size,
                            other->words[i].count, err);
    return status;
}
