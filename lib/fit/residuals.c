/* Residuals in a file, and the correction that they give; residuals.h has the formula. */
#include "fit/residuals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "bench/probe.h"
#include "sys/fdio.h"
#include "sys/input.h"
#include "sys/output.h"
#include "sys/json.h"

#define FILE_MAX_BYTES ((u64)16 << 20)
#define ENOUGH 3
#define NARROWEST 0.02 /* no interval is narrower: equal runs differ by as much */
#define STRETCH 1.5
#define ABSURD 20.0 /* a ratio beyond it, or below its inverse, is a mistake and not a residual */

/* The place of a run's ratio: that of an earlier one of the same run, else after all others. */
static u32 place_of(const struct w_residuals *r, const struct w_verified *run)
{
    const u32 n = W_MIN(r->count, W_RESIDUALS_MAX);

    for (u32 i = 0; i < n && run->began; i++)
        if (r->runs[i].began == run->began && !strcmp(r->runs[i].name, run->name))
            return i;
    return r->count;
}

static void read_line(struct w_residuals *r, const char *line, size_t size, const char *kernel)
{
    struct w_json *j = NULL;
    double ratio;

    if (w_json_parse(&j, line, size, NULL))
        return;
    const char *theirs = w_json_string(w_json_get(j, "kernel"));
    const char *name = w_json_string(w_json_get(j, "name"));
    struct w_verified run = {.began = 0};

    if (!w_json_u64(w_json_get(j, "began"), 0, W_JSON_INT_MAX, &run.began))
        run.began = 0; /* an older line */
    snprintf(run.name, sizeof run.name, "%s", name ? name : "");
    if (theirs && !strcmp(theirs, kernel) && w_json_real(w_json_get(j, "ratio"), &ratio) &&
        ratio > 1 / ABSURD && ratio < ABSURD) {
        const u32 place = place_of(r, &run);
        r->ratios[place % W_RESIDUALS_MAX] = ratio;
        r->runs[place % W_RESIDUALS_MAX] = run;
        r->count += place == r->count;
    }
    w_json_free(j);
}

enum w_status w_residuals_read(struct w_residuals *r, const char *path, const char *kernel,
                               struct w_err *err)
{
    char *text = NULL;
    size_t size = 0;

    *r = (struct w_residuals){0};
    if (w_is_missing(path))
        return W_DONE;
    enum w_status status = w_input_slurp(path, FILE_MAX_BYTES, &text, &size, err);
    if (status)
        return status;
    const char *line;
    size_t length;
    for (const char *at = text; w_line_next(&at, text + size, &line, &length);)
        read_line(r, line, length, kernel);
    r->count = W_MIN(r->count, W_RESIDUALS_MAX);
    free(text);
    return W_DONE;
}

enum w_status w_residuals_add(const char *path, const struct w_verified *run, const char *kernel,
                              double ratio, u64 time, struct w_err *err)
{
    struct w_json *j = w_json_object();

    w_json_set_u64(j, "time", time);
    w_json_set_string(j, "name", run->name);
    w_json_set_u64(j, "began", run->began);
    w_json_set_string(j, "kernel", kernel);
    w_json_set_real(j, "ratio", ratio);
    char *text = NULL;
    size_t size = 0;
    enum w_status status = w_json_line(j, &text, &size, err);
    w_json_free(j);
    if (!status)
        status = w_append_line(path, text, size, err);
    free(text);
    return status;
}

struct w_correction w_residuals_correction(const struct w_residuals *r, double unlearned)
{
    double values[W_RESIDUALS_MAX];
    const u32 n = r->count;

    if (n < ENOUGH)
        return (struct w_correction){.factor = 1, .interval = unlearned};
    memcpy(values, r->ratios, n * sizeof *values);
    w_sort_reals(values, n);
    double middle = w_quantile(values, n, 0.5);
    for (u32 i = 0; i < n; i++)
        values[i] = fabs(values[i] / middle - 1);
    w_sort_reals(values, n);
    u32 place = (u32)ceil(0.9 * (n + 1));
    double interval = place <= n ? values[place - 1] : STRETCH * values[n - 1];
    return (struct w_correction){
        .factor = middle, .interval = W_MAX(interval, NARROWEST), .learned_from = n};
}
