#include "sys/stop.h"

#include <unistd.h>

enum w_status w_stop_open(struct w_stop *stop, struct w_err *err)
{
    int ends[2];

    if (pipe(ends))
        return w_fail_errno(err, "cannot make a pipe");
    *stop = (struct w_stop){ends[0], ends[1]};
    return W_DONE;
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd); /* nothing was written, so nothing can be lost */
    *fd = -1;
}

void w_stop_ask(struct w_stop *stop)
{
    close_end(&stop->end);
}

void w_stop_close(struct w_stop *stop)
{
    close_end(&stop->end);
    close_end(&stop->fd);
}
