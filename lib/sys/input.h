/* input.h - whole reads of files, pipes and terminals.
 *
 * Every call loops over short counts and EINTR, waits where a descriptor is non-blocking, and names
 * the file in its error. Any of them may return W_IO (the system's refusal), W_NOMEM, and W_SIGNAL
 * (see w_heed_stop() and stop_fd). Further statuses are named at the functions. */
#ifndef W_INPUT_H
#define W_INPUT_H

#include "base/status.h"

struct w_input {
    int fd;
    bool owned;     /* w_input_close() closes it */
    bool seekable;  /* a regular file */
    u64 size_bytes; /* of a regular file; else 0 */
    u64 start;      /* byte offset of a regular file at open: not 0 where a shell has read before */
    int stop_fd;    /* once it is readable or at its end, reading gives W_SIGNAL instead of waiting,
                       so that a thread can be stopped that waits for a pipe; 0: none */
    bool ended; /* a read met the end: of a terminal, where typing could go on, it is final too */
    char name[256]; /* for messages: the path, shortened, or "standard input" */
};

/* Open a path for reading; NULL and "-" are standard input. */
enum w_status w_input_open(struct w_input *in, const char *path, struct w_err *err) W_MUST_CHECK;

/* The same for a descriptor, which stays the caller's; `name` is for messages. */
enum w_status w_input_from_fd(struct w_input *in, int fd, const char *name,
                              struct w_err *err) W_MUST_CHECK;

/* Read up to size bytes, fewer only at the end of the file; *got says how many. */
enum w_status w_input_read(struct w_input *in, void *bytes, size_t size, size_t *got,
                           struct w_err *err) W_MUST_CHECK;

/* Read what is available: at least one byte, or *got = 0 at the end. For text from a live pipe. */
enum w_status w_input_some(struct w_input *in, void *bytes, size_t size, size_t *got,
                           struct w_err *err) W_MUST_CHECK;

/* Move a seekable input to an absolute byte offset. */
enum w_status w_input_seek(struct w_input *in, u64 offset, struct w_err *err) W_MUST_CHECK;

/* Read size bytes of a seekable input from an absolute offset, fewer only at the end of the file,
 * without moving. */
enum w_status w_input_read_at(struct w_input *in, u64 offset, void *bytes, size_t size, size_t *got,
                              struct w_err *err) W_MUST_CHECK;

/* Close; harmless when never opened (all zero) or closed before. */
void w_input_close(struct w_input *in);

/* A whole file as text, followed by a NUL; W_LIMIT for more than `limit` bytes. The caller frees
 * *text, which is NULL after a failure. */
enum w_status w_input_slurp(const char *path, u64 limit, char **text, size_t *size,
                            struct w_err *err) W_MUST_CHECK;

#endif
