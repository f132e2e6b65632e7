/* The fuzzer of compressed files over one of each format and some changes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_unpack.c"
#include "fuzz_rounds.h"
#include "packed.h"

static void no_bytes_crash_the_reader(void **state)
{
    (void)state;
    static const char text[] = "to be, or not to be, that is the question: to be, to be, to be";
    for (size_t i = 0; i < W_COUNTOF(packers); i++) {
        struct w_buffer packed = {0};
        packers[i].pack(&packed, text, sizeof text);
        packers[i].pack(&packed, text, 20);
        fuzz_rounds(packed.at, packed.size, 700,
                    "\x1f\x8b\x08\x28\xb5\x2f\xfd\xff"
                    "BZh");
        w_buffer_free(&packed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_crash_the_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
