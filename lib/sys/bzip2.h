/* bzip2.h - one block of a bzip2 file, decoded alone. The only user of bzlib.h.
 *
 * A bzip2 stream is "BZh" and a digit, blocks, and an end; all but the first four bytes is a
 * sequence of bits that is not aligned to bytes. Blocks do not refer to each other: once their
 * beginnings are known they can be decoded in any order (see bzip2_scan.h). A block begins with 48
 * bits that are the digits of pi, followed by the 32-bit checksum of its decoded bytes. */
#ifndef W_BZIP2_H
#define W_BZIP2_H

#include "base/buffer.h"
#include "base/status.h"

#define W_BZIP2_BLOCK 0x314159265359ull /* the first 48 bits of a block: pi */
#define W_BZIP2_END 0x177245385090ull   /* of a stream's end: the square root of pi */

/* A block is not larger than this: 900,000 symbols of at most 20 bits, and tables. */
#define W_BZIP2_BLOCK_BYTES ((size_t)3 << 20)

/* The bits first_bit (0 to 7, from the highest of the first byte on) to first_bit + bits. */
struct w_bzip2_block {
    struct w_buffer bytes;
    unsigned first_bit;
    u64 bits;
};

/* `count` (at most 56) bits from bit `at` on, all within bytes. */
u64 w_bits_at(const u8 *bytes, u64 at, unsigned count);

/* Replace out by the decoded bytes of a block, at most 46 MB; scratch is kept between calls.
 * W_CORRUPT if the bits are not exactly one block, or its checksum differs; W_NOMEM. */
enum w_status w_bzip2_decode(const struct w_bzip2_block *, struct w_buffer *scratch,
                             struct w_buffer *out, struct w_err *err) W_MUST_CHECK;

#endif
