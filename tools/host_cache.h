/* host_cache.h - the folder in which programs keep what they have learned of this host, and the
 * calibration in it. The library is told paths; which folder it is, the environment says. */
#ifndef HOST_CACHE_H
#define HOST_CACHE_H

#include "bench/calibration.h"

#define HOST_CACHE_PATH 4096

/* FOLDER/NAME in $XDG_CACHE_HOME/wtools, or ~/.cache/wtools; W_USAGE if neither is known. */
enum w_status host_cache_path(char path[HOST_CACHE_PATH], const char *name,
                              struct w_err *) W_MUST_CHECK;
/* The name of this host's calibration in there. */
enum w_status host_calibration_path(char path[HOST_CACHE_PATH], const struct w_machine *,
                                    struct w_err *) W_MUST_CHECK;
/* And of the residuals of its predictions. */
enum w_status host_residuals_path(char path[HOST_CACHE_PATH], const struct w_machine *,
                                  struct w_err *) W_MUST_CHECK;
/* What residuals belong to: "avx2 fp32". */
#define HOST_KERNELS 32
void host_kernels(char text[HOST_KERNELS], const struct w_calibration *, enum w_type);
/* Make the folder. */
enum w_status host_cache_make(struct w_err *) W_MUST_CHECK;

#endif
