/* decode_ahead.h - a file through a decoder (decoder.h), read and decoded on a thread beside the
 * caller, who gets the bytes in pieces. */
#ifndef W_DECODE_AHEAD_H
#define W_DECODE_AHEAD_H

#include "sys/decoder.h"
#include "sys/input.h"

struct w_decode_ahead;

/* first: bytes of the input that were read already, at most 64 KiB; they are copied. The input
 * stays the caller's, but is the thread's until the end. threads: as w_unpack_open(). W_NOMEM;
 * W_IO; as w_thread_start(). */
enum w_status w_decode_ahead_open(struct w_decode_ahead **, const struct w_decoder *,
                                  struct w_input *, const u8 *first, size_t first_size, u32 threads,
                                  struct w_err *) W_MUST_CHECK;
void w_decode_ahead_close(struct w_decode_ahead **); /* accepts NULL */

/* As w_unpack_next() and w_unpack_consumed(). */
enum w_status w_decode_ahead_next(struct w_decode_ahead *, const u8 **bytes, size_t *size,
                                  struct w_err *) W_MUST_CHECK;
u64 w_decode_ahead_consumed(const struct w_decode_ahead *);

#endif
