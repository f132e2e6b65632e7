/* The fuzzer of the splitters over some thousand random texts, so that every run of the tests goes
 * a part of its way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "nasty_text.h"
#include "tests/fuzz/fuzz_split.c"

static void no_text_splits_or_encodes_wrongly(void **state)
{
    (void)state;
    u8 input[602];
    for (u64 seed = 0; seed < 6000; seed++) {
        size_t size = seed % sizeof input;
        nasty_text(input, size, seed);
        if (size >= 2) {
            input[0] = (u8)(seed / 4);
            input[1] = (u8)(seed * 37 >> 2);
        }
        LLVMFuzzerTestOneInput(input, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_text_splits_or_encodes_wrongly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
