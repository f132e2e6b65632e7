/* Attention, one (sequence, head) at a time: its scores, T x T, stay in the thread's cache and are
 * computed again in the backward pass, which is cheaper than to keep them.
 *
 * The products are made of the tiles of kern.h. Causal: tiles of scores above the diagonal are not
 * computed, and sums over keys or queries run only over the half that is not zero. */
#include "net/layers.h"

#include <math.h>
#include <string.h>

/* Scratch of one thread. Scores have rows of `row` floats: T rounded up. */
struct scratch {
    float *p;      /* (T, row) probabilities */
    float *ds;     /* (T, row) gradients of scores */
    float *panels; /* one packed matrix of T x head_dim, either way round */
    u64 row;
};

struct job {
    const struct w_engine *engine;
    const struct w_attention *at;
    float *out;        /* (M, d) */
    const float *qkv;  /* (M, 3d) */
    const float *dout; /* (M, d) */
    float *dqkv;       /* (M, 3d) */
    u64 head_dim;
    float scale;
};

/* A matrix (T, head_dim) inside a larger one: one head's columns. */
struct view {
    float *data;
    u64 row;
};

static struct scratch take_scratch(const struct job *job, u32 member)
{
    u64 length = job->at->length, row = w_round_up(length, W_TILE_COLS_MAX);
    float *p = w_engine_member(job->engine, member);
    return (struct scratch){
        .p = p, .ds = p + length * row, .panels = p + 2 * length * row, .row = row};
}

/* Panels of x^T: k = head_dim, one column per token. */
static void pack_across(const struct job *job, float *panels, struct view x)
{
    const struct w_kern *kern = job->engine->kern;
    u64 length = job->at->length;

    for (u64 col = 0; col < length; col += kern->tile_cols)
        kern->pack_panel(panels + col * job->head_dim, x.data + col * x.row, 1, x.row,
                         job->head_dim, (u32)W_MIN(length - col, kern->tile_cols));
}

/* Panels of x: k = T, one column per element of the head. */
static void pack_along(const struct job *job, float *panels, struct view x)
{
    const struct w_kern *kern = job->engine->kern;

    for (u64 col = 0; col < job->head_dim; col += kern->tile_cols)
        kern->pack_panel(panels + col * job->at->length, x.data + col, x.row, 1, job->at->length,
                         (u32)W_MIN(job->head_dim - col, kern->tile_cols));
}

/* s (T, T) = x y^T on and below the diagonal, y packed across. */
static void scores(const struct job *job, float *s, u64 s_row, struct view x, const float *panels)
{
    const struct w_kern *kern = job->engine->kern;
    u64 length = job->at->length;

    for (u64 col = 0; col < length; col += kern->tile_cols) {
        struct w_tile tile = {.k = job->head_dim,
                              .a_row = x.row,
                              .a_col = 1,
                              .b = panels + col * job->head_dim,
                              .c_row = s_row,
                              .cols = kern->tile_cols};
        u64 first = col / kern->tile_rows * kern->tile_rows;
        for (u64 i = first; i < length; i += kern->tile_rows) {
            tile.a = x.data + i * x.row;
            tile.c = s + i * s_row + col;
            tile.rows = (u32)W_MIN(length - i, kern->tile_rows);
            kern->tile(&tile);
        }
    }
}

/* y (T, head_dim) = s x, or s^T x, for a lower triangle s that is zero above the diagonal within
 * reach of a tile; x packed along. */
static void combine(const struct job *job, struct view y, const float *s, u64 s_row,
                    bool transposed, const float *panels)
{
    const struct w_kern *kern = job->engine->kern;
    u64 length = job->at->length;

    for (u64 col = 0; col < job->head_dim; col += kern->tile_cols) {
        struct w_tile tile = {.a_row = transposed ? 1 : s_row,
                              .a_col = transposed ? s_row : 1,
                              .c_row = y.row,
                              .cols = (u32)W_MIN(job->head_dim - col, kern->tile_cols)};
        for (u64 i = 0; i < length; i += kern->tile_rows) {
            u64 begin = transposed ? i : 0; /* rows of s: queries from i on, or keys up to i */
            tile.rows = (u32)W_MIN(length - i, kern->tile_rows);
            tile.k = (transposed ? length : i + tile.rows) - begin;
            tile.a = transposed ? s + begin * s_row + i : s + i * s_row;
            tile.b = panels + col * length + begin * kern->tile_cols;
            tile.c = y.data + i * y.row + col;
            kern->tile(&tile);
        }
    }
}

