#include "tests/bench/peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/json.h"

/* The next line of the peer as JSON; the caller frees it. */
static enum w_status read_line(struct peer *peer, struct w_json **line, struct w_err *err)
{
    for (;;) {
        char *end = memchr(peer->text, '\n', peer->held);
        if (end) {
            size_t size = (size_t)(end - peer->text);
            enum w_status status = w_json_parse(line, peer->text, size, err);
            peer->held -= size + 1;
            memmove(peer->text, end + 1, peer->held);
            return status ? w_fail_at(err, status, "the peer's answer") : W_DONE;
        }
        if (peer->held == sizeof peer->text)
            return w_fail(err, W_LIMIT, "the peer printed a line of more than %zu bytes",
                          peer->held);
        ssize_t got = read(peer->from, peer->text + peer->held, sizeof peer->text - peer->held);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return w_fail_errno(err, "cannot read from the peer");
        if (got == 0)
            return w_fail(err, W_IO, "the peer ended; run its command by hand to see why");
        peer->held += (size_t)got;
    }
}

enum w_status peer_start(struct peer *peer, const char *command, const char *config,
                         const char *precision, u32 threads, struct w_err *err)
{
    char line[8192];
    int to[2], from[2];
    struct w_json *ready = NULL;

    *peer = (struct peer){0};
    snprintf(line, sizeof line, "exec %s serve '%s' --precision %s --threads %u", command, config,
             precision, (unsigned)threads);
    if (pipe(to) || pipe(from))
        return w_fail_errno(err, "no pipes for the peer");
    peer->pid = fork();
    if (peer->pid < 0) {
        peer->pid = 0;
        return w_fail_errno(err, "cannot start the peer");
    }
    if (peer->pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        for (int fd = 3; fd < 64; fd++)
            close(fd);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    peer->to = to[1];
    peer->from = from[0];
    enum w_status status = read_line(peer, &ready, err);
    w_json_free(ready);
    return status;
}

enum w_status peer_step(struct peer *peer, double *seconds, struct w_err *err)
{
    struct w_json *answer = NULL;

    if (write(peer->to, "\n", 1) != 1)
        return w_fail_errno(err, "cannot write to the peer");
    enum w_status status = read_line(peer, &answer, err);
    if (!status && !w_json_real(w_json_get(answer, "step_s"), seconds))
        status = w_fail(err, W_CORRUPT, "the peer's answer has no step_s");
    w_json_free(answer);
    return status;
}

void peer_stop(struct peer *peer)
{
    if (!peer->pid)
        return;
    close(peer->to);
    close(peer->from);
    waitpid(peer->pid, NULL, 0);
    peer->pid = 0;
}
