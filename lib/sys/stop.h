/* stop.h - how one thread ends another's blocking read: the read also waits for this descriptor.
 *
 *     w_stop_open(&stop, &err)
 *     input.stop_fd = stop.fd              // sys/input.h
 *     w_stop_ask(&stop)                    // from any thread: the read returns W_SIGNAL
 *     w_stop_close(&stop)                  // after the last read
 */
#ifndef W_STOP_H
#define W_STOP_H

#include "base/status.h"

struct w_stop {
    int fd;  /* at its end once a stop was requested; -1 before it was opened */
    int end; /* the writing end, which is only ever closed */
};
#define W_STOP_NONE                                                                                \
    {                                                                                              \
        -1, -1                                                                                     \
    }

/* W_IO: no pipe could be made. */
enum w_status w_stop_open(struct w_stop *, struct w_err *) W_MUST_CHECK;
void w_stop_ask(struct w_stop *);
void w_stop_close(struct w_stop *); /* also of one that was not opened */

#endif
