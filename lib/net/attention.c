/* Causal attention. An item is one head of one sequence, with q, k, v and y (T, h), h = head_dim:
 *
 *      p = softmax(scale q k^T),  y = p v                               scores p: (T, T)
 *      dv = p^T dy,  dp = dy v^T,  ds = scale p (dp - rowsum(p dp)),  dq = ds k,  dk = ds^T q
 *
 * p stays in the thread's cache, and the backward pass computes it again, which is cheaper than to
 * keep T numbers for every token and head. The products are made of the micro-kernels of kern.h:
 * tiles of scores above the diagonal are not computed, and sums over keys or queries run only over
 * the half that is not zero; about 2 T^2 h FLOPs forward and 5 T^2 h backward. Scores and their
 * softmax are in fp32, operands in the compute type. */
#include "net/layer.h"

#include <math.h>
#include <string.h>

/* Buffers, in generation only: the KV cache, for each slot and head as struct w_attend has it. */
enum { KEYS, VALUES };

/* All heads of a batch, for the team. */
struct job {
    const struct w_layer_at *at;
    const struct w_engine *engine;
    const struct w_ukernel *ukernel;
    u64 length, d, heads, head_dim;
    float scale; /* 1 / sqrt(head_dim) */
};

/* One head's columns (T, head_dim) of a larger matrix. */
struct view {
    void *data;
    u64 row;
};

/* Scores of one head or their gradients: rows of scratch.row numbers, T rounded up. */
struct scores {
    float *exact;  /* (T, row) */
    void *operand; /* the same in the compute type; with fp32, `exact` itself */
};

/* Scratch of one thread. */
struct scratch {
    struct scores p, ds;
    u64 row;
    void *panels; /* one packed matrix of T x head_dim, or its transpose */
    void *rows;   /* packed rows: T of head_dim numbers, or one tile of T numbers */
};

/* Offsets in floats of the parts of the scratch; the last is its size. */
enum part { P, DS, PANELS, ROWS, OPERANDS, PARTS };

static void scratch_layout(u64 at[PARTS + 1], u64 length, u64 head_dim, enum w_type type)
{
    const u64 row = w_size_padded(length), width = w_size_padded(head_dim),
              square = w_size_mul(length, row);
    const u64 sizes[PARTS] = {
        [P] = square,
        [DS] = square,
        [PANELS] = w_size_mul(width, row),
        [ROWS] = w_size_add(w_size_mul(width, w_size_add(row, W_TILE_ROWS_MAX)), 16),
        [OPERANDS] = type == W_TYPE_BF16 ? square : 0, /* two squares of 2-byte numbers */
    };

    at[0] = 0;
    for (u32 i = 0; i < PARTS; i++)
        at[i + 1] = w_size_add(at[i], sizes[i]);
}

static struct scratch take_scratch(const struct job *job, u32 worker)
{
    const enum w_type type = job->engine->type;
    float *floats = w_engine_scratch(job->engine, worker);
    struct scratch s = {.row = w_size_padded(job->length)};
    u64 at[PARTS + 1];

    scratch_layout(at, job->length, job->head_dim, type);
    s.p.exact = floats + at[P];
    s.ds.exact = floats + at[DS];
    s.panels = floats + at[PANELS];
    s.rows = floats + at[ROWS];
    s.p.operand = type == W_TYPE_BF16 ? floats + at[OPERANDS] : s.p.exact;
    s.ds.operand = type == W_TYPE_BF16 ? w_at(s.p.operand, type, job->length * s.row) : s.ds.exact;
    return s;
}

/* Tokens of a slot: whole blocks. */
static u64 slot_length(const struct w_conf *conf)
{
    return w_round_up(conf->max_length, W_ATTEND_BLOCK);
}

