/* The fuzzer of imported vocabularies over one of each format and some thousand changes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_import.c"
#include "fuzz_own_seeds.h"

static void no_bytes_crash_a_reader(void **state)
{
    static const u8 odd[] = {0, 1, 0x7f, 0x80, 0xff, '"', ' ', ':', '\n', '1', '=', ']'};

    (void)state;
    fuzz_own_seeds(FORMATS, 2000, 400, odd, sizeof odd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_crash_a_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
