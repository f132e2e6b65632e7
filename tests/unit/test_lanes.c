/* Sixteen bytes at a time against one at a time, without the CPU's instruction for it. */
#undef __SSE2__
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/lanes.h"
#include "base/rng.h"

static void fill(struct w_rng *rng, u8 bytes[W_LANES])
{
    for (u32 i = 0; i < W_LANES; i++)
        bytes[i] = (u8)w_rng_below(rng, 256);
}

static void lanes_are_what_a_loop_gives(void **state)
{
    (void)state;
    struct w_rng rng = {.seed = 1};
    for (u32 round = 0; round < 10000; round++) {
        u8 bytes[W_LANES];
        u64 tops = 0, within = 0;
        u32 found = W_LANES;
        fill(&rng, bytes);
        u8 first = bytes[round % W_LANES], last = (u8)w_rng_below(&rng, 256);
        if (last < first)
            last = first;
        for (u32 i = W_LANES; i-- > 0;) {
            bool is = bytes[i] >= first && bytes[i] <= last;
            tops |= (u64)(bytes[i] >> 7) << i;
            within |= (u64)is << i;
            found = is ? i : found;
        }
        w_lanes lanes = w_lanes_load(bytes);
        assert_int_equal(w_lanes_bits(lanes), tops);
        assert_int_equal(w_lanes_bits(w_lanes_within(lanes, first, last)), within);
        assert_int_equal(w_lanes_first(w_lanes_within(lanes, first, last)), found);
    }
    assert_int_equal(w_lanes_first((w_lanes){0}), W_LANES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lanes_are_what_a_loop_gives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
