/* blocks.h - how a matrix product is cut so that its pieces stay in the caches (Goto and van de
 * Geijn, 2008). Pure arithmetic on the cache geometry; wcachefit prints the same numbers.
 *
 *      c tile (tile_rows x tile_cols)      registers
 *      b panel (k x tile_cols)             L1, used by all rows of the block
 *      a block (rows x k)                  L2, packed, used by all panels
 *      all panels of b                     L3 or memory, packed once, shared by all threads
 *
 * Results have the same bits for every choice (see w_tile), so that these are free to be tuned. */
#ifndef W_BLOCKS_H
#define W_BLOCKS_H

#include "kern/kern.h"

struct w_blocks {
    u32 k;    /* depth of a panel; a multiple of the step */
    u32 rows; /* of the a block; a multiple of tile_rows */
    u32 cols; /* of c per block of a, at most; a multiple of tile_cols */
};

/* Upper bounds, for which memory is planned. */
#define W_BLOCK_K_MAX 512
#define W_BLOCK_ROWS_MAX 192

/* For operands of a type. Cache sizes in bytes, per thread; 0 stands for 32 KiB of L1 and 512 KiB of
 * L2. */
struct w_blocks w_blocks_choose(const struct w_kern *, enum w_type, u64 l1_bytes, u64 l2_bytes);

#endif
