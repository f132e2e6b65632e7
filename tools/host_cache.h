/* host_cache.h - the folder in which programs keep what was measured on this host: its calibration,
 * and the residuals of its predictions. It is wtools in $XDG_CACHE_HOME, or in ~/.cache; W_USAGE
 * where neither is known, or the path is too long. */
#ifndef HOST_CACHE_H
#define HOST_CACHE_H

#include "bench/calibration.h"
#include "fit/residuals.h"

#define HOST_CACHE_PATH 4096

/* The path of a file in the folder. */
enum w_status host_cache_path(char path[HOST_CACHE_PATH], const char *name,
                              struct w_err *) W_MUST_CHECK;
/* The path of this host's calibration in it. */
enum w_status host_calibration_path(char path[HOST_CACHE_PATH], const struct w_machine *,
                                    struct w_err *) W_MUST_CHECK;
/* Make the folder and those above it; existing ones are left as they are. W_IO. */
enum w_status host_cache_make(struct w_err *) W_MUST_CHECK;

/* The residuals of predictions by the calibration's kernels for a type; none where there is no
 * folder. Errors of w_residuals_read(). */
enum w_status host_residuals_read(struct w_residuals *, const struct w_machine *,
                                  const struct w_calibration *, enum w_type,
                                  struct w_err *) W_MUST_CHECK;
/* Add one, with the present time; makes the folder. Errors of w_residuals_add() and
 * host_cache_make(). */
enum w_status host_residuals_add(const struct w_verified *, double ratio, const struct w_machine *,
                                 const struct w_calibration *, enum w_type,
                                 struct w_err *) W_MUST_CHECK;

#endif
