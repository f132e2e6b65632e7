/* hash.h - a fast hash of bytes, for tables in memory. It does not resist chosen collisions. */
#ifndef W_HASH_H
#define W_HASH_H

#include "base/base.h"

#define W_GOLDEN 0x9E3779B97F4A7C15ull /* 2^64 / golden ratio: Knuth, TAOCP 3, 6.4 */

/* All 64 bits are mixed; the upper ones best. */
static inline u64 w_hash_bytes(const u8 *p, size_t size)
{
    u64 hash = size * W_GOLDEN, last = 0;

    for (; size >= 8; p += 8, size -= 8) {
        hash = (hash ^ w_get64(p)) * W_GOLDEN;
        hash ^= hash >> 32;
    }
    for (size_t i = 0; i < size; i++)
        last |= (u64)p[i] << 8 * i;
    hash = (hash ^ last) * W_GOLDEN;
    return hash ^ hash >> 32;
}

#endif
