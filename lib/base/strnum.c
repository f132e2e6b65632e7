#include "base/strnum.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *suffix;
    double factor;
} count_suffixes[] = {
    {"", 1},         {"k", 1e3},      {"K", 1e3},      {"M", 1e6},      {"G", 1e9},
    {"T", 1e12},     {"Ki", 0x1p10},  {"Mi", 0x1p20},  {"Gi", 0x1p30},  {"Ti", 0x1p40},
    {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}, {"kB", 1e3},
    {"MB", 1e6},     {"GB", 1e9},     {"TB", 1e12},    {"B", 1},
};

static bool is_plain_integer(const char *text)
{
    size_t n = strspn(text, "0123456789");
    return n > 0 && text[n] == 0;
}

enum w_status w_parse_count(const char *text, u64 min, u64 max, u64 *value, struct w_err *err)
{
    u64 number = 0;

    errno = 0;
    if (is_plain_integer(text)) {
        number = strtoull(text, NULL, 10);
        if (errno)
            return w_fail(err, W_USAGE, "'%s' is too large", text);
    } else {
        char *end = NULL;
        double real = isdigit((unsigned char)text[0]) ? strtod(text, &end) : -1;
        size_t row = 0;
        while (end && row < W_COUNTOF(count_suffixes) && strcmp(end, count_suffixes[row].suffix))
            row++;
        if (!end || row == W_COUNTOF(count_suffixes) || strpbrk(text, "xXpPeE"))
            return w_fail(err, W_USAGE, "'%s' is not a count (like 512, 10k or 4MiB)", text);
        real *= count_suffixes[row].factor;
        if (!(real < 0x1p63))
            return w_fail(err, W_USAGE, "'%s' is too large", text);
        /* 1.5k is a whole number, 0.0001k is not. The tolerance covers the rounding of a decimal
         * fraction to binary, a few units in the last place. */
        number = (u64)llround(real);
        if (fabs(real - (double)number) > 0x1p-50 * real)
            return w_fail(err, W_USAGE, "'%s' is not a whole number", text);
    }
    if (number < min || number > max)
        return w_fail(err, W_USAGE, "%s is outside %llu to %llu", text, (unsigned long long)min,
                      (unsigned long long)max);
    *value = number;
    return W_DONE;
}

enum w_status w_parse_real(const char *text, double min, double max, double *value,
                           struct w_err *err)
{
    char *end = NULL;
    double number = strtod(text, &end);

    if (end == text || *end || isspace((unsigned char)text[0]) || !isfinite(number))
        return w_fail(err, W_USAGE, "'%s' is not a number", text);
    if (number < min || number > max)
        return w_fail(err, W_USAGE, "%s is outside %g to %g", text, min, max);
    *value = number;
    return W_DONE;
}

enum w_status w_parse_part(const char *text, double min, double max, double *value,
                           struct w_err *err)
{
    const size_t n = strlen(text);
    const bool percent = n > 0 && text[n - 1] == '%';
    char number[64];

    if (n >= sizeof number)
        return w_fail(err, W_USAGE, "'%.60s...' is not a number", text);
    memcpy(number, text, n + 1);
    number[n - percent] = 0;
    enum w_status status = w_parse_real(number, min, max, value, err);
    if (!status && percent)
        *value /= 100;
    return status;
}

enum w_status w_parse_duration(const char *text, double *seconds, struct w_err *err)
{
    char *end = NULL;
    double number = isdigit((unsigned char)text[0]) ? strtod(text, &end) : -1, unit = 0;

    if (end && (!strcmp(end, "") || !strcmp(end, "s")))
        unit = 1;
    else if (end && !strcmp(end, "m"))
        unit = 60;
    else if (end && !strcmp(end, "h"))
        unit = 3600;
    else if (end && !strcmp(end, "d"))
        unit = 86400;
    if (unit == 0 || !(number * unit <= 1e9))
        return w_fail(err, W_USAGE, "'%s' is not a duration (like 90s, 5m or 1.5h)", text);
    *seconds = number * unit;
    return W_DONE;
}

#define NAME_MAX_BYTES 64

/* Restricted edit distance (optimal string alignment): insert, delete, replace, swap neighbours. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][NAME_MAX_BYTES + 1], m = strlen(a), n = strlen(b);

    if (m > NAME_MAX_BYTES || n > NAME_MAX_BYTES)
        return NAME_MAX_BYTES;
    for (size_t j = 0; j <= n; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t cost = before[j - 1] + (a[i - 1] != b[j - 1]);
            cost = W_MIN(cost, W_MIN(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost = W_MIN(cost, earlier[j - 2] + 1);
            now[j] = cost;
        }
    }
    return rows[m % 3][n];
}

const char *w_nearest_name(const char *word, const void *first_name, size_t count, size_t stride)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 3 + 2;

    for (size_t i = 0; i < count; i++) {
        const char *name;
        memcpy(&name, (const char *)first_name + i * stride, sizeof name);
        size_t distance = name ? edit_distance(word, name) : best_distance;
        if (distance < best_distance)
            best = name, best_distance = distance;
    }
    return best;
}
