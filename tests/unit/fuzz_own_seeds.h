/* fuzz_own_seeds.h - as fuzz_rounds.h, for a fuzzer whose mutator makes the seeds by itself.
 * Included after the fuzzer. */
#ifndef W_FUZZ_OWN_SEEDS_H
#define W_FUZZ_OWN_SEEDS_H

#include "mutate.h"

static const u8 *odd_bytes; /* that are part of the input's syntax */
static size_t odd_count;
static struct w_rng fuzz_rng = {.seed = 2028};

size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t room)
{
    return mutate(data, size, room, odd_bytes, odd_count, &fuzz_rng);
}

/* Each kind of seed, of more than `least` bytes, and changes of it. */
static inline void fuzz_own_seeds(unsigned kinds, size_t least, unsigned rounds, const u8 *odd,
                                  size_t count)
{
    static u8 seed[65536], copy[65536];

    odd_bytes = odd;
    odd_count = count;
    for (unsigned kind = 0; kind < kinds; kind++) {
        size_t size = LLVMFuzzerCustomMutator(seed, 0, sizeof seed, kind);
        assert_true(size > least && size < sizeof seed / 2);
        LLVMFuzzerTestOneInput(seed, size);
        for (unsigned i = 0; i < rounds; i++) {
            memcpy(copy, seed, size);
            LLVMFuzzerTestOneInput(copy, LLVMFuzzerCustomMutator(copy, size, sizeof copy, i));
        }
    }
}

#endif
