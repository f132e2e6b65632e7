/* The head as a layer: tied to the table of ids. With a sampled softmax a step of training has a
 * head of its own with the rows of the batch's set: gathered from the table's fp32 weights, and
 * their gradient added to the table's at the end. Its panels take the place of the whole table's,
 * which only evaluation needs (w_update.unpacked), as it needs logits over all ids, of fewer tokens
 * at a time.
 *
 * Gathering and scattering moves (2 types + 20) bytes for each of the set's numbers once a batch:
 * they are counted in the head's phase. */
#include "net/head.h"

#include <string.h>

#include "net/layer.h"
#include "net/softmax_sample.h"

/* Buffers of the layer. PANELS: with fp32 only, in bf16 they are those of the weights. */
enum {
    LOGITS,
    SUMS,
    FACTORS,
    PANELS,
    PANELS_BACK,
    ROWS,   /* the rows of a sampled head, in the compute type */
    D_ROWS, /* their gradient */
    IDS,    /* of the set; then their corrections */
    COLUMNS,
    BITS, /* targets, drawn */
};
_Static_assert(BITS < W_LAYER_BUFFERS, "room in struct w_layer");

/* Tokens at least whose logits over all ids have room where a step of training needs fewer. */
#define EVAL_ROWS 128

/* Logits of a chunk. */
struct shape {
    u64 rows, vocab;
};

static struct shape chunk_of(u64 tokens, u64 vocab, enum w_type type)
{
    const u64 most = type == W_TYPE_BF16 ? W_HEAD_ROWS_BF16 : W_HEAD_ROWS;
    return (struct shape){W_MIN(tokens, most), vocab};
}

static u64 numbers_of(struct shape s)
{
    return w_size_mul(s.rows, s.vocab);
}

/* A segment of a row has a sum, and there is always one segment more than are whole. */
static u64 sums_of(struct shape s)
{
    return w_size_mul(s.rows, 2 * (s.vocab / W_EPILOGUE_COLS + 1));
}

static u64 set_room(const struct w_conf *conf, u64 tokens)
{
    return w_softmax_sample_size(conf, W_MIN(tokens, conf->vocab_size));
}

/* A chunk of a whole head that fits where the chunk of a sampled one has its logits. */
static struct shape chunk_beside(struct shape sampled, u64 vocab)
{
    const u64 rows = W_MAX(numbers_of(sampled) / vocab, EVAL_ROWS);
    return (struct shape){W_MIN(sampled.rows, rows), vocab};
}

/* ---- memory ---- */

static u64 floats(u64 count)
{
    return w_size_mul(count, sizeof(float));
}

static void plan_set(struct w_planner *p, struct w_layer *layer, u64 room)
{
    const u64 numbers = w_size_mul(room, layer->in), vocab = p->conf->vocab_size;

    layer->own_at[ROWS] =
        w_plan_shared(p, "head.rows", W_LIFE_SCRATCH, w_size_mul(numbers, p->element));
    layer->own_at[D_ROWS] = w_plan_shared(p, "head.d_rows", W_LIFE_SCRATCH, floats(numbers));
    layer->own_at[IDS] = w_plan_shared(p, "head.ids", W_LIFE_SCRATCH, floats(w_size_mul(2, room)));
    layer->own_at[COLUMNS] = w_plan_shared(p, "head.columns", W_LIFE_SCRATCH, floats(vocab));
    layer->own_at[BITS] =
        w_plan_shared(p, "head.bits", W_LIFE_SCRATCH, 2 * sizeof(u64) * W_ID_SET_WORDS(vocab));
}

/* Only of some rows logits are wanted; these rows are gathered. */
static void plan_decode(struct w_planner *p, struct w_layer *layer)
{
    const u64 rows = p->decode->logits;

    w_plan_product(p, layer->in, p->conf->vocab_size);
    layer->own_at[LOGITS] = w_plan_shared(p, "head.logits", W_LIFE_SCRATCH,
                                          floats(w_size_mul(rows, p->conf->vocab_size)));
    layer->own_at[ROWS] = w_plan_shared(p, "head.rows", W_LIFE_SCRATCH,
                                        w_size_mul(w_size_mul(rows, layer->in), p->element));
}

