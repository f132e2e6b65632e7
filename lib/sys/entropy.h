/* entropy.h - random bits of the system, for what is not to be had twice. */
#ifndef W_ENTROPY_H
#define W_ENTROPY_H

#include "base/status.h"

/* W_IO: the system has none. */
enum w_status w_entropy(u64 *bits, struct w_err *err) W_MUST_CHECK;

#endif
