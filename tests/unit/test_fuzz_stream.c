/* The fuzzer of the stream over a few generated streams and some thousand changes of them, so that
 * every run of the tests goes a part of its way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "tests/fuzz/fuzz_stream.c"

static struct w_rng rng = {.seed = 2026};

/* What libFuzzer would do: set, flip, insert, remove, copy a few bytes. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room)
{
    static const u8 odd[] = {0, 1, 0x7f, 0x80, 0xff, 'D', 'E', 'i', 'm', 'X', '{', '"'};
    for (u64 changes = 1 + w_rng_below(&rng, 3); changes > 0 && size > 16; changes--) {
        size_t at = (size_t)w_rng_below(&rng, size), n = 1 + (size_t)w_rng_below(&rng, 8);
        n = W_MIN(n, size - at);
        switch (w_rng_below(&rng, 5)) {
        case 0: data[at] = odd[w_rng_below(&rng, sizeof odd)]; break;
        case 1: data[at] ^= (u8)(1u << w_rng_below(&rng, 8)); break;
        case 2: memset(data + at, (int)w_rng_below(&rng, 256), n); break;
        case 3:
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
