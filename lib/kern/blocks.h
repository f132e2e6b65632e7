/* blocks.h - how a GEMM is cut into blocks that stay in the caches (Goto and van de Geijn,
 * 2008). Pure arithmetic on the cache geometry; wcachefit prints the same numbers.
 *
 *      c tile (tile_rows x tile_cols)      registers
 *      b panel (k x tile_cols)             L1, used by all rows of the block
 *      a block (rows x k)                  L2, packed, used by all panels
 *      all panels of b                     L3 or memory, packed once, shared by all threads
 *
 * The result has the same bits for every choice (see w_tile), so that these can be tuned freely. */
#ifndef W_BLOCKS_H
#define W_BLOCKS_H

#include "kern/kern.h"

struct w_blocks {
    u32 k;    /* depth of a panel; a multiple of k_unroll */
    u32 rows; /* of the a block; a multiple of tile_rows */
    u32 cols; /* of c for each block of a, at most; a multiple of tile_cols */
};

/* Upper bounds, for which memory is planned. */
#define W_BLOCK_K_MAX 512
#define W_BLOCK_ROWS_MAX 192

/* Blocks for operands of one type. Cache sizes in bytes, for each thread; 0: not known, taken as 32
 * KiB of L1 and 512 KiB of L2. */
struct w_blocks w_blocks_choose(const struct w_kern *, enum w_type, u64 l1_bytes, u64 l2_bytes);
struct w_blocks w_blocks_of(const struct w_ukernel *, enum w_type, u64 l1_bytes, u64 l2_bytes);

#endif
