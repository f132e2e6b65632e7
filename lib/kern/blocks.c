#include "kern/blocks.h"

static u32 clamp_down(u64 value, u64 multiple, u64 max)
{
    value = W_MIN(value, max) / multiple * multiple;
    return (u32)W_MAX(value, multiple);
}

struct w_blocks w_blocks_choose(const struct w_kern *kern, u64 l1_bytes, u64 l2_bytes)
{
    u64 l1 = (l1_bytes ? l1_bytes : 32 << 10) / sizeof(float);
    u64 l2 = (l2_bytes ? l2_bytes : 512 << 10) / sizeof(float);
    struct w_blocks blocks;

    /* Half of L1 for the panel; the rows of a and c stream through the rest. */
    blocks.k = clamp_down(l1 / 2 / kern->tile_cols, 8, W_BLOCK_K_MAX);
    /* Half of L2 for the block of a; c streams past. */
    blocks.rows = clamp_down(l2 / 2 / blocks.k, kern->tile_rows, W_BLOCK_ROWS_MAX);
    /* Packing a block of a costs as much as 8 columns or so: a hundred times that makes it cheap, and
     * leaves items enough to keep threads evenly busy. */
    blocks.cols = clamp_down(1024, kern->tile_cols, 1024);
    return blocks;
}
