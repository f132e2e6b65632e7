#include "net/outer.h"

#include <string.h>

/* Floats of an item of the team. */
#define ITEM_FLOATS 16384

/* What is done with n floats of block `block` from float `at` on. */
struct outer_pass {
    const struct w_outer *outer;
    void (*work)(const struct outer_pass *, u32 block, u64 at, u64 n);
    u32 block;
    float mean, learning_rate, momentum; /* mean: 1 / ranks */
};

static void work_on_item(void *context, u64 item, u32 worker)
{
    const struct outer_pass *pass = context;
    const u64 at = item * ITEM_FLOATS, left = pass->outer->blocks[pass->block].floats - at;

    (void)worker;
    pass->work(pass, pass->block, at, W_MIN(ITEM_FLOATS, left));
}

/* Over the first `count` blocks. */
static void walk(struct outer_pass *pass, u32 count)
{
    const struct w_outer *outer = pass->outer;

    for (pass->block = 0; pass->block < count; pass->block++)
        w_team_for(outer->engine->team, w_ceil_div(outer->blocks[pass->block].floats, ITEM_FLOATS),
                   work_on_item, pass);
}

static void keep(const struct outer_pass *pass, u32 block, u64 at, u64 n)
{
    const struct w_outer_block *b = &pass->outer->blocks[block];
    memcpy(b->common + at, b->now + at, n * sizeof *b->now);
}

static void restore(const struct outer_pass *pass, u32 block, u64 at, u64 n)
{
    const struct w_outer_block *b = &pass->outer->blocks[block];
    memcpy(b->now + at, b->common + at, n * sizeof *b->now);
}

static void subtract(const struct outer_pass *pass, u32 block, u64 at, u64 n)
{
    const struct w_outer_block *b = &pass->outer->blocks[block];

    for (u64 i = at; i < at + n; i++)
        pass->outer->gradient[i] = b->common[i] - b->now[i];
}

static void step(const struct outer_pass *pass, u32 block, u64 at, u64 n)
{
    const struct w_outer *outer = pass->outer;
    const struct w_outer_block *b = &outer->blocks[block];
    const struct w_kern *kern = outer->engine->kern;

    if (block > 0) {
        kern->scale(b->now + at, pass->mean, n);
        keep(pass, block, at, n);
        return;
    }
    kern->momentum(outer->momentum + at, outer->gradient + at, pass->momentum, pass->mean, n);
    kern->descend(b->common + at, outer->gradient + at, 1, pass->learning_rate, n);
    restore(pass, block, at, n);
}

void w_outer_begin(const struct w_outer *outer)
{
    walk(&(struct outer_pass){.outer = outer, .work = keep}, outer->count);
}

void w_outer_gradient(const struct w_outer *outer)
{
    walk(&(struct outer_pass){.outer = outer, .work = subtract}, 1);
}

void w_outer_step(const struct w_outer *outer, u32 ranks, double learning_rate, double momentum)
{
    walk(&(struct outer_pass){.outer = outer,
                              .work = step,
                              .mean = 1 / (float)ranks,
                              .learning_rate = (float)learning_rate,
                              .momentum = (float)momentum},
         outer->count);
}

void w_outer_drop(const struct w_outer *outer)
{
    walk(&(struct outer_pass){.outer = outer, .work = restore}, outer->count);
}
