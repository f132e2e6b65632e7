#include "sys/peers_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum w_status w_relay_open(struct w_relay *r, const char *path, u32 rank, u32 size,
                           struct w_err *err)
{
    int ends[2] = {-1, -1};

    r->rank = rank;
    r->size = size;
    r->in = r->out = -1;
    const bool named = path && strcmp(path, "-");
    if (rank == 0)
        r->in = named ? open(path, O_RDONLY | O_CLOEXEC) : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (rank == 0 && r->in < 0)
        return w_fail_errno(err, "%s: cannot be read for the other ranks",
                            named ? path : "standard input");
    if (pipe2(ends, O_CLOEXEC))
        return w_fail_errno(err, "cannot make a pipe");
    const bool failed = dup2(ends[0], STDIN_FILENO) < 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0;
    if (failed)
        w_fail_errno(err, "cannot make a pipe of standard input");
    close(ends[0]);
    r->out = ends[1];
    r->on = !failed;
    return failed ? err->status : W_DONE;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd); /* nothing that is lost: the reader counts what it gets */
    *fd = -1;
}

/* Rank 0: the next chunk of its standard input, if there is one. An error of reading is the end,
 * which the stream's reader takes for what it is, since the end frame is missing. */
static void take(struct w_relay *r)
{
    struct pollfd wait = {.fd = r->in, .events = POLLIN};
    ssize_t got = 0;

    if (r->in >= 0) {
        if (poll(&wait, 1, 0) <= 0)
            return;
        got = read(r->in, r->chunk, sizeof r->chunk);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            return;
    }
    r->count = got > 0 ? (u64)got : 0;
    r->has = true;
}

static int receive(struct w_relay *r, const struct w_peers_engine *engine)
{
    int error = 0;

    if (!r->receives)
        error = engine->receive(r->rank - 1, W_RELAY_TAG, r->chunk, sizeof r->chunk, &r->receive);
    r->receives = true;
    if (!error)
        error = engine->test(&r->receive, &r->has, &r->count);
    if (r->has)
        r->receives = false;
    return error;
}

/* Write to the program's pipe what has room there. */
static void give(struct w_relay *r)
{
    while (r->out >= 0 && r->written < r->count) {
        const ssize_t n = write(r->out, r->chunk + r->written, r->count - r->written);
        if (n >= 0)
            r->written += (u64)n;
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            close_fd(&r->out); /* the program has enough */
    }
    r->written = r->count;
}

int w_relay_advance(struct w_relay *r, const struct w_peers_engine *engine, bool *busy)
{
    int error = 0;

    if (!r->on)
        return 0;
    if (!r->has) {
        if (r->rank == 0)
            take(r);
        else
            error = receive(r, engine);
        if (error || !r->has)
            return error;
        r->written = 0;
        r->last = r->count == 0;
        r->sends = r->sent = r->rank + 1 == r->size; /* the last rank has no next */
    }
    *busy = true;
    give(r);
    if (!r->sends)
        error = engine->send(r->rank + 1, W_RELAY_TAG, r->chunk, r->count, &r->send);
    r->sends = true;
    if (!error && !r->sent)
        error = engine->test(&r->send, &r->sent, NULL);
    if (error || !r->sent || r->written < r->count)
        return error;
    r->has = false;
    if (r->last) {
        r->on = false;
        close_fd(&r->out);
    }
    return 0;
}

void w_relay_stop(struct w_relay *r)
{
    close_fd(&r->out);
    close_fd(&r->in);
}

void w_relay_close(struct w_relay *r)
{
    w_relay_stop(r);
}