static void plan_decode(struct w_planner *p, struct w_layer *layer)
{
    const u64 heads = p->conf->num_heads, size = layer->out / heads;
    const u64 tokens = w_size_mul(p->decode->slots, w_size_mul(slot_length(p->conf), heads));

    layer->own_at[KEYS] =
        w_plan_each(p, "kv.keys", W_LIFE_RUN, w_size_mul(w_size_mul(tokens, size), p->element));
    layer->own_at[VALUES] =
        w_plan_each(p, "kv.values", W_LIFE_RUN,
                    w_size_mul(w_size_mul(tokens, W_ATTEND_WIDTH(size)), p->element));
    w_plan_thread(p, W_ATTEND_FLOATS(p->conf->max_length, size));
}

static void plan(struct w_planner *p, struct w_layer *layer)
{
    const u64 length = p->conf->max_length;
    u64 at[PARTS + 1];

    if (p->mode == W_PLAN_DECODE) {
        plan_decode(p, layer);
        return;
    }
    scratch_layout(at, length, layer->out / p->conf->num_heads, p->type);
    w_plan_thread(p, at[PARTS]);
}

static void *element(const struct job *job, struct view x, u64 row, u64 col)
{
    return w_at(x.data, job->engine->type, row * x.row + col);
}

/* Panels of x^T: k = head_dim, one column per token. */
static void pack_across(const struct job *job, void *panels, struct view x)
{
    const struct w_ukernel *ukernel = job->ukernel;
    const u64 length = job->length, k = w_round_up(job->head_dim, ukernel->k_unroll);

    for (u64 col = 0; col < length; col += ukernel->tile_cols)
        ukernel->pack_panel(w_at(panels, job->engine->type, col * k), element(job, x, col, 0), 1,
                            x.row, job->head_dim, (u32)W_MIN(length - col, ukernel->tile_cols));
}

/* Panels of x: k = T, one column per element of the head. */
static void pack_along(const struct job *job, void *panels, struct view x)
{
    const struct w_ukernel *ukernel = job->ukernel;
    const u64 length = job->length, k = w_round_up(length, ukernel->k_unroll);

    for (u64 col = 0; col < job->head_dim; col += ukernel->tile_cols)
        ukernel->pack_panel(w_at(panels, job->engine->type, col * k), element(job, x, 0, col),
                            x.row, 1, length, (u32)W_MIN(job->head_dim - col, ukernel->tile_cols));
}

/* s (T, T) = x y^T on and below the diagonal, y packed by pack_across(). */
static void multiply_scores(const struct job *job, const struct scratch *scratch, float *s,
                            struct view x)
{
    const struct w_ukernel *ukernel = job->ukernel;
    const u64 length = job->length, k = w_round_up(job->head_dim, ukernel->k_unroll);

    ukernel->pack_rows(scratch->rows, x.data, x.row, 1, job->head_dim, length);
    for (u64 col = 0; col < length; col += ukernel->tile_cols) {
        const u64 first = col / ukernel->tile_rows * ukernel->tile_rows;
        ukernel->run(&(struct w_tile){.k = k,
                                      .a = (u8 *)scratch->rows + first * k * ukernel->row_bytes,
                                      .b = w_at(scratch->panels, job->engine->type, col * k),
                                      .c = s + first * scratch->row + col,
                                      .c_row = scratch->row,
                                      .rows = length - first,
                                      .cols = ukernel->tile_cols});
    }
}

/* One tile of y, in the compute type. */
static void multiply_into(const struct job *job, struct view y, u64 row, u64 col,
                          struct w_tile *tile)
{
    _Alignas(64) float floats[W_TILE_ROWS_MAX * W_TILE_COLS_MAX];
    const bool narrow = job->engine->type == W_TYPE_BF16;

    tile->c = narrow ? floats : element(job, y, row, col);
    tile->c_row = narrow ? W_TILE_COLS_MAX : y.row;
    job->ukernel->run(tile);
    for (u64 i = 0; narrow && i < tile->rows; i++)
        job->engine->kern->to_bf16(element(job, y, row + i, col), floats + i * W_TILE_COLS_MAX,
                                   tile->cols);
}

/* y (T, head_dim) = s x, or s^T x, for a lower triangle s that is zero above the diagonal as far as
 * a tile reaches; x packed by pack_along(). */
