#include "sys/entropy.h"

#include <errno.h>
#include <sys/random.h>

enum w_status w_entropy(u64 *bits, struct w_err *err)
{
    ssize_t got;

    while ((got = getrandom(bits, sizeof *bits, 0)) < 0 && errno == EINTR)
        ;
    return got == (ssize_t)sizeof *bits ? W_DONE
                                        : w_fail_errno(err, "the system gives no random bits");
}
