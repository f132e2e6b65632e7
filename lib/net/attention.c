/* Attention, one (sequence, head) at a time: its scores, T x T, stay in the thread's cache and are
 * computed again in the backward pass, which is cheaper than to keep them.
 *
 * The products are made of the tiles of kern.h. Causal: tiles of scores above the diagonal are not
 * computed, and sums over keys or queries run only over the half that is not zero. Scores and their
 * softmax are floats; what is multiplied further has the type of the activations. */
#include "net/layers.h"

#include <math.h>
#include <string.h>

/* Scores, or their gradients, of one head: rows of `row` elements, T rounded up. */
struct scores {
    float *exact;  /* (T, row) */
    void *operand; /* the same in the type of the activations; of floats, `exact` itself */
};

/* Scratch of one thread. */
struct scratch {
    struct scores p, ds;
    u64 row;
    void *rows;   /* packed rows of a product: T of head_dim, or one tile of T */
    void *panels; /* one packed matrix of T x head_dim, either way round */
};

struct job {
    const struct w_engine *engine;
    const struct w_attention *at;
    const struct w_mul *mul;
    void *out;        /* (M, d) */
    const void *qkv;  /* (M, 3d) */
    const void *dout; /* (M, d) */
    void *dqkv;       /* (M, 3d) */
    u64 head_dim;
    float scale;
};

/* A matrix (T, head_dim) inside a larger one: one head's columns. */
struct view {
    void *data;
    u64 row;
};

static struct scratch take_scratch(const struct job *job, u32 member)
{
    const u64 length = job->at->length, row = w_round_up(length, W_TILE_COLS_MAX);
    const u64 square = length * row, width = w_round_up(job->head_dim, W_TILE_COLS_MAX);
    float *floats = w_engine_member(job->engine, member);
    struct scratch s = {.p.exact = floats, .ds.exact = floats + square, .row = row};

    s.panels = floats + 2 * square;
    s.rows = floats + 2 * square + width * row;
    s.p.operand = s.p.exact;
    s.ds.operand = s.ds.exact;
    if (job->engine->type == W_TYPE_BF16) {
        s.p.operand = (float *)s.rows + width * (row + W_TILE_ROWS_MAX) + 16;
        s.ds.operand = w_at(s.p.operand, W_TYPE_BF16, square);
    }
    return s;
}

static void *element(const struct job *job, struct view x, u64 row, u64 col)
{
    return w_at(x.data, job->engine->type, row * x.row + col);
}

/* Panels of x^T: k = head_dim, one column per token. */
static void pack_across(const struct job *job, void *panels, struct view x)
{
    const struct w_mul *mul = job->mul;
    const u64 length = job->at->length, k = w_round_up(job->head_dim, mul->step);

    for (u64 col = 0; col < length; col += mul->tile_cols)
        mul->pack_panel(w_at(panels, job->engine->type, col * k), element(job, x, col, 0), 1, x.row,
                        job->head_dim, (u32)W_MIN(length - col, mul->tile_cols));
}

/* Panels of x: k = T, one column per element of the head. */
static void pack_along(const struct job *job, void *panels, struct view x)
{
    const struct w_mul *mul = job->mul;
    const u64 length = job->at->length, k = w_round_up(length, mul->step);

    for (u64 col = 0; col < job->head_dim; col += mul->tile_cols)
        mul->pack_panel(w_at(panels, job->engine->type, col * k), element(job, x, 0, col), x.row, 1,
                        length, (u32)W_MIN(job->head_dim - col, mul->tile_cols));
}

/* s (T, T) = x y^T on and below the diagonal, y packed across. */
static void multiply_scores(const struct job *job, const struct scratch *scratch, float *s,
                            struct view x)
{
    const struct w_mul *mul = job->mul;
    const u64 length = job->at->length, k = w_round_up(job->head_dim, mul->step);

    mul->pack_rows(scratch->rows, x.data, x.row, 1, job->head_dim, length);
    for (u64 col = 0; col < length; col += mul->tile_cols) {
        const u64 first = col / mul->tile_rows * mul->tile_rows;
        mul->tile(&(struct w_tile){.k = k,
                                   .a = (u8 *)scratch->rows + first * k * mul->row_bytes,
                                   .b = w_at(scratch->panels, job->engine->type, col * k),
                                   .c = s + first * scratch->row + col,
                                   .c_row = scratch->row,
                                   .rows = length - first,
                                   .cols = mul->tile_cols});
    }
}

/* One tile of y, which is bf16 if the activations are. */
static void multiply_into(const struct job *job, struct view y, u64 row, u64 col,
                          struct w_tile *tile)
{
    _Alignas(64) float floats[W_TILE_ROWS_MAX * W_TILE_COLS_MAX];
    const bool narrow = job->engine->type == W_TYPE_BF16;

    tile->c = narrow ? floats : element(job, y, row, col);
    tile->c_row = narrow ? W_TILE_COLS_MAX : y.row;
    job->mul->tile(tile);
    for (u64 i = 0; narrow && i < tile->rows; i++)
        job->engine->kern->narrow(element(job, y, row + i, col), floats + i * W_TILE_COLS_MAX,
                                  tile->cols);
}

/* y (T, head_dim) = s x, or s^T x, for a lower triangle s that is zero above the diagonal within
 * reach of a tile; x packed along. */
static void combine(const struct job *job, const struct scratch *scratch, struct view y,
                    struct view s, bool transposed)
{
    const struct w_mul *mul = job->mul;
    const u64 length = job->at->length, depth = w_round_up(length, mul->step);

