/* unpack.h - the bytes of a file as they were before bzip2; other files as they are.
 *
 *     w_unpack_open(&u, &input, threads, &err);
 *     while (!(status = w_unpack_next(u, &bytes, &size, &err)))    // W_END behind the last
 *         use(bytes, size);
 *
 * Blocks of bzip2 are decoded on threads and come in their order; what comes out is the same for any
 * number of threads. Every checksum is looked at. Memory is bounded: about 14 MB a thread,
 * and a block that is made to be large takes 46 MB. */
#ifndef W_UNPACK_H
#define W_UNPACK_H

#include "sys/fdio.h"

struct w_unpack;

/* Looks at the first bytes to see what it is. The input stays the caller's. */
enum w_status w_unpack_open(struct w_unpack **, struct w_input *, u32 threads,
                            struct w_err *err) W_MUST_CHECK;
void w_unpack_close(struct w_unpack **); /* accepts NULL */

/* The next bytes, at least one; valid until the next call. Errors name the input and the place. */
enum w_status w_unpack_next(struct w_unpack *, const u8 **bytes, size_t *size,
                            struct w_err *err) W_MUST_CHECK;

/* Bytes of the file that have been used so far. */
u64 w_unpack_consumed(const struct w_unpack *);

#endif
