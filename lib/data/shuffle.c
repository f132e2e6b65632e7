#include "data/shuffle.h"

#include "base/rng.h"

/* Streams of the generator keep the uses of one seed apart. Epochs take the numbers from ORDER
 * on. */
#define SPLIT_STREAM 0x73706c6974000000ull /* "split" */
#define SLOT_STREAM 0x736c6f7400000000ull  /* "slot" */
#define ORDER_STREAM 0x6f72646572000000ull /* "order" */

void w_shuffle(u32 *order, u32 n, u64 seed, u64 epoch)
{
    struct w_rng rng = {.seed = seed, .stream = ORDER_STREAM + epoch};

    for (u32 i = 0; i < n; i++) {
        u32 j = (u32)w_rng_below(&rng, (u64)i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}

u64 w_shuffle_slot(u64 n, u64 seed, u64 draw)
{
    /* w_rng_below() may use several counters for one number: each draw has 256 of its own. */
    struct w_rng rng = {.seed = seed, .stream = SLOT_STREAM, .counter = draw << 8};
    return w_rng_below(&rng, n);
}

bool w_is_validation(u64 seed, u64 number, double fraction)
{
    struct w_rng rng = {.seed = seed, .stream = SPLIT_STREAM, .counter = number};
    return w_rng_unit(&rng) < fraction;
}
