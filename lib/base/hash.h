/* hash.h - a fast hash of bytes, and keys of short ones, for tables in memory. The hash does not
 * resist chosen collisions. */
#ifndef W_HASH_H
#define W_HASH_H

#include <string.h>

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

#define W_SHORT_BYTES 16

/* Up to W_SHORT_BYTES bytes as two numbers, little-endian, padded with zeroes. `readable` bytes
 * from p on may be read: where they are as many as W_SHORT_BYTES, as for nearly all words of a
 * text, no branch and no copy depends on the size. */
static inline void w_short_key(u64 key[2], const u8 *p, size_t size, size_t readable)
{
    /* as many ones as there are bytes stand from W_SHORT_BYTES - size on */
    static const u8 window[2 * W_SHORT_BYTES] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                 255, 255, 255, 255, 255, 255, 255, 255};
    const u8 *mask = window + W_SHORT_BYTES - size;
    u8 copy[W_SHORT_BYTES];

    if (__builtin_expect(readable < W_SHORT_BYTES, false)) {
        memset(copy, 0, sizeof copy);
        memcpy(copy, p, size);
        p = copy;
    }
    key[0] = w_get64(p) & w_get64(mask);
    key[1] = w_get64(p + 8) & w_get64(mask + 8);
}

#endif
