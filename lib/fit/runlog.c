#include "fit/runlog.h"

#include <stdlib.h>
#include <string.h>

#include "sys/fdio.h"
#include "sys/json.h"

#define FILE_MAX_BYTES (1ull << 30)

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A step line's rate, or 0; sets *loss if it has one. */
static double read_line(const char *line, size_t size, double *loss)
{
    struct w_json *j = NULL;
    double tok_s = 0, value;

    if (w_json_parse(&j, line, size, NULL))
        return 0;
    const char *kind = w_json_string(w_json_get(j, "t"));
    if (kind && !strcmp(kind, "step") && w_json_real(w_json_get(j, "tok_s"), &tok_s) &&
        w_json_real(w_json_get(j, "loss"), &value))
        *loss = value;
    w_json_free(j);
    return tok_s;
}

enum w_status w_runlog_read(struct w_runlog *log, const char *path, struct w_err *err)
{
    char *text = NULL;
    double *rates = NULL;
    size_t size = 0, lines = 1, count = 0;

    memset(log, 0, sizeof *log);
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
    for (char *line = text, *end; line < text + size; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + size - line));
        end = end ? end : text + size;
        double tok_s = read_line(line, (size_t)(end - line), &log->loss);
        if (tok_s > 0)
            rates[count++] = tok_s;
    }
    if (count == 0) {
        status =
            w_fail(err, W_CORRUPT, "%s: no step line with tok_s: is it a log of wtrain?", path);
        goto out;
    }
    qsort(rates, count, sizeof *rates, by_value);
    log->steps = count;
    log->tok_s = (rates[(count - 1) / 2] + rates[count / 2]) / 2;
out:
    free(rates);
    free(text);
    return status;
}
