/* Reading, writing and replacing files.
 *
 * A file is written under a temporary name in the folder of the final one, synced, and renamed;
 * then the folder is synced. rename(2) is atomic, so that under the final name there is at any time
 * either the old file or the whole new one, also after a crash. The temporary name is
 * .NAME.PID.SPACE.N.tmp: SPACE says on which machine, boot and PID namespace PID is a process
 * (sys/folder.h), N makes it unique. */
#include "sys/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/folder.h"

static const volatile sig_atomic_t *stop_flag; /* see w_heed_stop() */

void w_heed_stop(const volatile sig_atomic_t *flag)
{
    stop_flag = flag;
}

bool w_stop_is_asked(void)
{
    return stop_flag && __atomic_load_n(stop_flag, __ATOMIC_RELAXED);
}

/* What a call that ended with errno means: a signal, or a failure. */
static enum w_status call_failed(struct w_err *err, const char *name, const char *what)
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

static ssize_t read_once(int fd, void *bytes, size_t size)
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

/* A signal that came earlier does not prevent the writing of what a program saves before it ends;
 * one that arrives while the write waits for the reader of a pipe ends it. */
static bool write_all(int fd, const void *bytes, size_t size)
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

/* A path may hold any bytes; a message is one line without control characters. Of long paths the
 * end is kept. */
static void display_name(char *name, size_t size, const char *path)
{
    size_t length = strlen(path), skip = length >= size ? length - size + 4 : 0, i = 0;

    if (skip)
        memcpy(name, "...", 3), i = 3;
    for (const char *p = path + skip; *p && i + 1 < size; p++)
        name[i++] = (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p;
    name[i] = 0;
}

enum w_status w_input_from_fd(struct w_input *in, int fd, const char *name, struct w_err *err)
{
    struct stat st;

    memset(in, 0, sizeof *in);
    display_name(in->name, sizeof in->name, name);
    in->fd = fd;
    if (fstat(fd, &st))
        return w_fail_errno(err, "%s", in->name);
    if (S_ISDIR(st.st_mode))
        return w_fail(err, W_IO, "%s: is a folder, not a file", in->name);
    in->seekable = S_ISREG(st.st_mode);
    in->size_bytes = in->seekable ? (u64)st.st_size : 0;
    off_t start = in->seekable ? lseek(fd, 0, SEEK_CUR) : 0;
    in->start = start > 0 ? (u64)start : 0;
    return W_DONE;
}

enum w_status w_input_open(struct w_input *in, const char *path, struct w_err *err)
{
    if (!path || !strcmp(path, "-"))
        return w_input_from_fd(in, STDIN_FILENO, "standard input", err);

    memset(in, 0, sizeof *in);
    display_name(in->name, sizeof in->name, path);
    in->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0)
        return call_failed(err, in->name, "cannot open");
    enum w_status status = w_input_from_fd(in, in->fd, path, err);
    in->owned = true;
    if (status)
        w_input_close(in);
    return status;
}

/* Wait for data or for a request to stop; true for the latter. */
static bool is_stopped(const struct w_input *in)
{
    struct pollfd p[2] = {{.fd = in->fd, .events = POLLIN}, {.fd = in->stop_fd, .events = POLLIN}};

    while (poll(p, 2, -1) < 0 && errno == EINTR)
        ;
    return p[1].revents != 0;
}

enum w_status w_input_some(struct w_input *in, void *bytes, size_t size, size_t *got,
                           struct w_err *err)
{
    *got = 0;
    if (in->stop_fd && is_stopped(in))
        return w_fail(err, W_SIGNAL, "%s: reading was stopped", in->name);
    ssize_t n = in->ended ? 0 : read_once(in->fd, bytes, size);
    *got = n > 0 ? (size_t)n : 0;
    in->ended = n == 0 && size > 0;
    return n < 0 ? call_failed(err, in->name, "cannot read") : W_DONE;
}

enum w_status w_input_read(struct w_input *in, void *bytes, size_t size, size_t *got,
                           struct w_err *err)
{
    enum w_status status = W_DONE;
    size_t n = 1;

    for (*got = 0; *got < size && n > 0; *got += n) {
        status = w_input_some(in, (char *)bytes + *got, size - *got, &n, err);
        if (status)
            break;
    }
    return status;
}

enum w_status w_input_seek(struct w_input *in, u64 offset, struct w_err *err)
{
    if (offset > INT64_MAX || lseek(in->fd, (off_t)offset, SEEK_SET) < 0)
        return w_fail_errno(err, "%s: cannot seek to byte %llu", in->name,
                            (unsigned long long)offset);
    in->ended = false;
    return W_DONE;
}

