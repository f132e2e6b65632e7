/* probe.h - how long a piece of work takes, from a measurement that doubts itself.
 *
 * A loop that the compiler has removed, a clock that is too coarse and a neighbour on the same core
 * have one thing in common: twice the work does not take twice the time. So a probe measures both, by
 * turns, and says what it found.
 *
 *     static void work(void *context, u64 times);         // the work, `times` times over
 *     struct w_probe p = w_probe_run(work, &context, 0.01);
 *     p.seconds                                            // of doing it once
 *     p.noisy                                              // do not build on this
 */
#ifndef W_PROBE_H
#define W_PROBE_H

#include "base/base.h"

struct w_probe {
    double seconds;  /* of the work once: the lower quartile, since what disturbs only adds */
    double spread;   /* of the samples: the quartiles' half distance as a part of their middle */
    double doubling; /* time of twice the work as a multiple of the time of the work: 2 */
    bool noisy;
};

#define W_PROBE_SPREAD_MAX 0.15
#define W_PROBE_DOUBLING_OFF 0.3 /* how far from 2 */

/* budget_s: about how long to measure in all. */
struct w_probe w_probe_run(void (*work)(void *context, u64 times), void *context, double budget_s);

/* The same from samples that were taken elsewhere: doubling is 2. Sorts them. */
struct w_probe w_probe_of(double *seconds, size_t count);

/* The value below which a part (0 to 1) of the sorted values lies, between two of them on a line;
 * NaN of none. */
double w_quantile(const double *sorted, size_t count, double part);
void w_sort_reals(double *values, size_t count);

/* The rates of a machine that runs in one of two states, and changes between them from outside: the
 * tile unit of a shared one does, at full or at half rate, for seconds or minutes each (w_kern's
 * `switched`). */
struct w_states {
    double full, half; /* medians of the rates in each; half is 0 if there was one state */
    double border;     /* rates below it are of the slower state; 0 if there was one */
};

/* From sorted rates. Two states are told apart by a gap between neighbours that is wider than noise
 * (a quarter), with three rates at least and a tenth of them on either side. */
struct w_states w_states_of(const double *sorted, size_t count);

#endif
