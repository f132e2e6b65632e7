/* bzip2_blocks.h - the blocks of a bzip2 file, decoded on threads and handed out in their order. */
#ifndef W_BZIP2_BLOCKS_H
#define W_BZIP2_BLOCKS_H

#include "sys/input.h"

struct w_bzip2_blocks;

/* first: bytes of the input that were read already, at most 1 MiB; they are copied. The input stays
 * the caller's. W_NOMEM; as w_thread_start(). */
enum w_status w_bzip2_blocks_open(struct w_bzip2_blocks **, struct w_input *, const u8 *first,
                                  size_t first_size, u32 threads, struct w_err *) W_MUST_CHECK;
void w_bzip2_blocks_close(struct w_bzip2_blocks **); /* accepts NULL */

/* As w_unpack_next() and w_unpack_consumed(). */
enum w_status w_bzip2_blocks_next(struct w_bzip2_blocks *, const u8 **bytes, size_t *size,
                                  struct w_err *) W_MUST_CHECK;
u64 w_bzip2_blocks_consumed(const struct w_bzip2_blocks *);

#endif