    for (u64 i = 0; i < length; i += mul->tile_rows) {
        const u64 rows = W_MIN(length - i, mul->tile_rows);
        const u64 begin = transposed ? i : 0; /* of k: queries from i on, or keys up to i */
        const u64 k = (transposed ? length : i + rows) - begin;
        if (transposed)
            mul->pack_rows(scratch->rows, element(job, s, begin, i), 1, s.row, k, rows);
        else
            mul->pack_rows(scratch->rows, element(job, s, i, 0), s.row, 1, k, rows);
        for (u64 col = 0; col < job->head_dim; col += mul->tile_cols) {
            u64 place = col * depth + begin * mul->tile_cols;
            struct w_tile tile = {.k = w_round_up(k, mul->step),
                                  .a = scratch->rows,
                                  .b = w_at(scratch->panels, job->engine->type, place),
                                  .rows = rows,
                                  .cols = (u32)W_MIN(job->head_dim - col, mul->tile_cols)};
            multiply_into(job, y, i, col, &tile);
        }
    }
}

/* Row i of the scores is complete: make it an operand, with zeros above the diagonal as far as a tile
 * can reach. */
static void finish_row(const struct job *job, const struct scratch *scratch, struct scores s, u64 i)
{
    const u64 end = W_MIN(i + job->mul->tile_rows, scratch->row), place = i * scratch->row;

    for (u64 j = i + 1; j < end; j++)
        s.exact[place + j] = 0;
    if (job->engine->type == W_TYPE_BF16)
        job->engine->kern->narrow((w_bf16 *)s.operand + place, s.exact + place, end);
}

static struct view operand_view(const struct scratch *scratch, struct scores s)
{
    return (struct view){.data = s.operand, .row = scratch->row};
}

/* p = softmax of the causal scores of one head. */
static void probabilities(const struct job *job, const struct scratch *scratch, struct view q,
                          struct view k)
{
    pack_across(job, scratch->panels, k);
    multiply_scores(job, scratch, scratch->p.exact, q);
    for (u64 i = 0; i < job->at->length; i++) {
        job->engine->kern->softmax(scratch->p.exact + i * scratch->row, job->scale, i + 1);
        finish_row(job, scratch, scratch->p, i);
    }
}

static struct view head_view(const struct job *job, const void *matrix, u64 row, u64 first_row,
                             u64 col)
{
    return (struct view){.data = w_at(matrix, job->engine->type, first_row * row + col),
                         .row = row};
}

static void forward_head(void *context, u64 item, u32 member)
{
    const struct job *job = context;
    const u64 d = job->at->d, first = item / job->at->heads * job->at->length;
    const u64 col = item % job->at->heads * job->head_dim;
    const struct scratch scratch = take_scratch(job, member);
    struct view q = head_view(job, job->qkv, 3 * d, first, col),
                k = head_view(job, job->qkv, 3 * d, first, d + col),
                v = head_view(job, job->qkv, 3 * d, first, 2 * d + col),
                out = head_view(job, job->out, d, first, col);

    probabilities(job, &scratch, q, k);
    pack_along(job, scratch.panels, v);
    combine(job, &scratch, out, operand_view(&scratch, scratch.p), false);
}

static void backward_head(void *context, u64 item, u32 member)
{
    const struct job *job = context;
    const u64 d = job->at->d, first = item / job->at->heads * job->at->length;
    const u64 col = item % job->at->heads * job->head_dim;
    const struct scratch scratch = take_scratch(job, member);
    struct view q = head_view(job, job->qkv, 3 * d, first, col),
                k = head_view(job, job->qkv, 3 * d, first, d + col),
                v = head_view(job, job->qkv, 3 * d, first, 2 * d + col),
                dout = head_view(job, job->dout, d, first, col),
                dq = head_view(job, job->dqkv, 3 * d, first, col),
                dk = head_view(job, job->dqkv, 3 * d, first, d + col),
                dv = head_view(job, job->dqkv, 3 * d, first, 2 * d + col),
                p = operand_view(&scratch, scratch.p), ds = operand_view(&scratch, scratch.ds);

    probabilities(job, &scratch, q, k);
    pack_along(job, scratch.panels, dout);
    combine(job, &scratch, dv, p, true); /* dv = p^T dout */
    pack_across(job, scratch.panels, v);
    multiply_scores(job, &scratch, scratch.ds.exact, dout); /* dp = dout v^T */
    for (u64 i = 0; i < job->at->length; i++) {
        const u64 place = i * scratch.row;
        job->engine->kern->softmax_backward(scratch.ds.exact + place, scratch.p.exact + place,
                                            job->scale, i + 1);
        finish_row(job, &scratch, scratch.ds, i);
    }
    pack_along(job, scratch.panels, k);
    combine(job, &scratch, dq, ds, false); /* dq = ds k */
    pack_along(job, scratch.panels, q);
    combine(job, &scratch, dk, ds, true); /* dk = ds^T q */
}

static void run(struct job *job, void (*work)(void *, u64, u32))
{
    job->mul = &job->engine->kern->mul[job->engine->type];
    job->head_dim = job->at->d / job->at->heads;
    job->scale = (float)(1 / sqrt((double)job->head_dim));
    w_team_for(job->engine->team, job->at->batch * job->at->heads, work, job);
}

void w_attention_forward(const struct w_engine *engine, const struct w_attention *at, void *out,
                         const void *qkv)
{
    struct job job = {.engine = engine, .at = at, .out = out, .qkv = qkv};
    run(&job, forward_head);
}

void w_attention_backward(const struct w_engine *engine, const struct w_attention *at, void *dqkv,
                          const void *dout, const void *qkv)
{
    struct job job = {.engine = engine, .at = at, .dqkv = dqkv, .dout = dout, .qkv = qkv};
    run(&job, backward_head);
}
