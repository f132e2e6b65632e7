/* A chart for a terminal: a letter for each series, with a legend below. */
#include <math.h>
#include <string.h>

#include "tools/wcachefit/chart.h"

#define COLUMNS 64
#define ROWS 18

struct grid {
    char cells[ROWS][COLUMNS + 1];
    struct w_chart_range range;
};

static int column_of(const struct grid *g, double x)
{
    double part = (log2(x) - g->range.x0) / (g->range.x1 - g->range.x0);
    return (int)floor(part * (COLUMNS - 1) + 0.5);
}

static int row_of(const struct grid *g, double y)
{
    double part = (log2(y) - g->range.y0) / (g->range.y1 - g->range.y0);
    return (int)floor((1 - part) * (ROWS - 1) + 0.5);
}

static void put(struct grid *g, int row, int column, char letter)
{
    if (row >= 0 && row < ROWS && column >= 0 && column < COLUMNS)
        g->cells[row][column] = letter;
}

/* Straight lines between the points, one letter in each column. */
static void draw_line(struct grid *g, const struct w_series *s, char letter)
{
    for (u32 i = 1; i < s->count; i++) {
        int from = column_of(g, s->points[i - 1].x), to = column_of(g, s->points[i].x);
        int first = row_of(g, s->points[i - 1].y), last = row_of(g, s->points[i].y);
        for (int column = from; column <= to; column++) {
            double part = to > from ? (double)(column - from) / (to - from) : 1;
            put(g, first + (int)lround(part * (last - first)), column, letter);
        }
    }
}

static char letter_of(const struct w_chart *c, u32 index)
{
    bool line = c->series[index].style == W_SERIES_LINE;
    u32 before = 0;

    for (u32 i = 0; i < index; i++)
        before += (c->series[i].style == W_SERIES_LINE) == line;
    return (char)((line ? 'a' : 'A') + before % 26);
}

static void write_rows(FILE *f, const struct w_chart *c, const struct grid *g)
{
    double ticks[W_CHART_TICKS];
    u32 n = w_chart_ticks(g->range.y0, g->range.y1, c->y.unit, ticks);

    for (int row = 0; row < ROWS; row++) {
        char label[W_FIGURE_TEXT] = "";
        for (u32 i = 0; i < n; i++)
            if (row_of(g, ticks[i]) == row)
                w_figure_text(label, c->y.unit, ticks[i]);
        fprintf(f, "%14s %c%s\n", label, label[0] ? '+' : '|', g->cells[row]);
    }
}

static void write_x_axis(FILE *f, const struct w_chart *c, const struct grid *g)
{
    char line[COLUMNS + W_FIGURE_TEXT + 1], marks[COLUMNS + 1];
    double ticks[W_CHART_TICKS];
    u32 n = w_chart_ticks(g->range.x0, g->range.x1, c->x.unit, ticks);
    int free_from = 0;

    memset(line, ' ', sizeof line);
    memset(marks, '-', COLUMNS);
    marks[COLUMNS] = 0;
    for (u32 i = 0; i < n; i++) {
        char label[W_FIGURE_TEXT];
        w_figure_text(label, c->x.unit, ticks[i]);
        int length = (int)strlen(label), column = column_of(g, ticks[i]);
        int begin = W_MAX(column - length / 2, 0);
        if (column < 0 || column >= COLUMNS || begin < free_from)
            continue;
        marks[column] = '+';
        memcpy(line + begin, label, (size_t)length);
        free_from = begin + length + 1;
    }
    line[W_MAX(free_from, 1) - 1] = 0;
    fprintf(f, "%14s +%s\n%14s  %s\n", "", marks, "", line);
}

/* Of the points of a line those that have one. */
static void write_labels(FILE *f, const struct w_chart *c, const struct w_series *s)
{
    char x[W_FIGURE_TEXT];
    bool begun = false;

    for (u32 i = 0; i < s->count; i++) {
        if (!s->points[i].label[0])
            continue;
        fprintf(f, "%s%s: %s", begun ? "; " : ", from ",
                w_figure_text(x, c->x.unit, s->points[i].x), s->points[i].label);
        begun = true;
    }
}

void w_chart_text(FILE *f, const struct w_chart *c)
{
    struct grid g = {.range = w_chart_range(c)};

    for (int row = 0; row < ROWS; row++) {
        memset(g.cells[row], ' ', COLUMNS);
        g.cells[row][COLUMNS] = 0;
    }
    for (u32 i = 0; i < c->mark_count; i++)
        for (int row = 0; row < ROWS; row++)
            put(&g, row, column_of(&g, c->marks[i].x), ':');
    for (u32 i = 0; i < c->series_count; i++)
        if (c->series[i].style == W_SERIES_LINE)
            draw_line(&g, &c->series[i], letter_of(c, i));
    for (u32 i = 0; i < c->series_count; i++)
        for (u32 k = 0; k < c->series[i].count && c->series[i].style == W_SERIES_POINT; k++)
            put(&g, row_of(&g, c->series[i].points[k].y), column_of(&g, c->series[i].points[k].x),
                letter_of(c, i));
    fprintf(f, "%s\n%s\n", c->title, c->y.label);
    write_rows(f, c, &g);
    write_x_axis(f, c, &g);
    fprintf(f, "%16s%s\n", "", c->x.label);
    for (u32 i = 0; i < c->series_count; i++) {
        fprintf(f, "  %c  %s", letter_of(c, i), c->series[i].name);
        if (c->series[i].style == W_SERIES_LINE)
            write_labels(f, c, &c->series[i]);
        fputc('\n', f);
    }
    for (u32 i = 0; i < c->mark_count; i++)
        fprintf(f, "  :  %s\n", c->marks[i].label);
}
