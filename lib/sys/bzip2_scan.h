/* bzip2_scan.h - where the blocks of a bzip2 file begin and end, without decoding them.
 *
 * A block ends at the 48 bits that begin the next one, or that end its stream, at any bit of a
 * byte; so blocks can be decoded on several threads, whether a file has one stream (as bzip2 writes
 * it), many (pbzip2, the "multistream" dumps, files joined by cat), and without an index.
 *
 *     w_bzip2_scan_new(&s, &input, NULL, 0, &err);
 *     while (!(status = w_bzip2_scan_next(s, &block, &place, &err)))   // W_END: whole streams
 *         ...
 *
 * Those 48 bits may also occur inside of a block by chance, or on purpose. Then the result is only
 * a part of a block, which does not decode, and the next call gives the part after it:
 * w_bzip2_join() joins them. */
#ifndef W_BZIP2_SCAN_H
#define W_BZIP2_SCAN_H

#include "sys/bzip2.h"
#include "sys/input.h"

struct w_bzip2_place {
    u64 offset;     /* byte of the file in which the block begins */
    bool ends;      /* its stream ends after it */
    u32 stream_crc; /* then: the checksum of the stream */
};

struct w_bzip2_scan;

/* The input stays the caller's, who may have read its first bytes, at most 1 MiB; they are copied.
 * W_NOMEM. */
enum w_status w_bzip2_scan_new(struct w_bzip2_scan **, struct w_input *, const u8 *first,
                               size_t first_size, struct w_err *err) W_MUST_CHECK;
void w_bzip2_scan_free(struct w_bzip2_scan *); /* accepts NULL */

/* Replace *block by the next one. W_END after the last stream; W_TRUNCATED if the file ends inside
 * of one; W_CORRUPT for anything that is not bzip2; W_NOMEM; else as w_input_read(). Errors name
 * the input and the byte. */
enum w_status w_bzip2_scan_next(struct w_bzip2_scan *, struct w_bzip2_block *block,
                                struct w_bzip2_place *place, struct w_err *err) W_MUST_CHECK;

/* Append the block that came after it. False without memory. */
bool w_bzip2_join(struct w_bzip2_block *, const struct w_bzip2_block *next) W_MUST_CHECK;

/* Do bytes begin as a bzip2 file does? */
bool w_bzip2_begins(const u8 *bytes, size_t size);

#endif
