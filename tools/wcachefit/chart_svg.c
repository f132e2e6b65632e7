/* A chart as SVG 1.1: lines, points, text; no style sheet, no script, nothing fetched. */
#include <math.h>

#include "tools/wcachefit/chart.h"

#define WIDTH 860
#define HEIGHT 520
#define LEFT 90
#define RIGHT 220 /* with the legend */
#define TOP 48
#define BOTTOM 60

/* Okabe and Ito, 2008: colours that people with colour blindness can tell apart too. */
static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                      "#56b4e9", "#e69f00", "#555555", "#000000"};

#define LABELS_MAX 64

struct frame {
    FILE *f;
    struct w_chart_range range;
    struct {
        double x, y;
    } labels[LABELS_MAX]; /* those of points that were written */
    u32 label_count;
};

static double place_x(const struct frame *p, double x)
{
    return LEFT + (log2(x) - p->range.x0) / (p->range.x1 - p->range.x0) * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct frame *p, double y)
{
    double part = (log2(y) - p->range.y0) / (p->range.y1 - p->range.y0);
    return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM);
}

static void write_text(FILE *f, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '&': fputs("&amp;", f); break;
        default: fputc((unsigned char)*text < ' ' ? ' ' : *text, f);
        }
}

/* anchor: start, middle or end. A white edge keeps words apart from lines and points below them. */
static void write_label(const struct frame *p, double x, double y, const char *anchor,
                        const char *colour, const char *text)
{
    fprintf(p->f,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\" "
            "paint-order=\"stroke\" stroke=\"#ffffff\" stroke-width=\"3\">",
            x, y, anchor, colour);
    write_text(p->f, text);
    fputs("</text>\n", p->f);
}

static void write_line(const struct frame *p, double x0, double y0, double x1, double y1,
                       const char *attributes)
{
    fprintf(p->f, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x0, y0, x1, y1,
            attributes);
}

static void write_axes(const struct frame *p, const struct w_chart *c)
{
    const char *grid = "stroke=\"#dddddd\"";
    double ticks[W_CHART_TICKS];
    char text[W_FIGURE_TEXT];

    u32 n = w_chart_ticks(p->range.x0, p->range.x1, c->x.unit, ticks);
    for (u32 i = 0; i < n; i++) {
        double x = place_x(p, ticks[i]);
        write_line(p, x, TOP, x, HEIGHT - BOTTOM, grid);
        w_figure_text(text, c->x.unit, ticks[i]);
        write_label(p, x, HEIGHT - BOTTOM + 18, "middle", "#333333", text);
    }
    n = w_chart_ticks(p->range.y0, p->range.y1, c->y.unit, ticks);
    for (u32 i = 0; i < n; i++) {
        double y = place_y(p, ticks[i]);
        write_line(p, LEFT, y, WIDTH - RIGHT, y, grid);
        w_figure_text(text, c->y.unit, ticks[i]);
        write_label(p, LEFT - 8, y + 4, "end", "#333333", text);
    }
    fprintf(p->f,
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" "
            "stroke=\"#333333\"/>\n",
            LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    write_label(p, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 16, "middle", "#333333", c->x.label);
    write_label(p, 8, TOP - 8, "start", "#333333", c->y.label);
}

/* Labels alternate between bottom and top, so that two neighbours do not overlap. */
static void write_marks(const struct frame *p, const struct w_chart *c)
{
    for (u32 i = 0; i < c->mark_count; i++) {
        double x = place_x(p, c->marks[i].x), y = i % 2 ? TOP + 6 : HEIGHT - BOTTOM - 6;
        if (x < LEFT || x > WIDTH - RIGHT)
            continue;
        write_line(p, x, TOP, x, HEIGHT - BOTTOM, "stroke=\"#999999\" stroke-dasharray=\"4 3\"");
        fprintf(p->f, "<g transform=\"translate(%.1f %.1f) rotate(-90)\">", x - 4, y);
        write_label(p, 0, 0, i % 2 ? "end" : "start", "#666666", c->marks[i].label);
        fputs("</g>\n", p->f);
    }
}

/* A point, and its label unless that would cover another one: its title shows it anyway. */
static void write_point(struct frame *p, double x, double y, const char *colour, const char *label)
{
    bool covered = p->label_count == LABELS_MAX;

    fprintf(p->f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" fill=\"%s\"><title>", x, y, colour);
    write_text(p->f, label);
    fputs("</title></circle>\n", p->f);
    for (u32 i = 0; i < p->label_count; i++)
        covered |= fabs(p->labels[i].x - x) < 90 && fabs(p->labels[i].y - y) < 13;
    if (covered)
        return;
    p->labels[p->label_count].x = x;
    p->labels[p->label_count++].y = y;
    write_label(p, x + 7, y - 5, "start", "#333333", label); /* near points of other colours, too */
}

static void write_series(struct frame *p, const struct w_series *s, u32 index)
{
    const char *colour = colours[index % W_COUNTOF(colours)];
    double legend = TOP + 14 + 18.0 * index;

    if (s->style == W_SERIES_LINE) {
        fprintf(p->f, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", colour);
        for (u32 i = 0; i < s->count; i++)
            fprintf(p->f, "%s%.1f,%.1f", i ? " " : "", place_x(p, s->points[i].x),
                    place_y(p, s->points[i].y));
        fputs("\"/>\n", p->f);
    }
    for (u32 i = 0; i < s->count; i++)
        if (s->style == W_SERIES_POINT || s->points[i].label[0])
            write_point(p, place_x(p, s->points[i].x), place_y(p, s->points[i].y), colour,
                        s->points[i].label);
    fprintf(p->f, "<rect x=\"%d\" y=\"%.1f\" width=\"12\" height=\"%d\" fill=\"%s\"/>\n",
            WIDTH - RIGHT + 14, legend - (s->style == W_SERIES_LINE ? 6 : 10),
            s->style == W_SERIES_LINE ? 3 : 12, colour);
    write_label(p, WIDTH - RIGHT + 32, legend, "start", "#333333", s->name);
}

void w_chart_svg(FILE *f, const struct w_chart *c)
{
    struct frame p = {.f = f, .range = w_chart_range(c)};

    fprintf(f,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
            "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n<title>",
            WIDTH, HEIGHT, WIDTH, HEIGHT, WIDTH, HEIGHT);
    write_text(f, c->title);
    fputs("</title>\n<g font-size=\"15\">", f);
    write_label(&p, WIDTH / 2.0, 22, "middle", "#000000", c->title);
    fputs("</g>\n", f);
    write_axes(&p, c);
    write_marks(&p, c);
    for (u32 i = 0; i < c->series_count; i++)
        write_series(&p, &c->series[i], i);
    fputs("</svg>\n", f);
}
