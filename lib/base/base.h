/* base.h - the basics that every other file uses: fixed-width types, checked arithmetic,
 * attributes. Nothing here calls the operating system.
 *
 * Units in names: _bytes is a count of bytes, _s seconds; a plain count is a number of things. */
#ifndef W_BASE_H
#define W_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

#define W_VERSION_TEXT "0.1.0"

#define W_COUNTOF(array) (sizeof(array) / sizeof((array)[0]))
#define W_MIN(a, b) ((a) < (b) ? (a) : (b))
#define W_MAX(a, b) ((a) > (b) ? (a) : (b))

/* The caller must look at the result: an ignored failure is a bug that the compiler reports. */
#define W_MUST_CHECK __attribute__((warn_unused_result))
#define W_PRINTF(format_arg, first_arg) __attribute__((format(printf, format_arg, first_arg)))

/* Sums and products of sizes that come from outside. Return false on overflow. */
static inline W_MUST_CHECK bool w_add_ok(u64 a, u64 b, u64 *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}
static inline W_MUST_CHECK bool w_mul_ok(u64 a, u64 b, u64 *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

/* The largest integer that every JSON reader keeps exactly (2^53 - 1). */
#define W_JSON_INT_MAX 9007199254740991ull

/* Round n up to a multiple of a power of two. */
static inline u64 w_round_up(u64 n, u64 multiple)
{
    return (n + multiple - 1) & ~(multiple - 1);
}

static inline u64 w_ceil_div(u64 a, u64 b)
{
    return (a + b - 1) / b;
}

/* The bits of a float. Positive ones are in the order of their bits. */
static inline u32 w_bits_of(float x)
{
    u32 bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
static inline float w_from_bits(u32 bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Little-endian bytes <-> integers, for byte formats: independent of the host's order. */
static inline u16 w_get16(const u8 *p)
{
    return (u16)(p[0] | p[1] << 8);
}
static inline u32 w_get32(const u8 *p)
{
    return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}
static inline u64 w_get64(const u8 *p)
{
    return (u64)w_get32(p) | (u64)w_get32(p + 4) << 32;
}
static inline void w_put16(u8 *p, u16 v)
{
    p[0] = (u8)v, p[1] = (u8)(v >> 8);
}
static inline void w_put32(u8 *p, u32 v)
{
    p[0] = (u8)v, p[1] = (u8)(v >> 8), p[2] = (u8)(v >> 16), p[3] = (u8)(v >> 24);
}
static inline void w_put64(u8 *p, u64 v)
{
    w_put32(p, (u32)v), w_put32(p + 4, (u32)(v >> 32));
}

#endif
