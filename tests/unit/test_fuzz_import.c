/* The fuzzer of imported vocabularies over one of each format and some thousand changes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mutate.h"
#include "tests/fuzz/fuzz_import.c"

static struct w_rng rng = {.seed = 2027};

size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t room)
{
    static const u8 odd[] = {0, 1, 0x7f, 0x80, 0xff, '"', ' ', ':', '\n', '1', '=', ']'};

    return mutate(data, size, room, odd, sizeof odd, &rng);
}

static void no_bytes_crash_a_reader(void **state)
{
    (void)state;
    static u8 seed[16384], copy[16384];
    for (unsigned format = 0; format < FORMATS; format++) {
        size_t size = LLVMFuzzerCustomMutator(seed, 0, sizeof seed, format);
        assert_true(size > 2000 && size < sizeof seed / 2);
        LLVMFuzzerTestOneInput(seed, size);
        for (unsigned i = 0; i < 400; i++) {
            memcpy(copy, seed, size);
            LLVMFuzzerTestOneInput(copy, LLVMFuzzerCustomMutator(copy, size, sizeof copy, i));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_crash_a_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