static void plan(struct w_planner *p, struct w_layer *layer)
{
    const u64 vocab = p->conf->vocab_size, d = layer->in;
    const bool bf16 = p->type == W_TYPE_BF16, train = p->mode == W_PLAN_TRAIN;
    const bool sampled = train && w_softmax_is_sampled(p->conf);
    const u64 room = sampled ? set_room(p->conf, p->tokens) : vocab;
    const struct shape chunk = chunk_of(p->tokens, room, p->type);
    const struct shape whole = sampled ? chunk_beside(chunk, vocab) : chunk;
    const u64 wide = sampled ? room + W_HEAD_GAP : w_head_stride(room); /* whatever the set has */
    const u64 logits = W_MAX(numbers_of((struct shape){chunk.rows, wide}),
                             numbers_of((struct shape){whole.rows, w_head_stride(vocab)}));

    if (p->mode == W_PLAN_DECODE) {
        plan_decode(p, layer);
        return;
    }
    layer->own_at[LOGITS] =
        w_plan_shared(p, "head.logits", W_LIFE_SCRATCH, w_size_mul(logits, p->element));
    /* in bf16 the panels are those of the embedding, and logits have a sum for each segment */
    if (bf16)
        layer->own_at[SUMS] = w_plan_shared(p, "head.sums", W_LIFE_SCRATCH,
                                            floats(W_MAX(sums_of(chunk), sums_of(whole))));
    if (bf16 && train)
        layer->own_at[FACTORS] =
            w_plan_shared(p, "head.factors", W_LIFE_SCRATCH, floats(chunk.rows));
    if (!bf16)
        layer->own_at[PANELS] = w_plan_shared(p, "head.panels", W_LIFE_STEP,
                                              floats(w_size_mul(d, w_size_padded(vocab))));
    if (!bf16 && train)
        layer->own_at[PANELS_BACK] = w_plan_shared(p, "head.panels_back", W_LIFE_STEP,
                                                   floats(w_size_mul(room, w_size_padded(d))));
    if (sampled)
        plan_set(p, layer, room);
}

/* ---- the whole vocabulary ---- */

/* The weight is the embedding's: (V, d). */
static struct w_head head_of(const struct w_layer_at *at)
{
    const struct w_pass *pass = at->pass;
    const struct w_tensor *t = w_tensors_find_table(pass->tensors);
    const u64 vocab = t->shape[0];
    struct w_head head = {.weight = pass->weights + t->offset,
                          .d_weight = pass->gradients ? pass->gradients + t->offset : NULL,
                          .d = at->layer->in,
                          .vocab = vocab,
                          .batch = pass->conf->batch_size,
                          .length = pass->conf->max_length,
                          .panels = at->own[PANELS],
                          .panels_back = at->own[PANELS_BACK],
                          .logits = at->own[LOGITS],
                          .sums = at->own[SUMS],
                          .factors = at->own[FACTORS],
                          .chunk = chunk_of(pass->tokens, vocab, pass->engine.type).rows,
                          .nll = pass->nll};

    if (pass->seen) {
        const u64 room = set_room(pass->conf, pass->tokens);
        head.chunk = chunk_beside(chunk_of(pass->tokens, room, pass->engine.type), vocab).rows;
    }
    if (pass->engine.type == W_TYPE_BF16) {
        head.packed = true;
        head.panels = (w_bf16 *)(uintptr_t)pass->packed + t->packed;
        head.panels_back =
            pass->packed_back ? (w_bf16 *)(uintptr_t)pass->packed_back + t->packed : NULL;
    }
    return head;
}

static void forward(const struct w_layer_at *at)
{
    const struct w_head head = head_of(at);
    w_head_forward(&at->pass->engine, &head, at->x, at->pass->batch->ids);
}

/* ---- a sampled softmax ---- */

/* Rows of the set in an item. */
#define ROWS_EACH 16

struct sampled {
    const struct w_layer_at *at;
    const struct w_softmax_sample *set;
    const float *weight; /* (V, d) */
    float *d_weight;
    u64 d;
};

/* The loops over the rows of an item call this: rows [*begin, end). */
static u64 rows_of(const struct sampled *s, u64 item, u64 *begin)
{
    *begin = item * ROWS_EACH;
    return W_MIN(*begin + ROWS_EACH, s->set->count);
}

static void gather(void *context, u64 item, u32 worker)
{
    const struct sampled *s = context;
    const struct w_engine *engine = &s->at->pass->engine;
    u64 i, end = rows_of(s, item, &i);

    (void)worker;
    for (; i < end; i++) {
        const float *from = s->weight + s->set->ids[i] * s->d;
        if (engine->type == W_TYPE_BF16)
            engine->kern->to_bf16((w_bf16 *)s->at->own[ROWS] + i * s->d, from, s->d);
        else
            memcpy((float *)s->at->own[ROWS] + i * s->d, from, s->d * sizeof *from);
    }
}

/* An id is in the set once: no two items add to the same row. */
static void scatter(void *context, u64 item, u32 worker)
{
    const struct sampled *s = context;
    u64 i, end = rows_of(s, item, &i);

    (void)worker;
    for (; i < end; i++)
        s->at->pass->engine.kern->add(s->d_weight + s->set->ids[i] * s->d,
                                      (float *)s->at->own[D_ROWS] + i * s->d, s->d);
}

