#include "tools/host_cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* By the XDG base directory specification a relative XDG_CACHE_HOME does not count. */
static enum w_status cache_folder(char folder[HOST_CACHE_PATH], struct w_err *err)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = 0;

    if (cache && *cache == '/')
        n = snprintf(folder, HOST_CACHE_PATH, "%s/wtools", cache);
    else if (home && *home)
        n = snprintf(folder, HOST_CACHE_PATH, "%s/.cache/wtools", home);
    if (n <= 0 || n > HOST_CACHE_PATH - 64)
        return w_fail(err, W_USAGE,
                      "no folder for calibrations: XDG_CACHE_HOME and HOME are not set, or too "
                      "long: set one of them");
    return W_DONE;
}

enum w_status host_cache_path(char path[HOST_CACHE_PATH], const char *name, struct w_err *err)
{
    char folder[HOST_CACHE_PATH];
    enum w_status status = cache_folder(folder, err);

    if (!status && snprintf(path, HOST_CACHE_PATH, "%s/%s", folder, name) >= HOST_CACHE_PATH)
        status = w_fail(err, W_USAGE, "%.200s: too long a name", folder);
    return status;
}

enum w_status host_calibration_path(char path[HOST_CACHE_PATH], const struct w_machine *m,
                                    struct w_err *err)
{
    char folder[HOST_CACHE_PATH];
    enum w_status status = cache_folder(folder, err);

    if (!status)
        w_calibration_path(path, HOST_CACHE_PATH, folder, m);
    return status;
}

enum w_status host_cache_make(struct w_err *err)
{
    char folder[HOST_CACHE_PATH];
    enum w_status status = cache_folder(folder, err);

    for (char *p = folder + 1; !status && (p = strchr(p, '/')); p++) {
        *p = 0;
        if (mkdir(folder, 0700) && errno != EEXIST)
            status = w_fail_errno(err, "%.500s: cannot make the folder", folder);
        *p = '/';
    }
    if (!status && mkdir(folder, 0700) && errno != EEXIST)
        status = w_fail_errno(err, "%.500s: cannot make the folder", folder);
    return status;
}

/* ---- residuals ---- */

/* The name of the kernels that residuals belong to, like "avx2 fp32". */
#define KERNELS 32
static void kernels_name(char name[KERNELS], const struct w_calibration *c, enum w_type type)
{
    snprintf(name, KERNELS, "%s %s", c->kernel[type], w_compute_type_name(type));
}

static enum w_status residuals_path(char path[HOST_CACHE_PATH], const struct w_machine *m,
                                    struct w_err *err)
{
    enum w_status status = host_calibration_path(path, m, err);

    if (!status) /* host-....json, host-....residuals */
        strcpy(path + strlen(path) - strlen("json"), "residuals");
    return status;
}

enum w_status host_residuals_read(struct w_residuals *residuals, const struct w_machine *m,
                                  const struct w_calibration *c, enum w_type type,
                                  struct w_err *err)
{
    char path[HOST_CACHE_PATH], kernels[KERNELS];

    *residuals = (struct w_residuals){0};
    if (residuals_path(path, m, NULL))
        return W_DONE;
    kernels_name(kernels, c, type);
    return w_residuals_read(residuals, path, kernels, err);
}

enum w_status host_residuals_add(const struct w_verified *run, double ratio,
                                 const struct w_machine *m, const struct w_calibration *c,
                                 enum w_type type, struct w_err *err)
{
    char path[HOST_CACHE_PATH], kernels[KERNELS];
    enum w_status status = host_cache_make(err);

    if (!status)
        status = residuals_path(path, m, err);
    if (status)
        return status;
    kernels_name(kernels, c, type);
    return w_residuals_add(path, run, kernels, ratio, (u64)time(NULL), err);
}
