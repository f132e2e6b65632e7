/* Knees and flattening of memory curves. Needs no clock. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/memory_curve.h"

/* Latencies of a machine with 32 KiB, 512 KiB and 8 MiB. */
static void set_curve(struct w_curve *c)
{
    *c = (struct w_curve){.kind = W_CURVE_LATENCY, .threads = 1};
    for (u64 bytes = 4096; bytes <= (64 << 20); bytes *= 2) {
        c->points[c->count].bytes = bytes;
        c->points[c->count++].value = bytes <= (32 << 10)    ? 1e-9
                                      : bytes <= (512 << 10) ? 4e-9
                                      : bytes <= (8 << 20)   ? 20e-9
                                                             : 100e-9;
    }
}

static void a_knee_is_where_a_plateau_ends(void **state)
{
    (void)state;
    struct w_curve c;
    set_curve(&c);
    double l1 = w_curve_knee(&c, 4096, 80 << 10), l2 = w_curve_knee(&c, 80 << 10, 1280 << 10);
    double l3 = w_curve_knee(&c, 1280 << 10, 64 << 20);
    assert_true(l1 > (32 << 10) && l1 < (64 << 10));
    assert_true(l2 > (512 << 10) && l2 < (1024 << 10));
    assert_true(l3 > (8 << 20) && l3 < (16 << 20));
    assert_true(isinf(w_curve_knee(&c, 64 << 10, 256 << 10))); /* one plateau */
    assert_true(w_curve_at(&c, 1) == 1e-9 && w_curve_at(&c, 1e12) == 100e-9);
    c.count = 0;
    assert_true(isnan(w_curve_at(&c, 4096)));
}

static void a_knee_is_where_it_gets_slower_by_half(void **state)
{
    (void)state;
    for (enum w_curve_kind kind = W_CURVE_LATENCY; kind <= W_CURVE_BANDWIDTH; kind++)
        for (int above = 0; above < 2; above++) {
            const double slower = above ? 1.51 : 1.49;
            struct w_curve c = {.kind = kind, .count = 2};
            c.points[0].bytes = 4096, c.points[0].value = 1;
            c.points[1].bytes = 65536;
            c.points[1].value = kind == W_CURVE_LATENCY ? slower : 1 / slower;
            double knee = w_curve_knee(&c, 4096, 65536);
            assert_true(above ? knee > 4096 && knee < 65536 : isinf(knee));
        }
}

static void a_point_is_as_fast_as_those_of_larger_sets(void **state)
{
    (void)state;
    static const double values[] = {3, 1, 2, 9, 4, 5, 5}, rising[] = {1, 1, 2, 4, 4, 5, 5},
                        falling[] = {9, 9, 9, 9, 5, 5, 5};
    for (enum w_curve_kind kind = W_CURVE_LATENCY; kind <= W_CURVE_BANDWIDTH; kind++) {
        struct w_curve c = {.kind = kind, .count = W_COUNTOF(values)};
        for (u32 i = 0; i < c.count; i++)
            c.points[i].value = values[i];
        w_curve_flatten(&c);
        for (u32 i = 0; i < c.count; i++)
            assert_true(c.points[i].value == (kind == W_CURVE_LATENCY ? rising : falling)[i]);
        c.count = 0;
        w_curve_flatten(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_knee_is_where_a_plateau_ends),
        cmocka_unit_test(a_knee_is_where_it_gets_slower_by_half),
        cmocka_unit_test(a_point_is_as_fast_as_those_of_larger_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
