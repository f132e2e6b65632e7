/* thread.h - how every thread of this program starts. */
#ifndef W_THREAD_H
#define W_THREAD_H

#include <pthread.h>

#include "base/status.h"

/* Start thread `number` of `count`, for the message; the first is the program's own. Signals stay with
 * that one: the new thread blocks them all. W_IO, or W_NOMEM without memory, if it does not start. */
enum w_status w_thread_start(pthread_t *thread, u32 number, u32 count, void *(*run)(void *argument),
                             void *argument, struct w_err *err) W_MUST_CHECK;

#endif
