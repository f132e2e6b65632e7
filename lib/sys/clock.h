/* clock.h - time and memory as the system counts them. */
#ifndef W_CLOCK_H
#define W_CLOCK_H

#include "base/base.h"

double w_now_s(void);          /* monotonic seconds since some fixed moment */
u64 w_peak_memory_bytes(void); /* largest resident set so far */
void w_sleep_s(double seconds);

#endif
