/* The fuzzer of formulas over a few of them and some thousand changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_expr.c"
#include "fuzz_rounds.h"

static const char *const seeds[] = {
    "4*b*t*(l*(10*d + f) + 2*d) / 3 - c^2",
    "ceil(threads / l2.instances) + floor(7.5) * sqrt(z)",
    "if(decode <= l3.bytes, min(1, b), max(2.5e1, unknown))",
    "0x10 + 0X1p4 - 1e2 * 2.5E-1 / x10",
    "((((((((a < b) + 1) >= 2) * c) > d) - e) / 7) ^ 2)",
};

static void no_bytes_are_computed_wrongly(void **state)
{
    (void)state;
    for (size_t i = 0; i < W_COUNTOF(seeds); i++)
        fuzz_rounds(seeds[i], strlen(seeds[i]), 4000, "()+-*/^<=>, .0123456789abdeux_");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_are_computed_wrongly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
