#include "base/rng.h"

#include <math.h>

void w_philox(u64 seed, u64 stream, u64 counter, u32 out[4])
{
    u32 key0 = (u32)seed, key1 = (u32)(seed >> 32);
    u32 c0 = (u32)counter, c1 = (u32)(counter >> 32), c2 = (u32)stream, c3 = (u32)(stream >> 32);

    for (int round = 0; round < 10; round++) {
        u64 p0 = (u64)0xD2511F53u * c0, p1 = (u64)0xCD9E8D57u * c2;
        u32 n0 = (u32)(p1 >> 32) ^ c1 ^ key0, n2 = (u32)(p0 >> 32) ^ c3 ^ key1;
        c0 = n0, c1 = (u32)p1, c2 = n2, c3 = (u32)p0;
        key0 += 0x9E3779B9u, key1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

u64 w_rng_u64(struct w_rng *rng)
{
    u32 bits[4];
    w_philox(rng->seed, rng->stream, rng->counter++, bits);
    return (u64)bits[0] | (u64)bits[1] << 32;
}

u64 w_rng_below(struct w_rng *rng, u64 n)
{
    /* Numbers below 2^64 mod n are rejected: n divides the count of the remaining ones. */
    u64 reject = (0 - n) % n, bits;
    do
        bits = w_rng_u64(rng);
    while (bits < reject);
    return bits % n;
}

double w_rng_unit(struct w_rng *rng)
{
    return (double)(w_rng_u64(rng) >> 11) * 0x1p-53;
}

double w_rng_normal(struct w_rng *rng)
{
    u32 bits[4];
    w_philox(rng->seed, rng->stream, rng->counter++, bits);
    u64 a = ((u64)bits[0] | (u64)bits[1] << 32) >> 11,
        b = ((u64)bits[2] | (u64)bits[3] << 32) >> 11;
    double radius = sqrt(-2.0 * log(((double)a + 1.0) * 0x1p-53));
    return radius * cos(6.283185307179586 * ((double)b * 0x1p-53));
}
