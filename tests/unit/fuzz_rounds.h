/* fuzz_rounds.h - run a fuzzer over a seed and some thousand mutations of it, so that every run of
 * the tests covers a part of what `make fuzz` does. Included after the fuzzer. */
#ifndef W_FUZZ_ROUNDS_H
#define W_FUZZ_ROUNDS_H

#include "mutate.h"

/* odd: bytes that are part of the input's syntax. */
static inline void fuzz_rounds(const void *seed, size_t size, unsigned rounds, const char *odd)
{
    static u8 copy[8192];
    struct w_rng rng = {.seed = 2026};

    assert_true(size > 16 && size < sizeof copy / 2);
    LLVMFuzzerTestOneInput(seed, size);
    for (unsigned i = 0; i < rounds; i++) {
        memcpy(copy, seed, size);
        size_t changed = mutate(copy, size, sizeof copy, (const u8 *)odd, strlen(odd), &rng);
        LLVMFuzzerTestOneInput(copy, changed);
    }
}

#endif
