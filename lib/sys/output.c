/* A file is written under a temporary name in the folder of the final one, synced, and renamed;
 * then the folder is synced. rename(2) is atomic, so that under the final name there is at any time
 * either the old file or the whole new one, also after a crash. The temporary name is
 * .NAME.PID.SPACE.N.tmp: SPACE says on which machine, boot and PID namespace PID is a process
 * (sys/folder.h), N makes it unique. */
#include "sys/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fdio.h"
#include "sys/folder.h"

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
    w_display_name(out->name, sizeof out->name, path);
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
        return out->fd < 0 ? w_fd_failed(err, out->name, "cannot open for writing") : W_DONE;
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
    if (!w_fd_write(out->fd, bytes, size))
        return w_fd_failed(err, out->name, "cannot write");
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
    return w_fd_write(fd, line, size) ? W_DONE : w_fd_failed(err, name, "cannot write");
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
