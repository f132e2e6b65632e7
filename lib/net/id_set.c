#include "net/id_set.h"

#include <string.h>

void w_id_set_clear(const struct w_id_set *set)
{
    memset(set->bits, 0, W_ID_SET_WORDS(set->limit) * sizeof *set->bits);
}

u64 w_id_set_list(const struct w_id_set *set, u32 *ids)
{
    u64 count = 0;

    for (u64 i = 0; i < W_ID_SET_WORDS(set->limit); i++)
        for (u64 left = set->bits[i]; left; left &= left - 1)
            ids[count++] = (u32)(64 * i + (u64)__builtin_ctzll(left));
    return count;
}

void w_id_set_neither(const struct w_id_set *set, const struct w_id_set *other)
{
    const u64 last = set->limit / 64;

    for (u64 i = 0; i <= last; i++)
        set->bits[i] = ~(set->bits[i] | other->bits[i]);
    set->bits[last] &= ((u64)1 << set->limit % 64) - 1;
}