static struct w_softmax_sample draw_set(const struct w_layer_at *at)
{
    const struct w_pass *pass = at->pass;
    const u64 vocab = pass->conf->vocab_size;
    u32 *ids = at->own[IDS];
    u64 *bits = at->own[BITS];
    struct w_softmax_sample set = {.targets = {bits, vocab},
                                   .drawn = {bits + W_ID_SET_WORDS(vocab), vocab},
                                   .ids = ids,
                                   .columns = at->own[COLUMNS],
                                   .seen = pass->seen->run,
                                   .correction =
                                       (float *)(void *)(ids + set_room(pass->conf, pass->tokens))};

    w_softmax_sample_draw(&set, pass->conf, pass->batch);
    return set;
}

static void backward_sampled(const struct w_layer_at *at, float scale)
{
    struct w_pass *pass = at->pass;
    struct w_head head = head_of(at);
    const struct w_softmax_sample set = draw_set(at);
    const u64 items = w_ceil_div(set.count, ROWS_EACH);
    struct sampled job = {
        .at = at, .set = &set, .weight = head.weight, .d_weight = head.d_weight, .d = head.d};

    w_team_for(pass->engine.team, items, gather, &job);
    head.vocab = set.count;
    head.weight = at->own[ROWS];
    head.d_weight = at->own[D_ROWS];
    head.fresh = true;
    head.packed = false;
    head.columns = set.columns;
    head.correction = set.correction;
    head.chunk = chunk_of(pass->tokens, set.count, pass->engine.type).rows;
    w_head_forward_backward(&pass->engine, &head, at->dx, at->x, pass->batch->ids, scale);
    w_team_for(pass->engine.team, items, scatter, &job);
    w_seen_targets_add(pass->seen, pass->conf, pass->batch);
    for (u64 i = 0; pass->lazy && i < set.count; i++)
        w_id_set_add(&pass->lazy->used, set.ids[i]);
}

static void backward(const struct w_layer_at *at)
{
    const struct w_pass *pass = at->pass;
    const float scale = (float)(pass->scale / (double)pass->tokens);
    const struct w_head head = head_of(at);

    if (pass->seen)
        backward_sampled(at, scale);
    else
        w_head_forward_backward(&pass->engine, &head, at->dx, at->x, pass->batch->ids, scale);
}

/* ---- generation ---- */

static void decode(const struct w_layer_at *at)
{
    struct w_pass *pass = at->pass;
    struct w_decode *decode = pass->decode;
    const struct w_tensor *t = w_tensors_find_table(pass->tensors);
    const enum w_type type = pass->engine.type;
    const u64 d = at->layer->in, bytes = d * w_type_bytes(type);
    struct w_engine engine = pass->engine;
    float *logits = at->own[LOGITS];

    /* of a prompt only the last token's are wanted, too few to unpack weights for */
    engine.unpack_q8 = false;

    for (u64 i = 0; i < decode->wanted_count; i++)
        memcpy(w_at(at->own[ROWS], type, i * d), w_at(at->x, type, decode->wanted[i] * d), bytes);
    w_gemm(&engine, &(struct w_gemm){.type = pass->packed_type,
                                     .m = decode->wanted_count,
                                     .n = t->shape[0],
                                     .k = d,
                                     .a = at->own[ROWS],
                                     .a_row = d,
                                     .a_col = 1,
                                     .packed = w_layer_packed(pass, t),
                                     .c = logits,
                                     .c_row = t->shape[0]});
    decode->logits = logits;
}

/* ---- work of a step of training ---- */

static void work(const struct w_layer *layer, const struct w_conf *conf, enum w_type type,
                 struct w_work *forward, struct w_work *backward)
{
    const double rows = w_work_rows(conf), element = (double)w_type_bytes(type);
    const double d = (double)layer->in, vocab = w_softmax_sample_expected(conf);
    const double weights = vocab * d, gathered = w_softmax_is_sampled(conf) ? weights : 0;
    const u64 tokens = conf->batch_size * conf->max_length;

    *forward = (struct w_work){.flops = 2 * rows * weights,
                               .bytes = element * (2 * rows * vocab + rows * d + weights) +
                                        (4 + element) * gathered,
                               .units = weights,
                               .set = (double)chunk_of(tokens, 0, type).rows * vocab * element};
    *backward = (struct w_work){.flops = 4 * rows * weights,
                                .bytes = element * (4 * rows * vocab + rows * d + 2 * weights) +
                                         12 * gathered};
}

const struct w_layer_kind w_layer_head = {
    .name = "head",
    .forward_phase = W_PHASE_HEAD,
    .backward_phase = W_PHASE_HEAD,
    .multiplies = true,
    .losses = true,
    .plan = plan,
    .forward = forward,
    .backward = backward,
    .decode = decode,
    .work = work,
};
