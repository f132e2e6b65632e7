/* The fuzzer of foreign vocabularies over one of each format and some thousand changes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "tests/fuzz/fuzz_foreign.c"

static struct w_rng rng = {.seed = 2027};

/* What libFuzzer would do: set, flip, remove, copy a few bytes. */
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t room)
{
    static const u8 odd[] = {0, 1, 0x7f, 0x80, 0xff, '"', ' ', ':', '\n', '1', '=', ']'};

    for (u64 changes = 1 + w_rng_below(&rng, 3); changes > 0 && size > 16; changes--) {
        size_t at = (size_t)w_rng_below(&rng, size), n = 1 + (size_t)w_rng_below(&rng, 8);
        n = W_MIN(n, size - at);
        switch (w_rng_below(&rng, 4)) {
        case 0: data[at] = odd[w_rng_below(&rng, sizeof odd)]; break;
        case 1: data[at] ^= (u8)(1u << w_rng_below(&rng, 8)); break;
        case 2:
            memmove(data + at, data + at + n, size - at - n);
            size -= n;
            break;
        default:
            n = W_MIN(n, room - size);
            memmove(data + at + n, data + at, size - at);
            size += n;
        }
    }
    return size;
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
