#include "fit/units.h"

#include <math.h>
#include <stdio.h>

#include "base/base.h"

const char *w_unit_name(enum w_unit unit)
{
    static const char *const names[W_UNITS] = {
        [W_UNIT_COUNT] = "1",       [W_UNIT_BYTES] = "B",     [W_UNIT_FLOP] = "FLOP",
        [W_UNIT_RATIO] = "1",       [W_UNIT_PART] = "1",      [W_UNIT_FILL] = "1",
        [W_UNIT_SECONDS] = "s",     [W_UNIT_HOURS] = "h",     [W_UNIT_TOKENS_S] = "tok/s",
        [W_UNIT_FLOP_S] = "FLOP/s", [W_UNIT_BYTES_S] = "B/s", [W_UNIT_INTENSITY] = "FLOP/B",
        [W_UNIT_BITS] = "bit",
    };
    return names[unit];
}

/* Three significant digits, with the largest prefix that leaves at least one before the point. */
static void scaled(char *text, double value, double base, const char *const prefixes[],
                   const char *unit)
{
    int i = 0;
    while (i < 5 && fabs(value) >= base * 0.9995)
        value /= base, i++;
    int decimals = i == 0 && value == floor(value) ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(text, W_FIGURE_TEXT, "%.*f %s%s", decimals, value, prefixes[i], unit);
}

static const char *const decimal[] = {"", "k", "M", "G", "T", "P"};

/* 27238400 -> 27,238,400 */
static void grouped(char *text, double value)
{
    char digits[32];
    size_t n = (size_t)snprintf(digits, sizeof digits, "%.0f", value), used = 0;
    n = W_MIN(n, sizeof digits - 1);

    for (size_t i = 0; i < n && used + 2 < W_FIGURE_TEXT; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = 0;
}

static void duration(char *text, double seconds)
{
    static const char *const parts[] = {"", "m", "u", "n", "p"};
    u32 i = 0;

    while (i + 1 < W_COUNTOF(parts) && seconds > 0 && seconds < 0.9995)
        seconds *= 1000, i++;
    if (i > 0)
        snprintf(text, W_FIGURE_TEXT, "%.3g %ss", seconds, parts[i]);
    else if (seconds < 99.5)
        snprintf(text, W_FIGURE_TEXT, "%.3g s", seconds);
    else if (seconds < 5970)
        snprintf(text, W_FIGURE_TEXT, "%.3g min", seconds / 60);
    else if (seconds < 100 * 3600)
        snprintf(text, W_FIGURE_TEXT, "%.1f h", seconds / 3600);
    else
        snprintf(text, W_FIGURE_TEXT, "%.1f days", seconds / 86400);
}

const char *w_figure_text(char text[W_FIGURE_TEXT], enum w_unit unit, double value)
{
    static const char *const binary[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi"};

    snprintf(text, W_FIGURE_TEXT, "-");
    if (isnan(value))
        return text;
    switch (unit) {
    case W_UNIT_COUNT:
    case W_UNIT_TOKENS_S: grouped(text, value); break;
    case W_UNIT_BYTES: scaled(text, value, 1024, binary, "B"); break;
    case W_UNIT_FLOP: scaled(text, value, 1000, decimal, "FLOP"); break;
    case W_UNIT_FLOP_S: scaled(text, value, 1000, decimal, "FLOP/s"); break;
    case W_UNIT_BYTES_S: scaled(text, value, 1000, decimal, "B/s"); break;
    case W_UNIT_SECONDS: duration(text, value); break;
    case W_UNIT_HOURS: snprintf(text, W_FIGURE_TEXT, "%.2f h", value); break;
    case W_UNIT_PART:
    case W_UNIT_FILL:
        snprintf(text, W_FIGURE_TEXT, value < 9.995 ? "%.3g %%" : "%.0f %%", 100 * value);
        break;
    case W_UNIT_RATIO:
    case W_UNIT_INTENSITY:
    case W_UNIT_BITS: snprintf(text, W_FIGURE_TEXT, "%.3g", value); break;
    case W_UNITS: break;
    }
    return text;
}

/* Two digits, or whole hours as such. */
static void brief_duration(char *text, double seconds)
{
    if (seconds < 0.9995)
        duration(text, seconds);
    else if (seconds < 9.95)
        snprintf(text, W_FIGURE_TEXT, "%.2gs", seconds);
    else if (seconds < 99.5)
        snprintf(text, W_FIGURE_TEXT, "%.0fs", seconds);
    else if (seconds < 570)
        snprintf(text, W_FIGURE_TEXT, "%.1fmin", seconds / 60);
    else if (seconds < 5970 && fmod(seconds, 3600) > 0)
        snprintf(text, W_FIGURE_TEXT, "%.0fmin", seconds / 60);
    else if (seconds < 100 * 3600)
        snprintf(text, W_FIGURE_TEXT, "%.*fh", fmod(seconds, 3600) > 0, seconds / 3600);
    else
        snprintf(text, W_FIGURE_TEXT, "%.0fd", seconds / 86400);
}

const char *w_figure_brief(char text[W_FIGURE_TEXT], enum w_unit unit, double value)
{
    size_t used = 0;

    if (isnan(value))
        return w_figure_text(text, unit, value);
    switch (unit) {
    case W_UNIT_COUNT:
    case W_UNIT_TOKENS_S: scaled(text, value, 1000, decimal, ""); break;
    case W_UNIT_SECONDS: brief_duration(text, value); break;
    case W_UNIT_BITS: snprintf(text, W_FIGURE_TEXT, "%.3f", value); break;
    case W_UNIT_PART: snprintf(text, W_FIGURE_TEXT, "%.0f%%", 100 * value); break;
    default: w_figure_text(text, unit, value);
    }
    for (size_t i = 0; text[i]; i++)
        if (text[i] != ' ')
            text[used++] = text[i];
    text[used] = 0;
    return text;
}
