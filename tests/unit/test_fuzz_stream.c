/* The fuzzer of the stream over a few generated streams and some thousand changes of them, so that
 * every run of the tests goes a part of its way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mutate.h"
#include "tests/fuzz/fuzz_stream.c"

static struct w_rng rng = {.seed = 2026};

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room)
{
    static const u8 odd[] = {0, 1, 0x7f, 0x80, 0xff, 'D', 'E', 'i', 'm', 'X', '{', '"'};

    return mutate(data, size, room, odd, sizeof odd, &rng);
}

static void no_bytes_crash_the_reader(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        static u8 seed[8192], copy[8192];
        size_t size = LLVMFuzzerCustomMutator(seed, 0, sizeof seed, kind * 8);
        assert_true(size > 600 && size < sizeof seed / 2);
        LLVMFuzzerTestOneInput(seed, size);
        for (unsigned i = 0; i < 3000; i++) {
            memcpy(copy, seed, size);
            LLVMFuzzerTestOneInput(copy, LLVMFuzzerCustomMutator(copy, size, sizeof copy, i));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_crash_the_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
