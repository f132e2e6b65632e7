/* outcome.h - how a function of wts.h tells what happened: its status, and the message, of which
 * each thread has its own. */
#ifndef W_OUTCOME_H
#define W_OUTCOME_H

#include "api/wts.h"
#include "base/status.h"

/* Where the functions that are called write their message: what wts_error() shows. */
struct w_err *w_outcome_err(void);

enum wts_status w_outcome(enum w_status);

#endif
