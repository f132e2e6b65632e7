/* pair_map.h - a map from pairs of ids to numbers: the rank of a merge, or the index of a count.
 *
 * A flat table with linear probing, at most half full. Looking up is the innermost step of merging,
 * so it is inline. */
#ifndef W_PAIR_MAP_H
#define W_PAIR_MAP_H

#include "base/hash.h"
#include "base/status.h"

#define W_PAIR_NONE UINT32_MAX

struct w_pair_slot {
    u32 left, right;
    u32 value; /* W_PAIR_NONE: the slot is free */
};

struct w_pair_map {
    struct w_pair_slot *slots;
    u32 shift; /* 64 - log2 of the number of slots */
    u32 count;
};

/* An empty map with room for count pairs; it grows for more. W_NOMEM. */
enum w_status w_pair_map_init(struct w_pair_map *, u32 count, struct w_err *) W_MUST_CHECK;
void w_pair_map_release(struct w_pair_map *); /* harmless on zeroes */

/* The slot of a pair, or the free one where it would be. Multiplication by W_GOLDEN spreads
 * neighbouring ids. */
static inline struct w_pair_slot *w_pair_map_slot(const struct w_pair_map *map, u32 left, u32 right)
{
    size_t mask = UINT64_MAX >> map->shift; /* one less than the number of slots */
    size_t i = (size_t)((((u64)left << 32 | right) * W_GOLDEN) >> map->shift);

    while (map->slots[i].value != W_PAIR_NONE &&
           (map->slots[i].left != left || map->slots[i].right != right))
        i = (i + 1) & mask;
    return &map->slots[i];
}

/* The value of a pair, or W_PAIR_NONE. */
static inline u32 w_pair_map_find(const struct w_pair_map *map, u32 left, u32 right)
{
    return w_pair_map_slot(map, left, right)->value;
}

/* Add a pair that the map does not have; the value is not W_PAIR_NONE. W_NOMEM leaves it as it
 * was. */
enum w_status w_pair_map_add(struct w_pair_map *, u32 left, u32 right, u32 value,
                             struct w_err *) W_MUST_CHECK;

#endif
