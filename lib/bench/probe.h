/* probe.h - how long some work takes, by a measurement that checks itself.
 *
 * A loop that the compiler has removed, a clock that is too coarse and a neighbour on the same core
 * have one thing in common: twice the work does not take twice the time. So a probe measures both,
 * by turns, and reports whether it does.
 *
 *     static void work(void *context, u64 times);         // the work, `times` times over
 *     struct w_probe p = w_probe_run(work, &context, 0.01);
 *     p.seconds                                            // of doing it once
 *     p.noisy                                              // do not rely on it
 */
#ifndef W_PROBE_H
#define W_PROBE_H

#include "base/base.h"

struct w_probe {
    double seconds;  /* of the work once: the lower quartile, since disturbances only add */
    double spread;   /* half the distance of the quartiles, relative to their middle */
    double doubling; /* time of twice the work divided by the time of the work: ideally 2 */
    bool noisy;
};

#define W_PROBE_SPREAD_MAX 0.15
#define W_PROBE_DOUBLING_OFF 0.3 /* how far from 2 */

/* budget_s: approximate duration of the measurement. */
struct w_probe w_probe_run(void (*work)(void *context, u64 times), void *context, double budget_s);

/* The same from `count` samples that were taken elsewhere, with doubling 2. Sorts them. */
struct w_probe w_probe_of(double *seconds, size_t count);

/* The quantile `part` (0 to 1) of sorted values, by linear interpolation; NaN without values. */
double w_quantile(const double *sorted, size_t count, double part);
void w_sort_reals(double *values, size_t count);

#endif
