#include "sys/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const volatile sig_atomic_t *stop_flag; /* see w_heed_stop() */

void w_heed_stop(const volatile sig_atomic_t *flag)
{
    stop_flag = flag;
}

bool w_stop_is_asked(void)
{
    return stop_flag && __atomic_load_n(stop_flag, __ATOMIC_RELAXED);
}

enum w_status w_fd_failed(struct w_err *err, const char *name, const char *what)
{
    if (errno == EINTR && w_stop_is_asked())
        return w_fail(err, W_SIGNAL, "%s: stopped by a signal", name);
    return w_fail_errno(err, "%s: %s", name, what);
}

/* May a call be repeated? Another process may have set O_NONBLOCK on a shared descriptor: wait
 * instead of failing, and leave the flag, which affects that process too. */
static bool can_try_again(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return poll(&p, 1, -1) >= 0 || (errno == EINTR && !w_stop_is_asked());
    return errno == EINTR && !w_stop_is_asked();
}

ssize_t w_fd_read(int fd, void *bytes, size_t size)
{
    ssize_t n;
    do {
        if (w_stop_is_asked()) {
            errno = EINTR;
            return -1;
        }
        n = read(fd, bytes, size);
    } while (n < 0 && can_try_again(fd, POLLIN));
    return n;
}

bool w_fd_write(int fd, const void *bytes, size_t size)
{
    const char *p = bytes;

    while (size > 0) {
        ssize_t n = write(fd, p, size);
        if (n >= 0)
            p += n, size -= (size_t)n;
        else if (!can_try_again(fd, POLLOUT))
            return false;
    }
    return true;
}

void w_display_name(char *name, size_t size, const char *path)
{
    size_t length = strlen(path), skip = length >= size ? length - size + 4 : 0, i = 0;

    if (skip)
        memcpy(name, "...", 3), i = 3;
    for (const char *p = path + skip; *p && i + 1 < size; p++)
        name[i++] = (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p;
    name[i] = 0;
}

bool w_is_missing(const char *path)
{
    struct stat st;
    return stat(path, &st) && (errno == ENOENT || errno == ENOTDIR);
}

bool w_is_terminal(int fd)
{
    return isatty(fd) == 1;
}

enum w_path_kind w_path_kind(const char *path)
{
    bool standard = !path || !strcmp(path, "-");
    struct stat st;

    if (standard ? fstat(STDIN_FILENO, &st) : stat(path, &st))
        return standard ? W_PATH_OTHER : W_PATH_NONE;
    return S_ISREG(st.st_mode)                ? W_PATH_FILE
           : S_ISDIR(st.st_mode) && !standard ? W_PATH_FOLDER
                                              : W_PATH_OTHER;
}

void w_fill_standard_fds(void)
{
    /* open() takes the lowest free descriptor, which is this one. Standard output is opened for
     * reading: writing to it must fail, since the data would be lost. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return;
}
