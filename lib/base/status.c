#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum w_status w_fail(struct w_err *err, enum w_status status, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        err->status = status;
        err->number = 0;
    }
    return status;
}

enum w_status w_fail_errno(struct w_err *err, const char *format, ...)
{
    int number = errno;
    enum w_status status = number == ENOMEM ? W_NOMEM : number == EPIPE ? W_PIPE : W_IO;

    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(number));
        err->status = status;
        err->number = number;
    }
    return status;
}

bool w_err_is_full(const struct w_err *err)
{
    return err->status == W_IO && (err->number == ENOSPC || err->number == EDQUOT);
}

enum w_status w_fail_at(struct w_err *err, enum w_status status, const char *format, ...)
{
    if (err) {
        char old[W_ERR_TEXT];
        memcpy(old, err->text, sizeof old);
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, ": %s", old);
        err->status = status;
    }
    return status;
}

void w_make_printable(char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e)
            *text = '?';
}

/* One row per status: the exit code that scripts branch on and the word that logs use. */
static const struct {
    int exit_code;
    const char *name;
} rows[] = {
    [W_DONE] = {0, "ok"},           [W_END] = {0, "end"},         [W_NO] = {1, "no"},
    [W_USAGE] = {2, "usage"},       [W_CORRUPT] = {3, "corrupt"}, [W_TRUNCATED] = {3, "truncated"},
    [W_ABORTED] = {3, "aborted"},   [W_NEWER] = {3, "newer"},     [W_LIMIT] = {3, "limit"},
    [W_MISMATCH] = {3, "mismatch"}, [W_IO] = {4, "io"},           [W_NOMEM] = {4, "memory"},
    [W_PIPE] = {0, "pipe"},         [W_SIGNAL] = {4, "signal"},   [W_DIVERGED] = {1, "diverged"},
};

int w_exit_code(enum w_status status)
{
    return rows[status].exit_code;
}

const char *w_status_name(enum w_status status)
{
    return rows[status].name;
}
