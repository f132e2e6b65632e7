#include "net/layers.h"

#include <string.h>

struct job {
    const struct w_engine *engine;
    const struct w_embedding *e;
    float *y;
    const float *dy;
    const u32 *ids;
};

static void embed_sequence(void *context, u64 b, u32 member)
{
    const struct job *job = context;
    const struct w_embedding *e = job->e;

    (void)member;
    for (u64 t = 0; t < e->length; t++) {
        float *y = job->y + (b * e->length + t) * e->d;
        u64 id = job->ids[b * (e->length + 1) + t];
        memcpy(y, e->tokens + id * e->d, e->d * sizeof *y);
        job->engine->kern->add(y, e->positions + t * e->d, e->d);
    }
}

void w_embedding_forward(const struct w_engine *engine, const struct w_embedding *e, float *y,
                         const u32 *ids)
{
    struct job job = {.engine = engine, .e = e, .y = y, .ids = ids};
    w_team_for(engine->team, e->batch, embed_sequence, &job);
}

/* Gradients of a slice of the vocabulary: each item looks through all tokens for its ids, so that
 * every row is added to in the order of the tokens, by one thread. */
#define SLICES 16

static void backward_slice(void *context, u64 slice, u32 member)
{
    const struct job *job = context;
    const struct w_embedding *e = job->e;

    (void)member;
    for (u64 b = 0; b < e->batch; b++)
        for (u64 t = 0; t < e->length; t++) {
            u64 id = job->ids[b * (e->length + 1) + t];
            if (id % SLICES == slice)
                job->engine->kern->add(e->d_tokens + id * e->d,
                                       job->dy + (b * e->length + t) * e->d, e->d);
        }
}

static void backward_position(void *context, u64 t, u32 member)
{
    const struct job *job = context;
    const struct w_embedding *e = job->e;

    (void)member;
    for (u64 b = 0; b < e->batch; b++)
        job->engine->kern->add(e->d_positions + t * e->d, job->dy + (b * e->length + t) * e->d,
                               e->d);
}

void w_embedding_backward(const struct w_engine *engine, const struct w_embedding *e,
                          const float *dy, const u32 *ids)
{
    struct job job = {.engine = engine, .e = e, .dy = dy, .ids = ids};
    w_team_for(engine->team, SLICES, backward_slice, &job);
    w_team_for(engine->team, e->length, backward_position, &job);
}
