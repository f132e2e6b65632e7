/* thread.h - how every thread of this program starts. */
#ifndef W_THREAD_H
#define W_THREAD_H

#include <pthread.h>

#include "base/status.h"

/* Start thread `number` of `count`, for the message; the first is the program's own. The new thread
 * blocks all signals, so that the first one gets them. W_IO or W_NOMEM if it does not start. */
enum w_status w_thread_start(pthread_t *thread, u32 number, u32 count, void *(*run)(void *argument),
                             void *argument, struct w_err *err) W_MUST_CHECK;

#endif