/* Zeros above the diagonal, as far as a tile can reach. */
static void clear_above(const struct job *job, float *s, u64 s_row)
{
    for (u64 i = 0; i < job->at->length; i++) {
        u64 end = W_MIN(i + job->engine->kern->tile_rows, s_row);
        for (u64 j = i + 1; j < end; j++)
            s[i * s_row + j] = 0;
    }
}

/* p = softmax of the causal scores of one head. */
static void probabilities(const struct job *job, const struct scratch *scratch, struct view q,
                          struct view k)
{
    pack_across(job, scratch->panels, k);
    scores(job, scratch->p, scratch->row, q, scratch->panels);
    for (u64 i = 0; i < job->at->length; i++)
        job->engine->kern->softmax(scratch->p + i * scratch->row, job->scale, i + 1);
    clear_above(job, scratch->p, scratch->row);
}

static struct view head_view(const float *matrix, u64 row, u64 first_row, u64 col)
{
    return (struct view){.data = (float *)matrix + first_row * row + col, .row = row};
}

static void forward_head(void *context, u64 item, u32 member)
{
    const struct job *job = context;
    const u64 d = job->at->d, first = item / job->at->heads * job->at->length;
    const u64 col = item % job->at->heads * job->head_dim;
    struct scratch scratch = take_scratch(job, member);
    struct view q = head_view(job->qkv, 3 * d, first, col),
                k = head_view(job->qkv, 3 * d, first, d + col),
                v = head_view(job->qkv, 3 * d, first, 2 * d + col),
                out = head_view(job->out, d, first, col);

    probabilities(job, &scratch, q, k);
    pack_along(job, scratch.panels, v);
    combine(job, out, scratch.p, scratch.row, false, scratch.panels);
}

static void backward_head(void *context, u64 item, u32 member)
{
    const struct job *job = context;
    const struct w_kern *kern = job->engine->kern;
    const u64 d = job->at->d, first = item / job->at->heads * job->at->length;
    const u64 col = item % job->at->heads * job->head_dim;
    struct scratch scratch = take_scratch(job, member);
    struct view q = head_view(job->qkv, 3 * d, first, col),
                k = head_view(job->qkv, 3 * d, first, d + col),
                v = head_view(job->qkv, 3 * d, first, 2 * d + col),
                dout = head_view(job->dout, d, first, col),
                dq = head_view(job->dqkv, 3 * d, first, col),
                dk = head_view(job->dqkv, 3 * d, first, d + col),
                dv = head_view(job->dqkv, 3 * d, first, 2 * d + col);

    probabilities(job, &scratch, q, k);
    pack_along(job, scratch.panels, dout);
    combine(job, dv, scratch.p, scratch.row, true, scratch.panels); /* dv = p^T dout */
    pack_across(job, scratch.panels, v);
    scores(job, scratch.ds, scratch.row, dout, scratch.panels); /* dp = dout v^T */
    for (u64 i = 0; i < job->at->length; i++)
        kern->softmax_backward(scratch.ds + i * scratch.row, scratch.p + i * scratch.row,
                               job->scale, i + 1);
    clear_above(job, scratch.ds, scratch.row);
    pack_along(job, scratch.panels, k);
    combine(job, dq, scratch.ds, scratch.row, false, scratch.panels); /* dq = ds k */
    pack_along(job, scratch.panels, q);
    combine(job, dk, scratch.ds, scratch.row, true, scratch.panels); /* dk = ds^T q */
}

static void run(struct job *job, void (*work)(void *, u64, u32))
{
    job->head_dim = job->at->d / job->at->heads;
    job->scale = (float)(1 / sqrt((double)job->head_dim));
    w_team_for(job->engine->team, job->at->batch * job->at->heads, work, job);
}

void w_attention_forward(const struct w_engine *engine, const struct w_attention *at, float *out,
                         const float *qkv)
{
    struct job job = {.engine = engine, .at = at, .out = out, .qkv = qkv};
    run(&job, forward_head);
}

void w_attention_backward(const struct w_engine *engine, const struct w_attention *at, float *dqkv,
                          const float *dout, const float *qkv)
{
    struct job job = {.engine = engine, .at = at, .dqkv = dqkv, .dout = dout, .qkv = qkv};
    run(&job, backward_head);
}
