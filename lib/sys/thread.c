#include "sys/thread.h"

#include <errno.h>
#include <signal.h>

enum w_status w_thread_start(pthread_t *thread, u32 number, u32 count, void *(*run)(void *argument),
                             void *argument, struct w_err *err)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return error ? w_fail_errno(err, "cannot start thread %u of %u", number, count) : W_DONE;
}
