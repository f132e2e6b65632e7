/* The fuzzer of safetensors folders over a model and its configuration, and some thousand changes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mutate.h"
#include "tests/fuzz/fuzz_safetensors.c"

static struct w_rng rng = {.seed = 2029};

size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t room)
{
    static const u8 odd[] = {0, 1, 0x7f, 0x80, 0xff, '"', '[', ']', ',', '0', '9', '-'};

    return mutate(data, size, room, odd, sizeof odd, &rng);
}

static void no_bytes_crash_the_reader(void **state)
{
    (void)state;
    static u8 seed[65536], copy[65536];
    for (unsigned kind = 0; kind < 2; kind++) {
        size_t size = LLVMFuzzerCustomMutator(seed, 0, sizeof seed, kind);
        assert_true(size > 400 && size < sizeof seed / 2);
        LLVMFuzzerTestOneInput(seed, size);
        for (unsigned i = 0; i < 500; i++) {
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
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove_sample(folder);
    return failed;
}
