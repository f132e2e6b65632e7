#include "tools/wcachefit/chart.h"

#include <math.h>
#include <string.h>

struct w_series *w_chart_series(struct w_chart *c, const char *name, enum w_series_style style)
{
    struct w_series *s = &c->series[W_MIN(c->series_count, W_CHART_SERIES - 1)];

    if (c->series_count < W_CHART_SERIES)
        c->series_count++;
    *s = (struct w_series){.style = style};
    snprintf(s->name, sizeof s->name, "%s", name);
    return s;
}

void w_series_point(struct w_series *s, double x, double y, const char *label)
{
    if (s->count == W_SERIES_POINTS || !(x > 0) || !(y > 0) || isinf(x) || isinf(y))
        return;
    s->points[s->count].x = x;
    s->points[s->count].y = y;
    snprintf(s->points[s->count++].label, sizeof s->points[0].label, "%s", label ? label : "");
}

void w_chart_mark(struct w_chart *c, double x, const char *label)
{
    if (c->mark_count == W_CHART_MARKS || !(x > 0) || isinf(x))
        return;
    c->marks[c->mark_count].x = x;
    snprintf(c->marks[c->mark_count++].label, sizeof c->marks[0].label, "%s", label);
}

struct w_chart_range w_chart_range(const struct w_chart *c)
{
    struct w_chart_range r = {INFINITY, -INFINITY, INFINITY, -INFINITY};

    for (u32 i = 0; i < c->series_count; i++)
        for (u32 k = 0; k < c->series[i].count; k++) {
            double x = log2(c->series[i].points[k].x), y = log2(c->series[i].points[k].y);
            r.x0 = fmin(r.x0, x), r.x1 = fmax(r.x1, x);
            r.y0 = fmin(r.y0, y), r.y1 = fmax(r.y1, y);
        }
    if (!(r.x0 <= r.x1)) /* nothing to show */
        return (struct w_chart_range){0, 1, 0, 1};
    double wide = fmax((r.x1 - r.x0) * 0.03, 0.1), high = fmax((r.y1 - r.y0) * 0.08, 0.2);
    return (struct w_chart_range){r.x0 - wide, r.x1 + wide, r.y0 - high, r.y1 + high};
}

/* So near to each other that the logarithm hardly shows: at multiples of 1, 2 or 5 times a power of
 * ten, about six of them. */
static u32 even_ticks(double from, double to, double ticks[W_CHART_TICKS])
{
    const double first = exp2(from), last = exp2(to), wide = (last - first) / 6;
    const double power = pow(10, floor(log10(wide)));
    const double step = power * (wide > 5 * power ? 10 : wide > 2 * power ? 5 : 2);
    u32 n = 0;

    for (double i = ceil(first / step); i * step <= last && n < W_CHART_TICKS; i++)
        ticks[n++] = i * step;
    return n;
}

u32 w_chart_ticks(double from, double to, enum w_unit unit, double ticks[W_CHART_TICKS])
{
    const double base = unit == W_UNIT_BYTES ? 2 : unit == W_UNIT_COUNT ? 1 : log2(10);
    double step = base * ceil(fmax((to - from) / base, 1) / 12);
    u32 n = 0;

    for (double at = ceil(from / step) * step; at <= to && n < W_CHART_TICKS; at += step)
        ticks[n++] = exp2(at);
    /* Fewer than three powers of ten: ticks at 1, 2 and 5 times each. */
    if (base > 2 && n < 3) {
        n = 0;
        for (double power = floor(from / base); power * base <= to; power++)
            for (int digit = 1; digit <= 5; digit += digit == 1 ? 1 : 3) {
                double value = digit * pow(10, power);
                if (log2(value) >= from && log2(value) <= to && n < W_CHART_TICKS)
                    ticks[n++] = value;
            }
    }
    return base > 2 && n < 2 ? even_ticks(from, to, ticks) : n;
}

void w_chart_tsv(FILE *f, const struct w_chart *c)
{
    fprintf(f, "series\tlabel\t%s\t%s\n", c->x.label, c->y.label);
    for (u32 i = 0; i < c->series_count; i++)
        for (u32 k = 0; k < c->series[i].count; k++)
            fprintf(f, "%s\t%s\t%.9g\t%.9g\n", c->series[i].name, c->series[i].points[k].label,
                    c->series[i].points[k].x, c->series[i].points[k].y);
    for (u32 i = 0; i < c->mark_count; i++)
        fprintf(f, "mark\t%s\t%.9g\t\n", c->marks[i].label, c->marks[i].x);
}

static struct w_json *axis_json(const struct w_axis *axis)
{
    struct w_json *j = w_json_object();

    w_json_set_string(j, "label", axis->label);
    w_json_set_string(j, "unit", w_unit_name(axis->unit));
    return j;
}

struct w_json *w_chart_json(const struct w_chart *c)
{
    struct w_json *j = w_json_object(), *list = w_json_array(), *marks = w_json_array();

    for (u32 i = 0; i < c->series_count; i++) {
        const struct w_series *s = &c->series[i];
        struct w_json *series = w_json_object(), *points = w_json_array();
        for (u32 k = 0; k < s->count; k++) {
            struct w_json *point = w_json_object();
            w_json_set_real(point, "x", s->points[k].x);
            w_json_set_real(point, "y", s->points[k].y);
            if (s->points[k].label[0])
                w_json_set_string(point, "label", s->points[k].label);
            w_json_add(points, point);
        }
        w_json_set_string(series, "name", s->name);
        w_json_set(series, "points", points);
        w_json_add(list, series);
    }
    for (u32 i = 0; i < c->mark_count; i++) {
        struct w_json *mark = w_json_object();
        w_json_set_real(mark, "x", c->marks[i].x);
        w_json_set_string(mark, "label", c->marks[i].label);
        w_json_add(marks, mark);
    }
    w_json_set_string(j, "title", c->title);
    w_json_set(j, "x", axis_json(&c->x));
    w_json_set(j, "y", axis_json(&c->y));
    w_json_set(j, "series", list);
    w_json_set(j, "marks", marks);
    return j;
}
