/* arena.h - many allocations from one block of memory, freed together with it.
 *
 * The same code that carves a block can measure it: an arena without a base only counts. The
 * planner runs the carving once to learn the size and once more to get the pointers, so what is
 * planned and what is allocated cannot differ.
 *
 *     struct w_arena arena = {0};                 // measure
 *     carve(&arena);
 *     arena = (struct w_arena){.base = block, .size = arena.used};
 *     carve(&arena);                              // the same calls, now with pointers
 */
#ifndef W_ARENA_H
#define W_ARENA_H

#include "base/base.h"

#define W_ARENA_ALIGN 64 /* bytes: one cache line, and the widest vector */

struct w_arena {
    u8 *base; /* NULL: measure only; else aligned to W_ARENA_ALIGN */
    u64 size; /* bytes at base */
    u64 used;
    bool overflow; /* a size wrapped or the block was too small */
};

/* Take count * size bytes, aligned to W_ARENA_ALIGN; the bytes are as the block had them. Returns
 * NULL while measuring, and on overflow, which the caller checks once at the end. */
void *w_arena_push(struct w_arena *arena, u64 count, u64 size);

#endif
