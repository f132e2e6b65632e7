/* Requirements in text: a list separated by commas, each checked against the figures of a
 * configuration. */
#include "fit/require.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/strnum.h"

/* Short names for the figures that are asked for most. */
static const struct {
    const char *name, *key;
} shorts[] = {
    {"ram", "memory.share"}, {"memory", "memory.plan"}, {"tok/s", "tok_s"},
    {"batch", "B"},          {"kv", "decode.kv"},
};

/* Short names of kernels, before @LEVEL. */
static const struct {
    const char *name, *kernel;
} kernels[] = {
    {"attn", "attention"},
    {"ff", "mlp"},
    {"weights", "layers"},
};

static int find_figure(const char *name)
{
    for (size_t i = 0; i < W_COUNTOF(shorts); i++)
        if (!strcmp(shorts[i].name, name))
            return w_figure_find(shorts[i].key);
    return w_figure_find(name);
}

/* "attn@L2" -> the row of l2.attention, or -1 */
static int find_fit(const char *name, const char *level)
{
    const char *kernel = name;
    char key[64];

    if (toupper((unsigned char)level[0]) != 'L' || level[1] < '1' || level[1] > '3' || level[2])
        return -1;
    for (size_t i = 0; i < W_COUNTOF(kernels); i++)
        if (!strcmp(kernels[i].name, name))
            kernel = kernels[i].kernel;
    snprintf(key, sizeof key, "l%c.%.40s", level[1], kernel);
    int row = w_figure_find(key); /* perhaps of no working set, like l1.instances */
    return row >= 0 && w_figures[row].unit == W_UNIT_FILL ? row : -1;
}

static enum w_status parse_limit(const char *text, double *limit, struct w_err *err)
{
    u64 count;

    if (!w_parse_part(text, 0, 1e300, limit, NULL))
        return W_DONE;
    if (w_parse_count(text, 0, UINT64_MAX, &count, NULL))
        return w_fail(err, W_USAGE, "'%.60s' is not a number (like 80%%, 6, 30M or 4GiB)", text);
    *limit = (double)count;
    return W_DONE;
}

static bool holds(double value, const char *operator, double limit)
{
    if (!strcmp(operator, "<="))
        return value <= limit;
    if (!strcmp(operator, ">="))
        return value >= limit;
    if (!strcmp(operator, "<"))
        return value < limit;
    if (!strcmp(operator, ">"))
        return value > limit;
    return value == limit;
}

/* Who looks at the requirements. */
struct watch {
    w_require_look *look;
    void *context;
};

/* Say of a requirement, whose figure is in that row, whether it holds. */
static enum w_status decide(const struct w_fit *fit, int row, const char *text, bool holds,
                            const struct watch *watch, struct w_err *err)
{
    const char *key = w_figures[row].key;
    char room[W_FIGURE_TEXT];
    const char *value = isnan(fit->values[row]) ? "not known" : w_fit_text(room, fit, key);

    if (watch->look)
        watch->look(watch->context, fit, text, key, value, holds);
    return holds ? W_DONE
                 : w_fail(err, W_NO, "%s: requirement %s does not hold: %s is %s", fit->conf.name,
                          text, key, value);
}

static enum w_status check_one(const struct w_fit *fit, const char *text, const struct watch *watch,
                               struct w_err *err)
{
    char name[64], operator[3] = "<=";
    size_t n = strcspn(text, "<>=@");
    const char *rest = text + n;
    double limit = 1;
    enum w_status status = W_DONE;

    if (n == 0 || n >= sizeof name || !*rest)
        return w_fail(err, W_USAGE, "'%.60s' is no requirement (like ram<=80%% or attn@L2)", text);
    memcpy(name, text, n);
    name[n] = 0;
    bool fits = *rest == '@';
    size_t length = fits ? 1 : strspn(rest, "<>=");
    int row = fits ? find_fit(name, rest + 1) : find_figure(name);
    if (row < 0) {
        const char *near = fits ? NULL : w_figure_suggest(name);
        return w_fail(err, W_USAGE, "'%.60s': unknown %s%s%s%s", text,
                      fits ? "kernel or level" : "figure", near ? ": did you mean " : "",
                      near ? near : "", near ? "?" : "");
    }
    if (!fits) {
        snprintf(operator, sizeof operator, "%.*s", (int)W_MIN(length, 2), rest);
        if (length > 2 || (length == 2 && operator[1] != '=') || !strcmp(operator, "=<"))
            return w_fail(err, W_USAGE, "'%.60s': '%.*s' is none of <= >= < > =", text, (int)length,
                          rest);
        status = parse_limit(rest + length, &limit, err);
        if (status)
            return w_fail_at(err, status, "'%.60s'", text);
    }
    return decide(fit, row, text, holds(fit->values[row], operator, limit), watch, err);
}

enum w_status w_require_check(const struct w_fit *fit, const char *text, w_require_look *look,
                              void *context, struct w_err *err)
{
    const struct watch watch = {look, context};
    enum w_status status = W_DONE;
    struct w_err one_err = {0};

    /* All are read, because a mistake after a requirement that does not hold is still a mistake. */
    for (const char *p = text;; p += strcspn(p, ",") + 1) {
        char one[160];
        size_t n = strcspn(p, ",");
        if (n >= sizeof one)
            return w_fail(err, W_USAGE, "'%.60s...' is no requirement", p);
        snprintf(one, sizeof one, "%.*s", (int)n, p);
        enum w_status got = check_one(fit, one, &watch, &one_err);
        if (got == W_USAGE || (got && !status)) {
            status = got;
            if (err)
                *err = one_err;
        }
        if (status == W_USAGE)
            return status;
        if (!p[n])
            return status;
    }
}