static void combine(const struct job *job, const struct scratch *scratch, struct view y,
                    struct view s, bool transposed)
{
    const struct w_ukernel *ukernel = job->ukernel;
    const u64 length = job->length, depth = w_round_up(length, ukernel->k_unroll);

    for (u64 i = 0; i < length; i += ukernel->tile_rows) {
        const u64 rows = W_MIN(length - i, ukernel->tile_rows);
        const u64 begin = transposed ? i : 0; /* of k: queries from i on, or keys up to i */
        const u64 k = (transposed ? length : i + rows) - begin;
        if (transposed)
            ukernel->pack_rows(scratch->rows, element(job, s, begin, i), 1, s.row, k, rows);
        else
            ukernel->pack_rows(scratch->rows, element(job, s, i, 0), s.row, 1, k, rows);
        for (u64 col = 0; col < job->head_dim; col += ukernel->tile_cols) {
            u64 place = col * depth + begin * ukernel->tile_cols;
            struct w_tile tile = {.k = w_round_up(k, ukernel->k_unroll),
                                  .a = scratch->rows,
                                  .b = w_at(scratch->panels, job->engine->type, place),
                                  .rows = rows,
                                  .cols = (u32)W_MIN(job->head_dim - col, ukernel->tile_cols)};
            multiply_into(job, y, i, col, &tile);
        }
    }
}

/* Row i of the scores is complete: convert it to the compute type, with zeros above the diagonal as
 * far as a tile reaches. */
static void operand_row(const struct job *job, const struct scratch *scratch, struct scores s,
                        u64 i)
{
    const u64 end = W_MIN(i + job->ukernel->tile_rows, scratch->row), place = i * scratch->row;

    for (u64 j = i + 1; j < end; j++)
        s.exact[place + j] = 0;
    if (job->engine->type == W_TYPE_BF16)
        job->engine->kern->to_bf16((w_bf16 *)s.operand + place, s.exact + place, end);
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
    for (u64 i = 0; i < job->length; i++) {
        job->engine->kern->softmax(scratch->p.exact + i * scratch->row, job->scale, i + 1);
        operand_row(job, scratch, scratch->p, i);
    }
}

static struct view head_view(const struct job *job, const void *matrix, u64 row, u64 first_row,
                             u64 col)
{
    return (struct view){.data = w_at(matrix, job->engine->type, first_row * row + col),
                         .row = row};
}

static void forward_head(void *context, u64 item, u32 worker)
{
    const struct job *job = context;
    const u64 d = job->d, first = item / job->heads * job->length;
    const u64 col = item % job->heads * job->head_dim;
    const struct scratch scratch = take_scratch(job, worker);
    const void *qkv = job->at->x;
    struct view q = head_view(job, qkv, 3 * d, first, col),
                k = head_view(job, qkv, 3 * d, first, d + col),
                v = head_view(job, qkv, 3 * d, first, 2 * d + col),
                y = head_view(job, job->at->y, d, first, col);

    probabilities(job, &scratch, q, k);
    pack_along(job, scratch.panels, v);
    combine(job, &scratch, y, operand_view(&scratch, scratch.p), false);
}

static void backward_head(void *context, u64 item, u32 worker)
{
    const struct job *job = context;
    const u64 d = job->d, first = item / job->heads * job->length;
    const u64 col = item % job->heads * job->head_dim;
    const struct scratch scratch = take_scratch(job, worker);
    const void *qkv = job->at->x, *dqkv = job->at->dx;
    struct view q = head_view(job, qkv, 3 * d, first, col),
                k = head_view(job, qkv, 3 * d, first, d + col),
                v = head_view(job, qkv, 3 * d, first, 2 * d + col),
                dy = head_view(job, job->at->dy, d, first, col),
                dq = head_view(job, dqkv, 3 * d, first, col),
                dk = head_view(job, dqkv, 3 * d, first, d + col),
                dv = head_view(job, dqkv, 3 * d, first, 2 * d + col),
                p = operand_view(&scratch, scratch.p), ds = operand_view(&scratch, scratch.ds);

    probabilities(job, &scratch, q, k);
    pack_along(job, scratch.panels, dy);
    combine(job, &scratch, dv, p, true); /* dv = p^T dy */
    pack_across(job, scratch.panels, v);
    multiply_scores(job, &scratch, scratch.ds.exact, dy); /* dp = dy v^T */
    for (u64 i = 0; i < job->length; i++) {
        const u64 place = i * scratch.row;
        job->engine->kern->softmax_backward(scratch.ds.exact + place, scratch.p.exact + place,
                                            job->scale, i + 1);
        operand_row(job, &scratch, scratch.ds, i);
    }
    pack_along(job, scratch.panels, k);
    combine(job, &scratch, dq, ds, false); /* dq = ds k */
    pack_along(job, scratch.panels, q);
    combine(job, &scratch, dk, ds, true); /* dk = ds^T q */
}

