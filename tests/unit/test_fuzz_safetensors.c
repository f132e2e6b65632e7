/* The fuzzer of safetensors folders over a model and its configuration, and some thousand changes
 * of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_safetensors.c"
#include "fuzz_own_seeds.h"

static void no_bytes_crash_the_reader(void **state)
{
    static const u8 odd[] = {0, 1, 0x7f, 0x80, 0xff, '"', '[', ']', ',', '0', '9', '-'};

    (void)state;
    fuzz_own_seeds(W_COUNTOF(files), 400, 500, odd, sizeof odd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_crash_the_reader),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove_sample(sample_folder);
    return failed;
}
