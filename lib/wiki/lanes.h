/* lanes.h - sixteen bytes at a time, to find the next one that means something.
 *
 * Comparing lanes with a byte gives lanes with all bits set where it holds, else 0; what is looked for
 * is or-ed together. They are vectors of the compiler, so that nothing is asked of the CPU: each has
 * such vectors, or the compiler makes them of smaller ones. Worth it where what is found is far apart;
 * between the brackets of wikitext a loop over bytes is as fast. */
#ifndef W_LANES_H
#define W_LANES_H

#include <string.h>

#include "base/base.h"

#define W_LANES 16

typedef u8 w_lanes __attribute__((vector_size(W_LANES)));

static inline w_lanes w_lanes_load(const u8 *bytes)
{
    w_lanes lanes;
    memcpy(&lanes, bytes, sizeof lanes);
    return lanes;
}

/* The first lane that is not 0, or W_LANES. */
static inline u32 w_lanes_first(w_lanes lanes)
{
    u8 bytes[W_LANES];

    memcpy(bytes, &lanes, sizeof bytes);
    u64 low = w_get64(bytes), high = w_get64(bytes + 8);
    if (low)
        return (u32)__builtin_ctzll(low) / 8;
    return high ? 8 + (u32)__builtin_ctzll(high) / 8 : W_LANES;
}

#endif