static void run(const struct w_layer_at *at, void (*work)(void *, u64, u32))
{
    const struct w_conf *conf = at->pass->conf;
    const struct w_engine *engine = &at->pass->engine;
    struct job job = {.at = at,
                      .engine = engine,
                      .ukernel = &engine->kern->ukernel[engine->type],
                      .length = conf->max_length,
                      .d = at->layer->out,
                      .heads = conf->num_heads,
                      .head_dim = at->layer->out / conf->num_heads};

    job.scale = (float)(1 / sqrt((double)job.head_dim));
    w_team_for(engine->team, conf->batch_size * conf->num_heads, work, &job);
}

static void forward(const struct w_layer_at *at)
{
    run(at, forward_head);
}

static void backward(const struct w_layer_at *at)
{
    run(at, backward_head);
}

/* ---- generation ---- */

/* A row and a head of it, with the slot's part of the cache. */
struct query {
    const struct w_layer_at *at;
    enum w_type type;
    u64 heads, size, width, length;
};

static u64 keys_of(const struct query *q, u64 slot, u64 head)
{
    return (slot * q->heads + head) * q->length * q->size;
}

static u64 values_of(const struct query *q, u64 slot, u64 head)
{
    return (slot * q->heads + head) * q->length * q->width;
}

static struct query query_of(const struct w_layer_at *at)
{
    const u64 heads = at->pass->conf->num_heads, size = at->layer->out / heads;

    return (struct query){.at = at,
                          .type = at->pass->engine.type,
                          .heads = heads,
                          .size = size,
                          .width = W_ATTEND_WIDTH(size),
                          .length = slot_length(at->pass->conf)};
}

/* Copy the key and the value of a row into the cache. */
static void keep_row(void *context, u64 i, u32 worker)
{
    const struct query *q = context;
    const struct w_decode_row *row = &q->at->pass->decode->rows[i];
    const u64 d = q->at->layer->out, t = row->position, bytes = w_type_bytes(q->type);

    (void)worker;
    for (u64 head = 0; head < q->heads; head++) {
        const u8 *k = w_at(q->at->x, q->type, i * 3 * d + d + head * q->size);
        const u8 *v = w_at(q->at->x, q->type, i * 3 * d + 2 * d + head * q->size);
        u8 *key = w_at(q->at->own[KEYS], q->type,
                       keys_of(q, row->slot, head) + t / W_ATTEND_BLOCK * W_ATTEND_BLOCK * q->size +
                           t % W_ATTEND_BLOCK);
        u8 *value = w_at(q->at->own[VALUES], q->type, values_of(q, row->slot, head) + t * q->width);
        for (u64 j = 0; j < q->size; j++)
            memcpy(key + j * W_ATTEND_BLOCK * bytes, k + j * bytes, bytes);
        memcpy(value, v, q->size * bytes);
        memset(value + q->size * bytes, 0, (q->width - q->size) * bytes);
    }
}

/* Rows of an item: of them, those that follow each other in a text are taken together. */
#define QUERY_ROWS (2 * W_ATTEND_QUERIES)

static u64 blocks_of(const struct query *q)
{
    return w_ceil_div(q->at->pass->tokens, QUERY_ROWS);
}

