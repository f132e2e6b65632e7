/* bzip2.h - one block of a bzip2 file, decoded alone. The only user of bzlib.h.
 *
 * A bzip2 stream is "BZh" and a digit, blocks, and an end; all but the first four bytes is a sequence
 * of bits that knows no bytes. Blocks do not refer to each other: whoever finds where they begin can
 * decode them in any order (see bzip2_scan.h). A block begins with 48 bits that are the digits of pi,
 * then has 32 bits of a checksum of what it decodes to. */
#ifndef W_BZIP2_H
#define W_BZIP2_H

#include "base/buffer.h"
#include "base/status.h"

#define W_BZIP2_BLOCK 0x314159265359ull /* the first 48 bits of a block: pi */
#define W_BZIP2_END 0x177245385090ull   /* of the end of a stream: its square root */

/* A block is not larger than this: 900,000 symbols of at most 20 bits, and tables. */
#define W_BZIP2_BLOCK_BYTES ((size_t)3 << 20)

/* The bits first_bit (0 to 7, from the highest of the first byte on) to first_bit + bits. */
struct w_bzip2_block {
    struct w_buffer bytes;
    unsigned first_bit;
    u64 bits;
};

/* `count` (at most 56) bits from bit `at` of bytes on, which have to be there. */
u64 w_bits_at(const u8 *bytes, u64 at, unsigned count);

/* Replace out by what a block decodes to, at most 46 MB; scratch is memory to use again. W_CORRUPT if
 * the bits are not one block, from its first to its last, or the checksum says no. */
enum w_status w_bzip2_decode(const struct w_bzip2_block *, struct w_buffer *scratch,
                             struct w_buffer *out, struct w_err *err) W_MUST_CHECK;

#endif
