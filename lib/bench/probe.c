#include "bench/probe.h"

#include <math.h>
#include <stdlib.h>

#include "sys/clock.h"

#define ROUNDS 5

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void w_sort_reals(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
}

double w_quantile(const double *sorted, size_t count, double part)
{
    if (count == 0)
        return NAN;
    double place = part * (double)(count - 1);
    size_t below = (size_t)place, above = W_MIN(below + 1, count - 1);
    return sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
}

struct w_probe w_probe_of(double *seconds, size_t count)
{
    w_sort_reals(seconds, count);
    double low = w_quantile(seconds, count, 0.25), high = w_quantile(seconds, count, 0.75);
    struct w_probe p = {.seconds = low, .spread = (high - low) / (high + low), .doubling = 2};
    p.noisy = p.spread > W_PROBE_SPREAD_MAX;
    return p;
}

static double timed(void (*work)(void *, u64), void *context, u64 times)
{
    double start = w_now_s();
    work(context, times);
    return w_now_s() - start;
}

struct w_probe w_probe_run(void (*work)(void *context, u64 times), void *context, double budget_s)
{
    double samples[2 * ROUNDS], ratios[ROUNDS];
    const double part_s = budget_s / (3 * ROUNDS + 2); /* a round runs it once and twice */
    u64 times = 1;

    /* The first calls also warm up the caches. */
    for (double took; (took = timed(work, context, times)) < part_s;)
        times = took < part_s / 16 ? times * 8 : (u64)((double)times * part_s / took) + 1;
    for (int i = 0; i < ROUNDS; i++) {
        double once = timed(work, context, times), twice = timed(work, context, 2 * times);
        samples[2 * i] = once / (double)times;
        samples[2 * i + 1] = twice / (double)(2 * times);
        ratios[i] = twice / once;
    }
    struct w_probe p = w_probe_of(samples, 2 * ROUNDS);
    w_sort_reals(ratios, ROUNDS);
    p.doubling = w_quantile(ratios, ROUNDS, 0.5);
    p.noisy |= !(fabs(p.doubling - 2) <= W_PROBE_DOUBLING_OFF);
    return p;
}
