#include "base/arena.h"

void *w_arena_push(struct w_arena *arena, u64 count, u64 size)
{
    u64 bytes, end;

    if (!w_mul_ok(count, size, &bytes) || bytes > UINT64_MAX - W_ARENA_ALIGN ||
        !w_add_ok(arena->used, w_round_up(bytes, W_ARENA_ALIGN), &end) ||
        (arena->base && end > arena->size)) {
        arena->overflow = true;
        return NULL;
    }
    u8 *memory = arena->base ? arena->base + arena->used : NULL;
    arena->used = end;
    return memory;
}
