/* status.h - how a library function reports what happened.
 *
 * A function that can fail returns enum w_status and takes a struct w_err, into which the function
 * that finds the fault writes one line for people: what is wrong, where, and what to do. The
 * library never prints: a tool prints that line once, after its own name, and exits with
 * w_exit_code().
 *
 *     enum w_status status = w_json_parse(&json, text, size, &err);
 *     if (status)
 *         goto out;
 *
 * "End" is a value of its own, distinct from success and from every failure. */
#ifndef W_STATUS_H
#define W_STATUS_H

#include "base/base.h"

enum w_status {
    W_DONE = 0,
    W_END,       /* the source is complete: no more to read */
    W_NO,        /* a negative answer: a requirement does not hold */
    W_DIVERGED,  /* training produced numbers that are not finite */
    W_USAGE,     /* the command line or the configuration is wrong */
    W_CORRUPT,   /* input: bytes that break the format or a checksum */
    W_TRUNCATED, /* input: ended without its end frame */
    W_ABORTED,   /* input: the producer reported that it failed */
    W_NEWER,     /* input: needs a newer version of this program */
    W_LIMIT,     /* input: larger than a limit */
    W_MISMATCH,  /* input: valid, but not what belongs here (other vocabulary, other data) */
    W_IO,        /* the system failed to read, write, open, rename... */
    W_NOMEM,     /* out of memory */
    W_PIPE,      /* the consumer of our output has enough and closed it: no failure */
    W_SIGNAL,    /* stopped by a signal, state saved */
};

#define W_ERR_TEXT 1024

struct w_err {
    enum w_status status;
    char text[W_ERR_TEXT]; /* one line, no newline, no program name */
    int number;            /* errno of the system call that failed (w_fail_errno()); else 0 */
};

/* Fill err (which may be NULL) and return status, so that a function can `return w_fail(...)`. */
enum w_status w_fail(struct w_err *err, enum w_status status, const char *format, ...)
    W_PRINTF(3, 4);

/* The same for a failed system call: appends ": " and the text of errno. Status W_IO, or W_NOMEM
 * for ENOMEM, or W_PIPE for EPIPE. */
enum w_status w_fail_errno(struct w_err *err, const char *format, ...) W_PRINTF(2, 3);

/* Was it a file system, or a quota, without room? */
bool w_err_is_full(const struct w_err *err);

/* Prefix "text: " to the message of an error that is passed on (a file's name, a line). */
enum w_status w_fail_at(struct w_err *err, enum w_status status, const char *format, ...)
    W_PRINTF(3, 4);

/* Make text from an input fit for a message: what is not printable ASCII becomes '?'. */
void w_make_printable(char *text);

/* The exit status of a program: 0 done; 1 a negative answer; 2 usage or configuration; 3 bad input;
 * 4 input/output or resources. */
int w_exit_code(enum w_status status);

/* A short word for a status ("corrupt", "truncated", ...), for logs. */
const char *w_status_name(enum w_status status);

#endif
