/* unpack.h - the bytes of a file as they were before bzip2; other files as they are.
 *
 *     w_unpack_open(&u, &input, threads, &err);
 *     while (!(status = w_unpack_next(u, &bytes, &size, &err)))    // W_END after the last
 *         use(bytes, size);
 *
 * Blocks of bzip2 are decoded on threads and come in their order; what comes out is the same for
 * any number of threads. Every checksum is verified. Memory is bounded: about 14 MB a thread, and
 * 46 MB for a block that was made to expand as far as possible. */
#ifndef W_UNPACK_H
#define W_UNPACK_H

#include "sys/fdio.h"

struct w_unpack;

/* Reads the first bytes to recognize the format. The input stays the caller's. W_NOMEM, else as
 * w_input_read() and w_thread_start(). */
enum w_status w_unpack_open(struct w_unpack **, struct w_input *, u32 threads,
                            struct w_err *err) W_MUST_CHECK;
void w_unpack_close(struct w_unpack **); /* accepts NULL */

/* The next bytes, at least one; valid until the next call. W_END after the last; W_CORRUPT: broken
 * bzip2, or a wrong checksum; W_TRUNCATED: it ends inside of a stream; W_NOMEM; else as
 * w_input_read(). Errors name the input and the place. */
enum w_status w_unpack_next(struct w_unpack *, const u8 **bytes, size_t *size,
                            struct w_err *err) W_MUST_CHECK;

/* Bytes of the file that have been used so far. */
u64 w_unpack_consumed(const struct w_unpack *);

#endif
