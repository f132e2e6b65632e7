/* Statistics of samples: spread, quantiles, and whether a machine was in two states. Needs no
 * clock. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/probe.h"

static void samples_that_differ_are_noisy(void **state)
{
    (void)state;
    double calm[] = {1.02, 1, 1.01, 1.03}, wild[] = {1, 3, 1.1, 2};
    assert_false(w_probe_of(calm, 4).noisy);
    struct w_probe p = w_probe_of(wild, 4);
    assert_true(p.noisy && p.seconds > 1 && p.seconds < 1.1); /* disturbances only add */
    assert_true(isnan(w_quantile(calm, 0, 0.5)));
    assert_true(w_quantile(calm, 4, 1) == 1.03 && w_quantile(calm, 4, 0) == 1);
}

static void two_states_are_distinguished_from_noise(void **state)
{
    (void)state;
    static const double one[] = {80, 93, 96, 97, 98, 99, 100, 101, 102, 103},
                        two[] = {48, 50, 52, 97, 98, 99, 100, 101, 102, 103},
                        outliers[] = {50, 51, 97, 98, 99, 100, 101, 102, 103, 104};
    struct w_states s = w_states_of(one, 10);
    assert_true(s.half == 0 && s.border == 0 && s.full == 98.5);
    s = w_states_of(two, 10);
    assert_true(s.half == 50 && s.full == 100 && s.border > 52 && s.border < 97);
    s = w_states_of(outliers, 10);
    assert_true(s.half == 0 && s.full == 99.5);
    assert_true(w_states_of(two, 5).half == 0); /* too few to decide */
    assert_true(w_states_of(two, 1).full == 48);
}

/* The gap has to be wider than a quarter, and a tenth of the rates has to lie on either side. */
static void states_begin_where_noise_ends(void **state)
{
    (void)state;
    double rates[40];
    for (u32 slow = 0; slow <= 40; slow++)
        for (u32 gap = 0; gap < 2; gap++) {
            for (u32 i = 0; i < 40; i++)
                rates[i] = i < slow ? 100 : gap ? 130 : 120;
            struct w_states s = w_states_of(rates, 40);
            bool two = gap && slow >= 4 && slow <= 36;
            assert_int_equal(s.half > 0, two);
            assert_true(s.full == (two ? 130 : w_quantile(rates, 40, 0.5)));
            assert_true(!two || (s.half == 100 && s.border > 100 && s.border <= 130));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_that_differ_are_noisy),
        cmocka_unit_test(two_states_are_distinguished_from_noise),
        cmocka_unit_test(states_begin_where_noise_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