/* How many rows from `i` on, before `end`, are consecutive tokens of one text. */
static u64 count_consecutive(const struct w_decode_row *rows, u64 i, u64 end)
{
    u64 n = 1;

    while (i + n < end && rows[i + n].slot == rows[i].slot &&
           rows[i + n].position == rows[i].position + n)
        n++;
    return n;
}

/* A head of some rows. Items of the same head follow each other, since they use the same keys. */
static void attend(void *context, u64 item, u32 worker)
{
    const struct query *q = context;
    const struct w_engine *engine = &q->at->pass->engine;
    const u64 head = item / blocks_of(q), first = item % blocks_of(q) * QUERY_ROWS;
    const u64 end = W_MIN(first + QUERY_ROWS, q->at->pass->tokens), d = q->at->layer->out;

    for (u64 i = first, n; i < end; i += n) {
        const struct w_decode_row *row = &q->at->pass->decode->rows[i];
        n = count_consecutive(q->at->pass->decode->rows, i, end);
        engine->kern->attend[q->type](&(struct w_attend){
            .q = w_at(q->at->x, q->type, i * 3 * d + head * q->size),
            .keys = w_at(q->at->own[KEYS], q->type, keys_of(q, row->slot, head)),
            .values = w_at(q->at->own[VALUES], q->type, values_of(q, row->slot, head)),
            .y = w_at(q->at->y, q->type, i * d + head * q->size),
            .queries = n,
            .q_row = 3 * d,
            .y_row = d,
            .count = row->position + 1,
            .size = q->size,
            .scale = (float)(1 / sqrt((double)q->size)),
            .scratch = w_engine_scratch(engine, worker)});
    }
}

/* Each token attends to itself and all tokens of its text before it; those of the same pass are in
 * the cache first. */
static void decode(const struct w_layer_at *at)
{
    struct query query = query_of(at);

    w_team_for(at->pass->engine.team, at->pass->tokens, keep_row, &query);
    w_team_for(at->pass->engine.team, blocks_of(&query) * query.heads, attend, &query);
}

/* The first `count` tokens of a slot are copied to another. */
static void copy_slot(const struct w_layer_at *at, u32 to, u32 from, u64 count)
{
    const struct query q = query_of(at);
    const u64 bytes = w_type_bytes(q.type), whole = w_round_up(count, W_ATTEND_BLOCK);

    for (u64 head = 0; head < q.heads; head++) {
        memcpy(w_at(at->own[KEYS], q.type, keys_of(&q, to, head)),
               w_at(at->own[KEYS], q.type, keys_of(&q, from, head)), whole * q.size * bytes);
        memcpy(w_at(at->own[VALUES], q.type, values_of(&q, to, head)),
               w_at(at->own[VALUES], q.type, values_of(&q, from, head)), count * q.width * bytes);
    }
}

/* Scores and sums over (T + 1) / 2 keys on average. The backward pass computes scores again. */
static void work(const struct w_layer *layer, const struct w_conf *conf, enum w_type type,
                 struct w_work *forward, struct w_work *backward)
{
    const double rows = w_work_rows(conf), length = (double)conf->max_length;
    const double d = (double)layer->out, head_dim = d / (double)conf->num_heads;
    const double element = (double)w_type_bytes(type), pair = rows * (length + 1) * d;

    *forward = (struct w_work){.flops = 2 * pair,
                               .bytes = 4 * element * rows * d,
                               .units = d * length,
                               .thread_set = 4 * element * length * head_dim + 4 * length * length};
    *backward =
        (struct w_work){.flops = 5 * pair,
                        .bytes = 7 * element * rows * d,
                        .units = d * length,
                        .thread_set = 8 * element * length * head_dim + 8 * length * length};
}

const struct w_layer_kind w_layer_attention = {
    .name = "attention",
    .forward_phase = W_PHASE_ATTENTION,
    .backward_phase = W_PHASE_ATTENTION_BACK,
    .multiplies = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .decode = decode,
    .copy_slot = copy_slot,
    .work = work,
};
