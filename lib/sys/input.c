/* Reading files, pipes and terminals. There are two ways to end a read that waits: a signal
 * (sys/fdio.h), for the whole program, and stop_fd, for one input that a thread reads. */
#include "sys/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fdio.h"

enum w_status w_input_from_fd(struct w_input *in, int fd, const char *name, struct w_err *err)
{
    struct stat st;

    memset(in, 0, sizeof *in);
    w_display_name(in->name, sizeof in->name, name);
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
    w_display_name(in->name, sizeof in->name, path);
    in->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0)
        return w_fd_failed(err, in->name, "cannot open");
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
    ssize_t n = in->ended ? 0 : w_fd_read(in->fd, bytes, size);
    *got = n > 0 ? (size_t)n : 0;
    in->ended = n == 0 && size > 0;
    return n < 0 ? w_fd_failed(err, in->name, "cannot read") : W_DONE;
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
