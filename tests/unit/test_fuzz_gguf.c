/* The fuzzer of GGUF files over two models and some thousand changes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_gguf.c"
#include "fuzz_own_seeds.h"

static void no_bytes_crash_the_reader(void **state)
{
    static const u8 odd[] = {0, 1, 2, 8, 30, 0x7f, 0x80, 0xff, 'w', '.'};

    (void)state;
    fuzz_own_seeds(2, 4000, 1000, odd, sizeof odd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_crash_the_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
