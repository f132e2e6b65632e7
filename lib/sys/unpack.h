/* unpack.h - the bytes of a file as they were before gzip, bzip2, xz or zstd; other files as they
 * are.
 *
 *     w_unpack_open(&u, &input, threads, &err);
 *     while (!(status = w_unpack_next(u, &bytes, &size, &err)))    // W_END after the last
 *         use(bytes, size);
 *
 * The format is known by the first bytes (a row of the table in unpack.c), whatever the name. A
 * file may be several compressed ones in a row. Blocks of bzip2 and of xz are decoded on threads
 * and come in their order; gzip and zstd, one member or frame after the other, on a thread beside
 * the caller. What comes out is the same for any number of threads. Every checksum is verified,
 * what is cut or followed by something else is refused. Memory is bounded, however far a file
 * expands: bzip2 takes about 14 MB a thread, and 46 MB for a block that was made to expand as far
 * as possible; xz at most 64 MB a thread and its dictionary, gzip 2 MB, zstd its window. A
 * dictionary or a window of more than 128 MiB is refused, as by zstd(1). */
#ifndef W_UNPACK_H
#define W_UNPACK_H

#include "sys/input.h"

struct w_unpack;

/* Reads the first bytes to recognize the format. The input stays the caller's. threads: that may
 * decode, the caller's included: 1 starts none. W_NOMEM, else as w_input_read() and
 * w_thread_start(). */
enum w_status w_unpack_open(struct w_unpack **, struct w_input *, u32 threads,
                            struct w_err *err) W_MUST_CHECK;
/* The same for a file that is read as it is, whatever its first bytes. */
enum w_status w_unpack_open_plain(struct w_unpack **, struct w_input *,
                                  struct w_err *err) W_MUST_CHECK;
void w_unpack_close(struct w_unpack **); /* accepts NULL */

/* The next bytes, at least one; valid until the next call. W_END after the last; W_CORRUPT: broken
 * data, or a wrong checksum; W_TRUNCATED: it ends inside of a compressed part; W_LIMIT: it needs
 * more memory than above; W_NOMEM; W_SIGNAL; else as w_input_read(). Errors name the input and the
 * place. */
enum w_status w_unpack_next(struct w_unpack *, const u8 **bytes, size_t *size,
                            struct w_err *err) W_MUST_CHECK;

/* The first bytes, before anything else was read, at least one unless there is none; they come
 * again with the next call. *is_all: the file has no more; of a plain file there are W_UNPACK_PEEK
 * bytes, or all. Not W_END; else as w_unpack_next(). */
#define W_UNPACK_PEEK ((size_t)4096)
enum w_status w_unpack_peek(struct w_unpack *, const u8 **bytes, size_t *size, bool *is_all,
                            struct w_err *err) W_MUST_CHECK;

/* Up to `size` bytes, fewer only at the end, as w_input_read(); a plain file is read without a
 * copy. Not W_END; else as w_unpack_next(). */
enum w_status w_unpack_read(struct w_unpack *, void *bytes, size_t size, size_t *got,
                            struct w_err *err) W_MUST_CHECK;

/* Bytes of the file that have been used so far. */
u64 w_unpack_consumed(const struct w_unpack *);

/* "gzip", "bzip2", "xz", "zstd"; NULL for a file that comes as it is. */
const char *w_unpack_format(const struct w_unpack *);

/* The name of the format in which bytes begin, or NULL. */
const char *w_unpack_known(const u8 *bytes, size_t size);

#endif
