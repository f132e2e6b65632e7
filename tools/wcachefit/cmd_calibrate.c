/* wcachefit --calibrate: measure this host, keep what was found, and show it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/strnum.h"
#include "tools/cli.h"
#include "tools/host_cache.h"
#include "tools/wcachefit/report.h"

#define SECONDS                                                                                    \
    7 /* after which no shape is begun, unless --calibrate=SECONDS; it takes twice that */

static void show_progress(void *context, const char *what, double part)
{
    (void)context;
    w_progress(false, "calibrating: %3.0f %%, %s", 100 * part, what);
}

static void write_capacities(FILE *f, const struct w_calibration *c)
{
    static const char *const names[] = {"L1 data", "L2", "L3"};

    for (u32 i = 0; i < W_CALIBRATION_LEVELS; i++) {
        char claimed[W_FIGURE_TEXT], found[W_FIGURE_TEXT];
        w_figure_text(claimed, W_UNIT_BYTES, c->claimed[i] ? (double)c->claimed[i] : NAN);
        w_figure_text(found, W_UNIT_BYTES, c->capacity[i] > 0 ? c->capacity[i] : NAN);
        fprintf(f, "  %-8s %10s measured, %10s claimed%s\n", names[i], found, claimed,
                c->capacity[i] > 0 ? "" : " (no end was seen)");
    }
}

void write_calibration(FILE *f, const struct w_calibration *c)
{
    char text[W_FIGURE_TEXT], when[32];
    time_t seconds = (time_t)c->time;
    struct tm tm;

    strftime(when, sizeof when, "%Y-%m-%d %H:%M", localtime_r(&seconds, &tm));
    fprintf(f, "CALIBRATION of %s, %s, version %s, %u threads, in %.1f s\n", c->host, when,
            c->version, (unsigned)c->threads, c->took_s);
    for (u32 type = 0; type < W_TYPES; type++) {
        if (!c->kernel[type][0])
            continue;
        w_figure_text(text, W_UNIT_FLOP_S, c->peak[type].one);
        fprintf(f, "  %s     %s kernels: %s with one thread", w_type_name(type), c->kernel[type],
                text);
        w_figure_text(text, W_UNIT_FLOP_S, c->peak[type].all);
        fprintf(f, ", %s with all (at the slowest %.0f %% of that)\n", text,
                100 * c->peak[type].slowest_part);
        if (c->peak[type].half > 0) {
            w_figure_text(text, W_UNIT_FLOP_S, c->peak[type].half);
            fprintf(f, "           in its other state: %s with all\n", text);
        }
    }
    write_capacities(f, c);
    fprintf(f, "  %10s %12s %14s %14s\n", "set", "latency", "one thread", "all threads");
    for (u32 i = 0; i < c->latency.count; i += 2) {
        double bytes = (double)c->latency.points[i].bytes;
        char one[W_FIGURE_TEXT], all[W_FIGURE_TEXT];
        w_figure_text(text, W_UNIT_BYTES, bytes);
        w_figure_text(one, W_UNIT_BYTES_S, w_curve_at(&c->bandwidth_one, bytes));
        w_figure_text(all, W_UNIT_BYTES_S, w_curve_at(&c->bandwidth_all, bytes));
        fprintf(f, "  %10s %9.1f ns %14s %14s\n", text, 1e9 * c->latency.points[i].value, one, all);
    }
    fprintf(f, "  %u shapes of a step; %u of %u measurements are noisy\n", (unsigned)c->probe_count,
            (unsigned)c->noisy, (unsigned)c->measurements);
}

/* The shapes of the configurations themselves, with as many tokens as the usual shapes have. */
static void shape_of(struct w_shape *shape, const struct w_conf *conf)
{
    u64 batch = W_MAX(1024 / conf->max_length, 4);

    *shape = (struct w_shape){(u32)conf->d_model,    (u32)conf->num_heads,  (u32)conf->d_ff,
                              (u32)conf->vocab_size, (u32)conf->max_length, (u32)batch};
}

enum w_status calibrate(struct w_calibration *c, const struct w_machine *m, u32 threads,
                        enum w_type type, const char *seconds, const struct w_conf *confs,
                        size_t count, struct w_err *err)
{
    struct w_shape more[8];
    char path[HOST_CACHE_PATH], scratch[HOST_CACHE_PATH], host[64] = "", doubt[W_DOUBT_TEXT];
    struct w_calibrating how = {.threads = threads,
                                .type = type,
                                .seconds = SECONDS,
                                .more = more,
                                .host = host,
                                .scratch = scratch,
                                .time = (u64)time(NULL),
                                .progress = show_progress};
    enum w_status status = W_DONE;

    if (count > W_COUNTOF(more))
        return w_fail(err, W_USAGE, "--calibrate takes at most %zu configurations",
                      W_COUNTOF(more));
    if (*seconds)
        status = w_parse_real(seconds, 0.01, 3600, &how.seconds, err);
    if (status)
        return w_fail_at(err, status, "--calibrate");
    for (size_t i = 0; i < count; i++)
        shape_of(&more[i], &confs[i]);
    how.more_count = (u32)count;
    gethostname(host, sizeof host - 1);
    for (u32 kind = W_PRECISION_FP32; kind <= W_PRECISION_BF16 && !status; kind++) {
        const struct w_kern *kern;
        status = w_kern_choose_precision(&kern, &type, NULL, kind, err);
        if (!status)
            how.kern[type] = kern;
    }
    if (!status)
        status = host_cache_make(err);
    if (!status)
        status = host_calibration_path(path, m, err);
    if (!status)
        status = host_cache_path(scratch, "scratch", err);
    if (!status)
        status = w_calibration_run(c, m, &how, err);
    if (!status)
        status = w_calibration_save(c, path, err);
    if (status)
        return status;
    w_say("calibrated in %.1f s, kept in %s", c->took_s, path);
    if (w_calibration_doubt(c, m, how.time, doubt))
        w_warn("%s", doubt);
    return W_DONE;
}

enum w_status find_calibration(struct w_calibration *c, bool *found, const struct w_machine *m,
                               const char *path, struct w_err *err)
{
    char usual[HOST_CACHE_PATH], doubt[W_DOUBT_TEXT];

    *found = false;
    if (!path && host_calibration_path(usual, m, NULL))
        return W_DONE; /* no folder, so there is none */
    enum w_status status = w_calibration_load(c, path ? path : usual, err);
    if (status == W_NO && !path)
        return W_DONE;
    if (status && !path) { /* damaged or of another version: told, and done without */
        w_warn("%s", err->text);
        return W_DONE;
    }
    if (status)
        return status == W_NO ? w_fail(err, W_IO, "%.500s: no such file", path) : status;
    *found = true;
    if (w_calibration_doubt(c, m, (u64)time(NULL), doubt))
        w_warn("%s", doubt);
    return W_DONE;
}

void find_residuals(struct report *r)
{
    char path[HOST_CACHE_PATH], kernels[HOST_KERNELS];
    struct w_err err;

    if (host_residuals_path(path, r->machine, NULL))
        return;
    host_kernels(kernels, r->calibration, r->type);
    if (w_residuals_read(&r->residuals, path, kernels, &err))
        w_warn("%s", err.text);
}
