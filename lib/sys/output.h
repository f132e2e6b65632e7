/* output.h - whole writes, and files that appear only when complete.
 *
 * Every call loops over short counts and EINTR, waits where a descriptor is non-blocking, and names
 * the file in its error. Any of them may return W_IO (the system's refusal), W_NOMEM, and W_SIGNAL
 * (see w_heed_stop()); a write to a pipe without a reader is W_PIPE, which a filter treats as "the
 * consumer has enough". Further statuses are named at the functions. */
#ifndef W_OUTPUT_H
#define W_OUTPUT_H

#include "base/status.h"

struct w_output {
    int fd;
    bool is_file;    /* a temporary file that w_output_commit() renames */
    char path[4096]; /* the final name */
    char temp[4160]; /* the temporary one, in the same folder */
    char name[256];  /* for messages */
    u64 bytes;       /* written so far */
};

/* Open for writing. NULL and "-" are standard output. Any other path is written under a temporary
 * name in the same folder until commit, with the permissions of the file that it replaces. A link
 * is followed: its target is replaced. A path that is not a regular file (a FIFO, /dev/null) is
 * opened as it is, and so is a link to the present standard output or error (/dev/stdout). W_USAGE:
 * the path is empty or longer than 4095 bytes. */
enum w_status w_output_open(struct w_output *out, const char *path, struct w_err *err) W_MUST_CHECK;

/* Could w_output_open() make a file there? What cannot be written is to be known before hours of
 * work. A pipe, a device or a folder is not tried. What killed processes left of that output is
 * deleted (sys/folder.h). Statuses as w_output_open(). */
enum w_status w_output_try(const char *path, struct w_err *err) W_MUST_CHECK;
enum w_status w_output_write(struct w_output *out, const void *bytes, size_t size,
                             struct w_err *err) W_MUST_CHECK;

/* Reserve space for a file of a known size, so that a full disk shows before the work; does
 * nothing where the file system cannot. */
enum w_status w_output_reserve(struct w_output *out, u64 bytes, struct w_err *err) W_MUST_CHECK;

/* Make it final: fsync, close, rename, fsync of the folder. Standard output is closed and checked.
 * Releases, also after a failure. */
enum w_status w_output_commit(struct w_output *out, struct w_err *err) W_MUST_CHECK;

/* Discard it: nothing appears under the final name. Harmless after commit or when never opened. */
void w_output_abort(struct w_output *out);

/* Write bytes as a whole file: it appears complete or not at all. */
enum w_status w_output_whole(const char *path, const void *bytes, size_t size,
                             struct w_err *err) W_MUST_CHECK;

/* Append one line (with its newline) to a descriptor in a single write, so that lines of several
 * writers never mix. */
enum w_status w_write_line(int fd, const char *line, size_t size, const char *name,
                           struct w_err *err) W_MUST_CHECK;

/* The same at the end of a file, which is created if needed. */
enum w_status w_append_line(const char *path, const char *line, size_t size,
                            struct w_err *err) W_MUST_CHECK;

#endif
