/* The fuzzer of counts over a few generated files and some thousand changes of them, so that every
 * run of the tests goes a part of its way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mutate.h"
#include "tests/fuzz/fuzz_counts.c"

static struct w_rng rng = {.seed = 2026};

size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t room)
{
    static const u8 odd[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff, '0', '9', '2', '{', '"', ','};

    return mutate(data, size, room, odd, sizeof odd, &rng);
}

/* Changes of bytes anywhere; and, since most of those break the header, of the arrays alone. */
static void no_bytes_crash_the_counts(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 10; kind++) {
        static u8 seed[1 << 15], copy[1 << 15];
        size_t size = LLVMFuzzerCustomMutator(seed, 0, sizeof seed, kind * 8);
        assert_true(size > 600);
        LLVMFuzzerTestOneInput(seed, size);
        size_t first = W_FRAME_BYTES + w_get32(seed + 32);
        for (unsigned i = 0; i < 1500; i++) {
            memcpy(copy, seed, size);
            size_t now = size;
            if (i % 2) {
                copy[first + w_rng_below(&rng, size - W_FRAME_END_BYTES - first)] ^=
                    (u8)(1u << w_rng_below(&rng, 8));
                make_frames_right(copy, size);
            } else {
                now = LLVMFuzzerCustomMutator(copy, size, sizeof copy, i);
            }
            LLVMFuzzerTestOneInput(copy, now);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bytes_crash_the_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
