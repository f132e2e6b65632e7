/* mutate.h - what a fuzzer does to bytes, for tests that go a part of its way. */
#ifndef W_MUTATE_H
#define W_MUTATE_H

#include <string.h>

#include "base/base.h"
#include "base/rng.h"

/* Change one to three places of up to eight bytes: to one of the odd bytes, which mean something to
 * the reader; by a bit; by filling, removing or copying. Returns the new size, at most room. */
static inline size_t mutate(u8 *data, size_t size, size_t room, const u8 *odd, size_t odd_count,
                            struct w_rng *rng)
{
    for (u64 changes = 1 + w_rng_below(rng, 3); changes > 0 && size > 16; changes--) {
        size_t at = (size_t)w_rng_below(rng, size), n = 1 + (size_t)w_rng_below(rng, 8);
        n = W_MIN(n, size - at);
        switch (w_rng_below(rng, 5)) {
        case 0: data[at] = odd[w_rng_below(rng, odd_count)]; break;
        case 1: data[at] ^= (u8)(1u << w_rng_below(rng, 8)); break;
        case 2: memset(data + at, (int)w_rng_below(rng, 256), n); break;
        case 3:
            memmove(data + at, data + at + n, size - at - n);
            size -= n;
            break;
        default:
            n = W_MIN(n, room - size);
            memmove(data + at + n, data + at, size - at);
            size += n;
        }
    }
    return size;
}

#endif
