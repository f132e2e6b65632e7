/* The fuzzer of the filter over filtered ids and ids, and some thousand changes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_id_filter.c"
#include "tests/unit/fuzz_rounds.h"

static void no_bytes_crash_the_filter(void **state)
{
    /* Five ids of two bytes (man/wstream.5), six of four, and text as ids. */
    static const u8 two[] = {2, 4, 0, 8, 1, 5, 0, 4, 7, 4, 0, 0, 0xbc, 0, 0, 0, 0, 0};
    static const u8 four[] = {3, 5, 0, 9, 1, 7, 0, 1, 0, 4, 0, 5, 4, 6, 1, 0x1f, 0x3e};
    static const char text[] = "\1.the cat and the dog and the cat and the rest of them all";

    (void)state;
    assert_int_equal(LLVMFuzzerTestOneInput(two, sizeof two - 5), 0);
    fuzz_rounds(two, sizeof two, 4000, "\1\2\3\4\5\7\377");
    fuzz_rounds(four, sizeof four, 4000, "\1\2\3\4\5\7\377");
    fuzz_rounds(text, sizeof text - 1, 2000, "te \1\2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_crash_the_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
