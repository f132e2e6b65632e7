#include "text/token_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

enum w_status w_token_set_init(struct w_token_set *set, struct w_err *err)
{
    memset(set, 0, sizeof *set);
    for (u32 i = 0; i < 256; i++) {
        enum w_status status = w_token_set_add(set, &(u8){(u8)i}, 1, NULL, err);
        if (status)
            return status;
    }
    return W_DONE;
}

void w_token_set_release(struct w_token_set *set)
{
    free(set->offsets);
    free(set->bytes);
    free(set->table);
    memset(set, 0, sizeof *set);
}

/* The place in the table of a byte string, or a free one. */
static u32 *find(const struct w_token_set *set, const u8 *bytes, u32 size)
{
    u64 hash = 14695981039346656037ull; /* FNV-1a */
    for (u32 i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 1099511628211ull;
    u64 i = hash & (set->table_size - 1);
    for (; set->table[i]; i = (i + 1) & (set->table_size - 1)) {
        u32 other_size;
        const u8 *other = w_token_bytes(set, set->table[i] - 1, &other_size);
        if (other_size == size && !memcmp(other, bytes, size))
            break;
    }
    return &set->table[i];
}

bool w_token_set_find(const struct w_token_set *set, const u8 *bytes, size_t size, u32 *id)
{
    u32 place = set->count && size <= W_TOKEN_BYTES_MAX ? *find(set, bytes, (u32)size) : 0;

    *id = place - 1;
    return place > 0;
}

/* Room for one more id. */
static enum w_status grow_ids(struct w_token_set *set, struct w_err *err)
{
    u32 room = set->room ? set->room * 2 : 1024;
    u32 *offsets = realloc(set->offsets, (room + 1u) * sizeof *offsets);
    u32 *table = calloc(2 * (size_t)room, sizeof *table);

    if (offsets)
        set->offsets = offsets;
    if (!offsets || !table) {
        free(table);
        return w_fail(err, W_NOMEM, "no memory for %u tokens", room);
    }
    set->offsets[0] = 0;
    free(set->table);
    set->table = table;
    set->table_size = 2 * (u64)room;
    set->room = room;
    for (u32 id = 0; id < set->count; id++) {
        u32 size;
        const u8 *bytes = w_token_bytes(set, id, &size);
        *find(set, bytes, size) = id + 1;
    }
    return W_DONE;
}

/* Room for size more bytes after those of the last token. */
static enum w_status grow_bytes(struct w_token_set *set, size_t size, struct w_err *err)
{
    u64 end = (set->count ? set->offsets[set->count] : 0) + (u64)size;

    if (size > W_TOKEN_BYTES_MAX || end > W_TOKENS_BYTES_MAX || set->count >= W_TOKENS_MAX)
        return w_fail(err, W_LIMIT, "token %u: a token has at most %u bytes, all have %u, of %u",
                      set->count, W_TOKEN_BYTES_MAX, W_TOKENS_BYTES_MAX, W_TOKENS_MAX);
    return w_grow(&set->bytes, &set->bytes_room, (size_t)end, 1, "bytes of tokens", err);
}

/* Give an id to the size bytes that were placed after the last token. */
static enum w_status keep(struct w_token_set *set, size_t size, u32 *twin)
{
    u32 *place = find(set, set->bytes + set->offsets[set->count], (u32)size);

    if (*place) {
        if (twin)
            *twin = *place - 1;
        return W_NO;
    }
    *place = set->count + 1;
    set->offsets[set->count + 1] = set->offsets[set->count] + (u32)size;
    set->count++;
    return W_DONE;
}

enum w_status w_token_set_add(struct w_token_set *set, const u8 *bytes, size_t size, u32 *twin,
                              struct w_err *err)
{
    enum w_status status = set->count == set->room ? grow_ids(set, err) : W_DONE;

    if (!status)
        status = grow_bytes(set, size, err);
    if (status)
        return status;
    memcpy(set->bytes + set->offsets[set->count], bytes, size);
    return keep(set, size, twin);
}

enum w_status w_token_set_join(struct w_token_set *set, u32 left, u32 right, u32 *twin,
                               struct w_err *err)
{
    enum w_status status = set->count == set->room ? grow_ids(set, err) : W_DONE;
    u32 left_size, right_size;

    w_token_bytes(set, left, &left_size);
    w_token_bytes(set, right, &right_size);
    if (!status)
        status = grow_bytes(set, (size_t)left_size + right_size, err);
    if (status)
        return status;
    u8 *end = set->bytes + set->offsets[set->count];
    memcpy(end, set->bytes + set->offsets[left], left_size);
    memcpy(end + left_size, set->bytes + set->offsets[right], right_size);
    return keep(set, (size_t)left_size + right_size, twin);
}
