/* fdio.h - file descriptors and paths: calls that go on after a signal, and what is behind a path.
 * sys/input.h and sys/output.h are made of these. */
#ifndef W_FDIO_H
#define W_FDIO_H

#include <signal.h>
#include <sys/types.h>

#include "base/status.h"

/* From now on, a call that waits ends with W_SIGNAL once a signal handler has set the flag and
 * interrupted it (no SA_RESTART); a read checks the flag also before it waits. Call it before any
 * thread reads. NULL: ignore signals again. */
void w_heed_stop(const volatile sig_atomic_t *flag);
/* Has the handler set it? For a wait that no signal ends. */
bool w_stop_is_asked(void);

/* As read(2) and write(2), but again after EINTR, waiting where a descriptor is non-blocking, and
 * w_fd_write() until all is written. errno is set after a failure: EINTR after a request to stop. A
 * request that came earlier does not prevent the writing of what a program saves before it ends;
 * one that arrives while the write waits for the reader of a pipe ends it. */
ssize_t w_fd_read(int fd, void *bytes, size_t size); /* below 0: failed */
bool w_fd_write(int fd, const void *bytes, size_t size);

/* What a call that ended with errno means: W_SIGNAL, or the system's refusal, "name: what: ...". */
enum w_status w_fd_failed(struct w_err *, const char *name, const char *what);

/* A path for messages. It may hold any bytes; a message is one line without control characters. Of
 * long paths the end is kept. */
void w_display_name(char *name, size_t size, const char *path);

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
