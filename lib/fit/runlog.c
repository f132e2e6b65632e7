#include "fit/runlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "bench/probe.h"
#include "sys/input.h"
#include "sys/json.h"

#define FILE_MAX_BYTES (1ull << 30)

static void read_text(const struct w_json *j, char *text, size_t size)
{
    const char *value = w_json_string(j);

    snprintf(text, size, "%s", value ? value : "");
    w_make_printable(text);
}

/* The run's configuration. A header that this version cannot read counts as none. */
static void read_header(struct w_runlog *log, const struct w_json *j)
{
    const char *name = w_json_string(w_json_get(j, "name"));
    char *text = w_json_text(w_json_get(j, "config"), NULL);
    u64 threads = 0;

    if (!w_json_u64(w_json_get(j, "time"), 0, W_JSON_INT_MAX, &log->began))
        log->began = 0;
    log->has_header =
        text && w_conf_parse(&log->conf, text, strlen(text), name ? name : "log", NULL) == W_DONE &&
        w_json_u64(w_json_get(j, "threads"), 1, 65536, &threads) &&
        w_json_u64(w_json_get(j, "plan_bytes"), 0, W_JSON_INT_MAX, &log->plan_bytes);
    const char *precision = w_json_string(w_json_get(j, "precision"));
    bool half = precision && !strcmp(precision, w_compute_type_name(W_TYPE_BF16));
    log->type = half ? W_TYPE_BF16 : W_TYPE_F32;
    log->threads = (u32)threads;
    read_text(w_json_get(j, "kernel"), log->kernel, sizeof log->kernel);
    read_text(w_json_get(w_json_get(j, "host"), "cpu"), log->cpu, sizeof log->cpu);
    free(text);
}

/* A step line's rate, or 0. *begins: a new run begins with this line. */
static double read_line(struct w_runlog *log, const char *line, size_t size, bool *begins)
{
    struct w_json *j = NULL;
    double tok_s = 0, loss;
    u64 peak;

    *begins = false;
    if (w_json_parse(&j, line, size, NULL))
        return 0;
    const char *kind = w_json_string(w_json_get(j, "t"));
    if (kind && !strcmp(kind, "header")) {
        *begins = true;
        *log = (struct w_runlog){0};
        read_header(log, j);
    }
    if (kind && !strcmp(kind, "step") && w_json_real(w_json_get(j, "tok_s"), &tok_s) &&
        w_json_real(w_json_get(j, "loss"), &loss))
        log->loss = loss;
    if (w_json_u64(w_json_get(j, "peak_bytes"), 0, W_JSON_INT_MAX, &peak))
        log->peak_bytes = W_MAX(log->peak_bytes, peak);
    w_json_free(j);
    return tok_s;
}

enum w_status w_runlog_read(struct w_runlog *log, const char *path, struct w_err *err)
{
    char *text = NULL;
    double *rates = NULL;
    size_t size = 0, lines = 1, count = 0;

    *log = (struct w_runlog){0};
    enum w_status status = w_input_slurp(path, FILE_MAX_BYTES, &text, &size, err);
    if (status)
        return status;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    rates = malloc(lines * sizeof *rates);
    if (!rates) {
        status = w_fail(err, W_NOMEM, "%s: no memory for %zu lines", path, lines);
        goto out;
    }
    const char *line;
    size_t length;
    for (const char *at = text; w_line_next(&at, text + size, &line, &length);) {
        bool begins;
        double tok_s = read_line(log, line, length, &begins);
        if (begins)
            count = 0;
        if (tok_s > 0)
            rates[count++] = tok_s;
    }
    if (count == 0) {
        status =
            w_fail(err, W_CORRUPT, "%s: no step line with tok_s: is it a log of wtrain?", path);
        goto out;
    }
    w_sort_reals(rates, count);
    log->steps = count;
    log->tok_s = w_quantile(rates, count, 0.5);
out:
    free(rates);
    free(text);
    return status;
}
