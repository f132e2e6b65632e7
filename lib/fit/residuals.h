/* residuals.h - how right the predictions were: ratios of measured to predicted rates, kept for a
 * host. The next prediction takes its correction and its interval from them. */
#ifndef W_RESIDUALS_H
#define W_RESIDUALS_H

#include "base/status.h"

#define W_RESIDUALS_MAX 256

/* Which run it was: its configuration, and when it began, in seconds since 1970. */
struct w_verified {
    char name[64];
    u64 began; /* 0: not known */
};

struct w_residuals {
    double ratios[W_RESIDUALS_MAX]; /* measured / predicted before any correction; the latest */
    struct w_verified runs[W_RESIDUALS_MAX];
    u32 count;
};

/* Read JSON Lines, one for each verification. A missing file holds none. Lines that are no JSON are
 * skipped, because a killed program may have left one; so are those of other kernels. Of a run that
 * was verified several times only the last line counts; of more than W_RESIDUALS_MAX runs the last
 * ones. W_IO, W_NOMEM; W_LIMIT: larger than 16 MiB. */
enum w_status w_residuals_read(struct w_residuals *, const char *path, const char *kernel,
                               struct w_err *) W_MUST_CHECK;
/* Append one line. time: now, in seconds since 1970. W_IO, W_NOMEM. */
enum w_status w_residuals_add(const char *path, const struct w_verified *, const char *kernel,
                              double ratio, u64 time, struct w_err *) W_MUST_CHECK;

/* The factor that corrects a prediction, and the half-width of the 90 % prediction interval around
 * the corrected one, relative to it.
 *
 * With fewer than three residuals nothing is known: the factor is 1 and the interval `unlearned`.
 * Otherwise the factor is their median, and the interval is a quantile of their distances from it,
 * chosen so that it holds for the next residual with a probability of 0.9 (conformal prediction:
 * Vovk, Gammerman and Shafer, 2005): the ceil(0.9 (n + 1))-th smallest. With fewer than nine
 * residuals that one does not exist; the largest distance is taken then, times 1.5. */
struct w_correction {
    double factor, interval;
    u32 learned_from;
};
struct w_correction w_residuals_correction(const struct w_residuals *, double unlearned);

#endif