enum w_status w_input_read_at(struct w_input *in, u64 offset, void *bytes, size_t size, size_t *got,
                              struct w_err *err)
{
    *got = 0;
    if (offset > INT64_MAX || size > INT64_MAX - offset)
        return W_DONE; /* beyond the end of any file */
    while (*got < size) {
        ssize_t n = pread(in->fd, (char *)bytes + *got, size - *got, (off_t)(offset + *got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return w_fail_errno(err, "%s: cannot read at byte %llu", in->name,
                                (unsigned long long)offset);
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return W_DONE;
}

void w_input_close(struct w_input *in)
{
    if (in->owned)
        close(in->fd);
    in->owned = false;
    in->fd = -1;
}

enum w_status w_input_slurp(const char *path, u64 limit, char **text, size_t *size,
                            struct w_err *err)
{
    struct w_input in = {0};
    char *bytes = NULL;
    size_t used = 0, room = 0, got = 1;

    enum w_status status = w_input_open(&in, path, err);
    while (!status && got > 0) {
        if (used == room) {
            room = room ? room * 2 : (in.seekable ? in.size_bytes + 1 : 4096);
            room = (size_t)W_MIN((u64)room, limit + 1);
            char *bigger = used <= limit ? realloc(bytes, room + 1) : NULL;
            if (!bigger) {
                status = used > limit ? w_fail(err, W_LIMIT, "%s: larger than %llu bytes", in.name,
                                               (unsigned long long)limit)
                                      : w_fail(err, W_NOMEM, "%s: no memory to read it", in.name);
                break;
            }
            bytes = bigger;
        }
        status = w_input_read(&in, bytes + used, room - used, &got, err);
        used += got;
    }
    if (status) {
        free(bytes);
        bytes = NULL;
    } else {
        bytes[used] = 0;
    }
    *text = bytes;
    *size = used;
    w_input_close(&in);
    return status;
}

/* ---- output ---- */

/* The standard output or error (1, 2) that a link leads to, as /dev/stdout does; -1 if to
 * neither. */
static int standard_fd_of(const char *path, const struct stat *st)
{
    struct stat link, standard;

    if (lstat(path, &link) || !S_ISLNK(link.st_mode))
        return -1;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (!fstat(fd, &standard) && standard.st_dev == st->st_dev && standard.st_ino == st->st_ino)
            return fd;
    return -1;
}

/* Replace a path that is a link by its target, which need not exist: the link stays. */
static enum w_status follow_links(struct w_output *out, struct w_err *err)
{
    enum { LINKS_MAX = 40 };
    char target[sizeof out->path];
    ssize_t size;

    for (unsigned links = 0; (size = readlink(out->path, target, sizeof target)) >= 0; links++) {
        const char *slash = strrchr(out->path, '/');
        size_t folder = target[0] != '/' && slash ? (size_t)(slash - out->path) + 1 : 0;
        if (links == LINKS_MAX || folder + (size_t)size >= sizeof out->path)
            return w_fail(err, W_IO, "%s: too many links, or too long ones", out->name);
        memcpy(out->path + folder, target, (size_t)size);
        out->path[folder + (size_t)size] = 0;
    }
    return W_DONE;
}

/* A temporary file in the folder of the final one, with the permissions of the file it will
 * replace. */
static enum w_status open_temporary(struct w_output *out, const struct stat *old, struct w_err *err)
{
    const char *slash = strrchr(out->path, '/');
    int folder = slash ? (int)(slash - out->path) + 1 : 0;
    char space[W_PID_SPACE];
    struct stat now;

    w_pid_space(space);
    for (unsigned attempt = 0; attempt < 100 && out->fd < 0; attempt++) {
        snprintf(out->temp, sizeof out->temp, "%.*s.%.*s.%ld.%s.%u.tmp", folder, out->path,
                 W_TEMPORARY_BYTES, out->path + folder, (long)getpid(), space, attempt);
        out->fd = open(out->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (out->fd < 0 && errno != EEXIST)
            break;
    }
    if (out->fd < 0)
        return w_fail_errno(err, "%s: cannot create", out->name);
    out->is_file = true;
    if (old && (fstat(out->fd, &now) ||
                (now.st_mode != old->st_mode && fchmod(out->fd, old->st_mode & 0777)))) {
        enum w_status status = w_fail_errno(err, "%s: cannot keep its permissions", out->name);
        w_output_abort(out);
        return status;
    }
    return W_DONE;
}

enum w_status w_output_open(struct w_output *out, const char *path, struct w_err *err)
{
    struct stat st;

    memset(out, 0, sizeof *out);
    out->fd = -1;
    if (!path || !strcmp(path, "-")) {
        snprintf(out->name, sizeof out->name, "standard output");
        out->fd = STDOUT_FILENO;
        return W_DONE;
    }
    if (!*path)
        return w_fail(err, W_USAGE, "an output without a name");
    display_name(out->name, sizeof out->name, path);
    if (strlen(path) >= sizeof out->path)
        return w_fail(err, W_USAGE, "%s: the path is too long", out->name);
    snprintf(out->path, sizeof out->path, "%s", path);
    const bool exists = stat(path, &st) == 0;
    const int standard = exists ? standard_fd_of(path, &st) : -1;
    if (exists && S_ISDIR(st.st_mode))
        return w_fail(err, W_IO, "%s: is a folder, not a file", out->name);
    if (standard >= 0 || (exists && !S_ISREG(st.st_mode))) {
        out->fd = standard >= 0 ? fcntl(standard, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                                : open(path, O_WRONLY | O_CLOEXEC);
        return out->fd < 0 ? call_failed(err, out->name, "cannot open for writing") : W_DONE;
    }
    enum w_status status = follow_links(out, err);
    return status ? status : open_temporary(out, exists ? &st : NULL, err);
}

enum w_status w_output_try(const char *path, struct w_err *err)
{
    struct w_output out = {.fd = -1};
    const char *slash = path ? strrchr(path, '/') : NULL;
    struct stat st;

    if ((slash && !slash[1]) || (path && !stat(path, &st) && !S_ISREG(st.st_mode)))
        return W_DONE;
    /* No signal ends the program while the file that it tries is there. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    enum w_status status = w_output_open(&out, path, err);
    if (!status && out.is_file)
        w_temporary_sweep(out.path);
    w_output_abort(&out);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

enum w_status w_output_write(struct w_output *out, const void *bytes, size_t size,
                             struct w_err *err)
{
    if (!write_all(out->fd, bytes, size))
        return call_failed(err, out->name, "cannot write");
    out->bytes += size;
    return W_DONE;
}

enum w_status w_output_reserve(struct w_output *out, u64 bytes, struct w_err *err)
{
    if (!out->is_file || bytes > INT64_MAX)
        return W_DONE;
    int number = posix_fallocate(out->fd, 0, (off_t)bytes);
    if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
        errno = number;
        return w_fail_errno(err, "%s: no room for %llu bytes", out->name,
                            (unsigned long long)bytes);
    }
    return W_DONE;
}

enum w_status w_output_commit(struct w_output *out, struct w_err *err)
{
    enum w_status status = W_DONE;

    if (out->fd < 0)
        return W_DONE;
    /* Space reserved beyond the end is given back. */
    if (out->is_file && (ftruncate(out->fd, (off_t)out->bytes) || fsync(out->fd)))
        status = w_fail_errno(err, "%s: cannot sync", out->name);
    if (close(out->fd) && !status)
        status = w_fail_errno(err, "%s: cannot close", out->name);
    out->fd = -1;
    if (!status && out->is_file && rename(out->temp, out->path))
        status = w_fail_errno(err, "%s: cannot rename from %s", out->name, out->temp);
    if (status && out->is_file)
        unlink(out->temp);
    else if (out->is_file)
        status = w_folder_sync_of(out->path, err);
    out->is_file = false;
    return status;
}

void w_output_abort(struct w_output *out)
{
    if (out->path[0] && out->fd >= 0)
        close(out->fd);
    out->fd = -1;
    if (out->is_file)
        unlink(out->temp);
    out->is_file = false;
}

enum w_status w_output_whole(const char *path, const void *bytes, size_t size, struct w_err *err)
{
    struct w_output out = {.fd = -1};

    enum w_status status = w_output_open(&out, path, err);
    if (!status)
        status = w_output_write(&out, bytes, size, err);
    if (!status)
        status = w_output_commit(&out, err);
    if (status)
        w_output_abort(&out);
    return status;
}

enum w_status w_write_line(int fd, const char *line, size_t size, const char *name,
                           struct w_err *err)
{
    return write_all(fd, line, size) ? W_DONE : call_failed(err, name, "cannot write");
}

enum w_status w_append_line(const char *path, const char *line, size_t size, struct w_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    if (fd < 0)
        return w_fail_errno(err, "%.500s: cannot open", path);
    enum w_status status = w_write_line(fd, line, size, path, err);
    if (close(fd) && !status)
        status = w_fail_errno(err, "%.500s: cannot close", path);
    return status;
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
