/* memory_curve.h - how fast memory is read, and how long one access takes, against the working set:
 * the curves that show the levels of the memory and their real capacities.
 *
 * A working set that fits a level has that level's speed. The cache sizes that the system reports
 * are not used: in a virtual machine they may be those of a cache that is shared with other
 * machines.
 *
 *     w_curve_measure(&curve, W_CURVE_LATENCY, kern, team, 64 << 20, 0.3, &err)
 *     w_curve_at(&curve, 1 << 20)                  // seconds of one access, or bytes a second
 *     w_curve_knee(&curve, 48 << 10, 1 << 20)      // where the first plateau ends
 */
#ifndef W_MEMORY_CURVE_H
#define W_MEMORY_CURVE_H

#include "bench/probe.h"
#include "kern/kern.h"
#include "sys/team.h"

enum w_curve_kind {
    W_CURVE_LATENCY,   /* seconds of an access that depends on the one before */
    W_CURVE_BANDWIDTH, /* bytes a second, read in order by all threads together */
};

#define W_CURVE_POINTS 40

struct w_curve {
    enum w_curve_kind kind;
    u32 threads;
    u32 count, noisy; /* points, and how many of them have a noisy probe */
    double spread;    /* median over the points */
    struct {
        u64 bytes; /* working set of one thread */
        double value;
    } points[W_CURVE_POINTS];
};

/* From 4 KiB to max_bytes for each thread, two points for each doubling, in about budget_s.
 * Allocates max_bytes for each thread while it runs. W_NOMEM or W_IO, as the system reports: the
 * memory is not available. */
enum w_status w_curve_measure(struct w_curve *, enum w_curve_kind, const struct w_kern *,
                              struct w_team *, u64 max_bytes, double budget_s,
                              struct w_err *) W_MUST_CHECK;

/* A larger working set is never faster, and disturbances only slow a measurement down: make each
 * point at least as fast as those of larger sets. */
void w_curve_flatten(struct w_curve *);

/* The value at a working set of one thread, interpolated linearly over the logarithm of its size;
 * NaN without points. */
double w_curve_at(const struct w_curve *, double bytes);

/* The working set at which a curve crosses from the plateau that `inside` lies on to that of
 * `outside`: the geometric mean of the two values. INFINITY if the second plateau is not slower by
 * half at least. */
double w_curve_knee(const struct w_curve *, double inside, double outside);

#endif
