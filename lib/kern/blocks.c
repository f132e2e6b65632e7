#include "kern/blocks.h"

static u32 clamp_down(u64 value, u64 multiple, u64 max)
{
    value = W_MIN(value, max) / multiple * multiple;
    return (u32)W_MAX(value, multiple);
}

struct w_blocks w_blocks_choose(const struct w_kern *kern, enum w_type type, u64 l1_bytes,
                                u64 l2_bytes)
{
    return w_blocks_of(&kern->ukernel[type], type, l1_bytes, l2_bytes);
}

struct w_blocks w_blocks_of(const struct w_ukernel *ukernel, enum w_type type, u64 l1_bytes,
                            u64 l2_bytes)
{
    u64 l1 = l1_bytes ? l1_bytes : 32 << 10, l2 = l2_bytes ? l2_bytes : 512 << 10;
    struct w_blocks blocks;

    /* A panel stays in L1 while the tiles of a block use it: it fits together with the rows of a
     * and the tile of c. Where it does not, every tile reads the panel from L2 again. */
    const u64 c = (u64)ukernel->tile_rows * ukernel->tile_cols * sizeof(float);
    const u64 column = w_type_bytes(type) * ukernel->tile_cols; /* for each number of k */
    const u64 row = (u64)ukernel->row_bytes * ukernel->tile_rows;
    blocks.k = clamp_down((l1 - W_MIN(l1, c)) / (column + row), W_MAX(ukernel->k_unroll, 8),
                          W_BLOCK_K_MAX);
    /* Half of L2 for the block of a; the rest for c, which passes through. */
    blocks.rows =
        clamp_down(l2 / 2 / ukernel->row_bytes / blocks.k, ukernel->tile_rows, W_BLOCK_ROWS_MAX);
    /* Packing a block of a costs about as much as multiplying it by 8 columns, and by 80 where it
     * is rounded to 8 bits: with many times as many it is cheap, and there are still enough items
     * to keep all threads busy. */
    const u64 cols = type == W_TYPE_Q8 ? 4096 : 1024;
    blocks.cols = clamp_down(cols, ukernel->tile_cols, cols);
    return blocks;
}
