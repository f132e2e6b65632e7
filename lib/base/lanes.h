/* lanes.h - sixteen bytes at a time, to find the next special byte, or all of them.
 *
 * Comparing lanes with a byte gives lanes with all bits set where they are equal, else 0; several
 * such results are or-ed together. They are vector types of the compiler, which work on every CPU:
 * it splits them where the hardware has smaller ones. Worth it where matches are far apart, or
 * where the result for all sixteen bytes is used; between the brackets of wikitext a loop over
 * bytes is as fast. */
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

/* The lanes from `first` to `last`. */
static inline w_lanes w_lanes_within(w_lanes lanes, u8 first, u8 last)
{
    return (w_lanes)(lanes - first <= (u8)(last - first));
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

/* The top bit of each lane, the first lane's lowest. */
static inline u64 w_lanes_bits(w_lanes lanes)
{
#ifdef __SSE2__
    typedef char signed_lanes __attribute__((vector_size(W_LANES)));
    return (u64)(u32)__builtin_ia32_pmovmskb128((signed_lanes)lanes);
#else
    u8 bytes[W_LANES];
    u64 bits = 0;

    memcpy(bytes, &lanes, sizeof bytes);
    for (u32 i = 0; i < W_LANES; i += 8) /* the product brings bit 0 of byte k to bit 56 + k */
        bits |=
            (w_get64(bytes + i) >> 7 & 0x0101010101010101ull) * 0x0102040810204080ull >> 56 << i;
    return bits;
#endif
}

#endif
