/* id_set.h - a set of ids below a limit, one bit for each: cheap to clear and to list in order for
 * the limits of vocabularies. */
#ifndef W_ID_SET_H
#define W_ID_SET_H

#include "base/base.h"

/* A view of bits that the caller has: W_ID_SET_WORDS(limit), zeros for the empty set. */
struct w_id_set {
    u64 *bits;
    u64 limit;
};
#define W_ID_SET_WORDS(limit) ((limit) / 64 + 1)

static inline bool w_id_set_has(const struct w_id_set *set, u64 id)
{
    return set->bits[id / 64] >> id % 64 & 1;
}

static inline void w_id_set_add(const struct w_id_set *set, u64 id)
{
    set->bits[id / 64] |= (u64)1 << id % 64;
}

void w_id_set_clear(const struct w_id_set *);
/* Its ids, ascending, into room for all of them; returns how many. */
u64 w_id_set_list(const struct w_id_set *, u32 *ids);
/* The set becomes the ids that neither it nor `other`, of the same limit, has. */
void w_id_set_neither(const struct w_id_set *set, const struct w_id_set *other);

#endif
