/* At most half of the slots are in use, so that a search for a pair ends soon at a free slot. */
#include "text/pair_map.h"

#include <stdlib.h>
#include <string.h>

static enum w_status make_slots(struct w_pair_map *map, u32 bits, struct w_err *err)
{
    size_t count = (size_t)1 << bits;

    map->slots = malloc(count * sizeof *map->slots);
    if (!map->slots)
        return w_fail(err, W_NOMEM, "no memory for a table of %zu pairs", count / 2);
    memset(map->slots, 0xff, count * sizeof *map->slots); /* every value W_PAIR_NONE */
    map->shift = 64 - bits;
    return W_DONE;
}

enum w_status w_pair_map_init(struct w_pair_map *map, u32 count, struct w_err *err)
{
    u32 bits = 4;

    memset(map, 0, sizeof *map);
    while (((u64)1 << bits) < (u64)count * 2)
        bits++;
    return make_slots(map, bits, err);
}

void w_pair_map_release(struct w_pair_map *map)
{
    free(map->slots);
    memset(map, 0, sizeof *map);
}

static enum w_status grow(struct w_pair_map *map, struct w_err *err)
{
    struct w_pair_map old = *map;
    size_t old_count = (size_t)1 << (64 - old.shift);
    enum w_status status = make_slots(map, 64 - old.shift + 1, err);

    if (status) {
        *map = old;
        return status;
    }
    for (size_t i = 0; i < old_count; i++)
        if (old.slots[i].value != W_PAIR_NONE)
            *w_pair_map_slot(map, old.slots[i].left, old.slots[i].right) = old.slots[i];
    free(old.slots);
    return W_DONE;
}

enum w_status w_pair_map_add(struct w_pair_map *map, u32 left, u32 right, u32 value,
                             struct w_err *err)
{
    enum w_status status = W_DONE;

    if ((u64)map->count * 2 >= (u64)1 << (64 - map->shift))
        status = grow(map, err);
    if (status)
        return status;
    *w_pair_map_slot(map, left, right) =
        (struct w_pair_slot){.left = left, .right = right, .value = value};
    map->count++;
    return W_DONE;
}
