#include "count/count_keys.h"

#include <stdlib.h>

#include "base/hash.h"

enum { ROOM_MIN = 1 << 10 };

static u32 slot_of(const struct w_count_keys *k, u64 key)
{
    u64 hash = (key + 1) * W_GOLDEN;
    u32 slot = (u32)(hash >> 32 ^ hash >> 12) & (k->room - 1);

    while (k->key[slot] && k->key[slot] != key + 1)
        slot = (slot + 1) & (k->room - 1);
    return slot;
}

static enum w_status resize(struct w_count_keys *k, u32 room, struct w_err *err)
{
    struct w_count_keys grown = {calloc(room, sizeof(u64)), malloc(room * sizeof(u32)),
                                 malloc(room / 2 * sizeof(u32)), room, k->count};

    if (!grown.key || !grown.entry || !grown.slot) {
        w_count_keys_free(&grown);
        return w_fail(err, W_NOMEM, "no memory for %u counts", room / 2);
    }
    for (u32 e = 0; e < k->count; e++) {
        u64 key = k->key[k->slot[e]] - 1;
        u32 slot = slot_of(&grown, key);
        grown.key[slot] = key + 1;
        grown.entry[slot] = e;
        grown.slot[e] = slot;
    }
    w_count_keys_free(k);
    *k = grown;
    return W_DONE;
}

enum w_status w_count_keys_new(struct w_count_keys *k, struct w_err *err)
{
    *k = (struct w_count_keys){0};
    return resize(k, ROOM_MIN, err);
}

void w_count_keys_free(struct w_count_keys *k)
{
    free(k->key);
    free(k->entry);
    free(k->slot);
    *k = (struct w_count_keys){0};
}

void w_count_keys_clear(struct w_count_keys *k)
{
    for (u32 e = 0; e < k->count; e++)
        k->key[k->slot[e]] = 0;
    k->count = 0;
}

u32 w_count_keys_find(const struct w_count_keys *k, u64 key)
{
    u32 slot = slot_of(k, key);
    return k->key[slot] ? k->entry[slot] : W_COUNT_NO_ENTRY;
}

enum w_status w_count_keys_enter(struct w_count_keys *k, u64 key, u32 *entry, bool *fresh,
                                 struct w_err *err)
{
    u32 slot = slot_of(k, key);
    enum w_status status = W_DONE;

    *fresh = !k->key[slot];
    if (*fresh && k->count == k->room / 2) {
        status = k->room == 1u << 31 ? w_fail(err, W_LIMIT, "more than 2^30 counts")
                                     : resize(k, k->room * 2, err);
        if (status)
            return status;
        slot = slot_of(k, key);
    }
    if (*fresh) {
        k->key[slot] = key + 1;
        k->entry[slot] = k->count;
        k->slot[k->count++] = slot;
    }
    *entry = k->entry[slot];
    return W_DONE;
}
