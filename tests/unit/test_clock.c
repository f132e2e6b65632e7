/* A sleep takes its time; memory is counted as the kernel counts it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sys/clock.h"

static void a_sleep_takes_its_time(void **state)
{
    (void)state;
    double before = w_now_s();
    w_sleep_s(0.05);
    double slept = w_now_s() - before;
    assert_true(slept >= 0.05 && slept < 30);
}

/* The largest resident set of this process as /proc says it; bytes. */
static double peak_of_proc(void)
{
    char line[256];
    unsigned long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");

    assert_non_null(f);
    while (fgets(line, sizeof line, f) && sscanf(line, "VmHWM: %lu kB", &kib) != 1)
        ;
    fclose(f);
    assert_true(kib > 0);
    return (double)kib * 1024;
}

static void the_peak_of_memory_is_in_bytes(void **state)
{
    (void)state;
    enum { SIZE = 64 << 20 };
    char *touched = malloc(SIZE);
    assert_non_null(touched);
    memset(touched, 1, SIZE);
    double peak = (double)w_peak_memory_bytes();
    assert_true(peak > SIZE);
    assert_true(fabs(peak / peak_of_proc() - 1) < 0.01); /* the kernel counts in portions */
    free(touched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sleep_takes_its_time),
        cmocka_unit_test(the_peak_of_memory_is_in_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
