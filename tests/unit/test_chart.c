/* Charts: their numbers, and what the writers make of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tools/wcachefit/chart.h"

static struct w_err err;

static struct w_chart sample(void)
{
    struct w_chart c = {
        .title = "a < b & c", .x = {"size", W_UNIT_BYTES}, .y = {"speed", W_UNIT_BYTES_S}};
    struct w_series *line = w_chart_series(&c, "line", W_SERIES_LINE);
    w_series_point(line, 4096, 1e9, NULL);
    w_series_point(line, 1 << 20, 1e8, NULL);
    struct w_series *points = w_chart_series(&c, "points", W_SERIES_POINT);
    w_series_point(points, 65536, 5e8, "here");
    w_chart_mark(&c, 32768, "L1");
    return c;
}

/* What a writer writes; to be freed. */
static char *written(void (*write)(FILE *, const struct w_chart *), const struct w_chart *c)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    write(f, c);
    fclose(f);
    return text;
}

static void what_has_no_logarithm_is_left_out(void **state)
{
    (void)state;
    struct w_chart c = sample();
    struct w_series *s = &c.series[0];
    w_series_point(s, 0, 1, NULL);
    w_series_point(s, 1, -1, NULL);
    w_series_point(s, NAN, 1, NULL);
    w_series_point(s, 1, INFINITY, NULL);
    w_chart_mark(&c, 0, "nothing");
    assert_true(s->count == 2 && c.mark_count == 1);
    for (u32 i = 0; i < 100; i++)
        w_series_point(s, 1 + i, 1, NULL);
    assert_int_equal(s->count, W_SERIES_POINTS);
}

static void axes_have_ticks_within_their_range(void **state)
{
    (void)state;
    double ticks[W_CHART_TICKS];
    struct w_chart c = sample();
    struct w_chart_range r = w_chart_range(&c);
    assert_true(r.x0 < 12 && r.x1 > 20);
    assert_int_equal(w_chart_ticks(12, 20, W_UNIT_BYTES, ticks), 5); /* 4, 16, 64, 256, 1024 KiB */
    assert_true(ticks[1] == 16384);
    assert_int_equal(w_chart_ticks(log2(0.9), log2(110), W_UNIT_FLOP_S, ticks), 3);
    assert_true(fabs(ticks[2] - 100) < 1e-9);
    u32 n =
        w_chart_ticks(log2(150), log2(600), W_UNIT_FLOP_S, ticks); /* less than a power of ten */
    assert_int_equal(n, 2);
    assert_true(ticks[0] == 200 && ticks[1] == 500);
    assert_int_equal(w_chart_ticks(log2(0.77), log2(1.04), W_UNIT_PART, ticks), 5);
    for (u32 i = 0; i < 5; i++) /* 80, 85 ... 100 % */
        assert_true(fabs(ticks[i] - 0.8 - 0.05 * i) < 1e-9);
    struct w_chart empty = {.title = ""};
    r = w_chart_range(&empty);
    assert_true(isfinite(r.x0) && r.x1 > r.x0);
}

static void svg_is_escaped_and_closed(void **state)
{
    (void)state;
    struct w_chart c = sample();
    char *svg = written(w_chart_svg, &c);
    assert_non_null(strstr(svg, "a &lt; b &amp; c"));
    assert_non_null(strstr(svg, "<polyline"));
    assert_non_null(strstr(svg, ">here</text>"));
    assert_non_null(strstr(svg, ">L1</text>"));
    assert_non_null(strstr(svg, ">64.0 KiB</text>"));
    assert_string_equal(svg + strlen(svg) - 7, "</svg>\n");
    assert_null(strstr(svg, "nan"));
    free(svg);
}

static void a_terminal_shows_letters_and_what_they_mean(void **state)
{
    (void)state;
    struct w_chart c = sample();
    char *text = written(w_chart_text, &c);
    assert_non_null(strstr(text, "  a  line\n"));
    assert_non_null(strstr(text, "  A  points\n"));
    assert_non_null(strstr(text, "  :  L1\n"));
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        assert_true(strcspn(line, "\n") <= 82);
    free(text);
}

static void numbers_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct w_chart c = sample();
    char *tsv = written(w_chart_tsv, &c);
    assert_non_null(strstr(tsv, "line\t\t1048576\t100000000\n"));
    assert_non_null(strstr(tsv, "points\there\t65536\t500000000\n"));
    free(tsv);
    struct w_json *j = w_chart_json(&c);
    double y;
    const struct w_json *series = w_json_at(w_json_get(j, "series"), 0);
    assert_true(w_json_real(w_json_get(w_json_at(w_json_get(series, "points"), 1), "y"), &y));
    assert_true(y == 1e8);
    char *text = w_json_text(j, &err);
    assert_non_null(strstr(text, "\"marks\":[{\"x\":32768"));
    free(text);
    w_json_free(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_no_logarithm_is_left_out),
        cmocka_unit_test(axes_have_ticks_within_their_range),
        cmocka_unit_test(svg_is_escaped_and_closed),
        cmocka_unit_test(a_terminal_shows_letters_and_what_they_mean),
        cmocka_unit_test(numbers_come_out_as_they_went_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
