/* residuals.h - how right the predictions were: ratios of measured to predicted rates, kept for a
 * host, from which the next prediction takes its correction and its interval. */
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

/* JSON Lines, one for each verification; a file that is not there holds none, and so do lines that
 * are none, since a killed program may have left one. Those with other kernels do not count, and of a
 * run that was verified again only the last line does. */
enum w_status w_residuals_read(struct w_residuals *, const char *path, const char *kernel,
                               struct w_err *) W_MUST_CHECK;
/* Add one line. time: now. */
enum w_status w_residuals_add(const char *path, const struct w_verified *, const char *kernel,
                              double ratio, u64 time, struct w_err *) W_MUST_CHECK;

/* The factor by which a prediction is to be corrected, and the part of the result on both sides of it
 * in which nine of ten measurements are expected.
 *
 * With fewer than three residuals nothing is known: the factor is 1 and the interval `unlearned`.
 * Otherwise the factor is their median, and the interval the distance from it that nine of ten have
 * not exceeded, counted so that it holds for the next one (Vovk, Gammerman and Shafer, 2005): the
 * ceil(0.9 (n + 1))-th smallest. Fewer than nine residuals cannot say that of the largest; it is
 * stretched by half then. */
struct w_correction {
    double factor, interval;
    u32 learned_from;
};
struct w_correction w_residuals_correction(const struct w_residuals *, double unlearned);

#endif
