#include "api/outcome.h"

static _Thread_local struct w_err last;

struct w_err *w_outcome_err(void)
{
    return &last;
}

enum wts_status w_outcome(enum w_status status)
{
    switch (status) {
    case W_END: return WTS_END;
    case W_PIPE: return WTS_CLOSED;
    default: return (enum wts_status)w_exit_code(status);
    }
}

const char *wts_error(void)
{
    return last.text;
}

const char *wts_version(void)
{
    return W_VERSION_TEXT;
}
