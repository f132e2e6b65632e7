/* chart.h - a chart with two logarithmic axes, and its writers: SVG, text for a terminal, TSV and
 * JSON.
 *
 *     struct w_chart chart = {.title = "...", .x = {"working set", W_UNIT_BYTES}, ...};
 *     struct w_series *line = w_chart_series(&chart, "one thread", W_SERIES_LINE);
 *     w_series_point(line, 4096, 1e11, NULL);
 *     w_chart_svg(file, &chart);
 *
 * Axes are logarithmic because sizes and rates span six powers of ten; values that are not positive
 * and finite are left out, as are those for which there is no room. A point of a line has a label
 * only where something changes. Strings are copied, and cut to fit. Writers write to a stream of
 * the caller, who also checks it. */
#ifndef W_CHART_H
#define W_CHART_H

#include <stdio.h>

#include "fit/units.h"
#include "sys/json.h"

#define W_CHART_SERIES 16
#define W_CHART_MARKS 8
#define W_SERIES_POINTS 64

enum w_series_style { W_SERIES_LINE, W_SERIES_POINT };

struct w_series {
    char name[64];
    enum w_series_style style;
    u32 count;
    struct {
        double x, y;
        char label[24];
    } points[W_SERIES_POINTS];
};

struct w_axis {
    const char *label;
    enum w_unit unit;
};

struct w_chart {
    char title[128];
    struct w_axis x, y;
    struct w_series series[W_CHART_SERIES];
    struct { /* vertical lines */
        double x;
        char label[48];
    } marks[W_CHART_MARKS];
    u32 series_count, mark_count;
};

/* A new series; the last one again if there is no room. */
struct w_series *w_chart_series(struct w_chart *, const char *name, enum w_series_style);
void w_series_point(struct w_series *, double x, double y, const char *label);
void w_chart_mark(struct w_chart *, double x, const char *label);

void w_chart_svg(FILE *, const struct w_chart *);
void w_chart_text(FILE *, const struct w_chart *);
void w_chart_tsv(FILE *, const struct w_chart *);    /* series, label, x, y */
struct w_json *w_chart_json(const struct w_chart *); /* the caller owns it */

/* ---- for the writers ---- */

/* The ends of the axes, as logarithms of base 2: those of the data, and a little more. */
struct w_chart_range {
    double x0, x1, y0, y1;
};
struct w_chart_range w_chart_range(const struct w_chart *);
/* The ticks of an axis: at powers of 10, or of 4 for bytes, and at more where these are few;
 * returns how many. */
#define W_CHART_TICKS 24
u32 w_chart_ticks(double from, double to, enum w_unit, double ticks[W_CHART_TICKS]);

#endif
