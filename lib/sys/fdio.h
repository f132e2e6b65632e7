/* fdio.h - file descriptors: whole reads and writes, files that appear only when complete.
 *
 * Every call loops over short counts and EINTR, waits where a descriptor is non-blocking, and names
 * the file in its error. Any of them may return W_IO (the system's refusal), W_NOMEM, and W_SIGNAL
 * (see w_heed_stop() and stop_fd); a write to a pipe without a reader is W_PIPE, which a filter
 * treats as "the consumer has enough". Further statuses are named at the functions. */
#ifndef W_FDIO_H
#define W_FDIO_H

#include <signal.h>

#include "base/status.h"

/* From now on, a call that waits ends with W_SIGNAL once a signal handler has set the flag and
 * interrupted it (no SA_RESTART); a read checks the flag also before it waits. Call it before any
 * thread reads. NULL: ignore signals again. */
void w_heed_stop(const volatile sig_atomic_t *flag);
/* Has the handler set it? For a wait that no signal ends. */
bool w_stop_is_asked(void);

/* ---- input ---- */

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

/* ---- output ---- */

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

/* True if no file of that name exists; false also if that cannot be determined. */
bool w_is_missing(const char *path);

/* Is this descriptor a terminal? */
bool w_is_terminal(int fd);

/* What a path leads to; NULL and "-" are standard input, which is FILE or OTHER. After W_PATH_NONE
 * errno holds the reason. */
enum w_path_kind { W_PATH_NONE, W_PATH_FILE, W_PATH_FOLDER, W_PATH_OTHER };
enum w_path_kind w_path_kind(const char *path);

/* Open /dev/null on those of the descriptors 0 to 2 that are closed, so that a data file never
 * becomes standard output; what is written to a standard output that was closed fails. Call first
 * in main. */
void w_fill_standard_fds(void);

#endif
