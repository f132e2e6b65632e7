#include "net/plan.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "kern/gemm.h"

/* Sizes of a configuration, saturating: a product that overflows becomes UINT64_MAX and stays it. */
static u64 times(u64 a, u64 b)
{
    u64 product;
    return w_mul_ok(a, b, &product) ? product : UINT64_MAX;
}

static u64 plus(u64 a, u64 b)
{
    u64 sum;
    return w_add_ok(a, b, &sum) ? sum : UINT64_MAX;
}

static u64 up(u64 n)
{
    return n > UINT64_MAX - W_TILE_COLS_MAX ? n : w_round_up(n, W_TILE_COLS_MAX);
}

/* What the rows of the table are made of. */
struct sizes {
    const struct w_conf *conf;
    u64 floats; /* of the block of parameters */
    u64 tokens; /* M */
    u64 d, d3, d_ff, vocab, layers;
    u64 norms; /* 2L + 1 */
    u64 kept;  /* layers whose activations are kept: all, or one without backward */
    u64 members, member_floats;
    u64 packed; /* elements of the weights' panels, in one direction */
    u64 chunk;  /* tokens whose logits exist at a time */
    enum w_type type;
    bool train;
};

/* One (sequence, head): two squares of scores, in bf16 once more as operands, one packed matrix and
 * packed rows (attention.c). */
static u64 attention_floats(const struct w_conf *conf, enum w_type type)
{
    u64 length = up(conf->max_length), width = up(conf->d_model / conf->num_heads);
    u64 squares = times(type == W_TYPE_BF16 ? 3 : 2, times(conf->max_length, length));
    return plus(squares, plus(times(width, plus(times(2, length), W_TILE_ROWS_MAX)), 16));
}

/* Between the scratch of two threads. A core that fetches lines ahead of what its thread writes, row after
 * row, takes them from its neighbour: without the gap, products whose results are taken in pieces lose a
 * sixth of their speed with two threads (Zen 5, whose cores see 100 KB ahead). */
#define GAP_FLOATS ((u64)(128 << 10) / sizeof(float))

/* Scratch of a thread: rows and a piece of a product, a head of attention, or a row of a norm. */
static u64 member_floats(const struct w_conf *conf, enum w_type type)
{
    u64 product = type == W_TYPE_BF16 ? W_GEMM_MEMBER_FLOATS : W_GEMM_ROWS_FLOATS;
    return plus(up(W_MAX(W_MAX(product, conf->d_model), attention_floats(conf, type))), GAP_FLOATS);
}

/* Elements of the panels of the largest weight matrix; or, if that is small, of a slice of the tokens
 * that keeps the threads busy between two barriers. */
static u64 shared_elements(const struct sizes *s)
{
    u64 largest = times(s->d, up(s->d3));
    largest = W_MAX(largest, times(s->d, up(s->d_ff)));
    largest = W_MAX(largest, times(s->d_ff, up(s->d)));
    largest = W_MAX(largest, times(s->d3, up(s->d)));
    largest = W_MAX(largest, times(W_TILE_STEP_MAX, up(W_MAX(s->d_ff, s->d3))));
    return W_MAX(largest, 1 << 20);
}

/* Three rows of sums per block of tokens (norm.c); one double per block of parameters (adamw.c). */
static u64 partial_floats(const struct sizes *s)
{
    u64 blocks = plus(s->tokens / W_PARTIAL_ROWS, 1);
    u64 width = W_MAX(s->d3, s->d_ff);
    return W_MAX(times(blocks, width), plus(s->floats / 1024, 64));
}

static u64 floats(u64 count)
{
    return times(count, sizeof(float));
}

static u64 bytes_of(enum w_buffer_id id, const struct sizes *s)
{
    const u64 train = s->train, element = w_type_bytes(s->type);
    const u64 packed = s->type == W_TYPE_BF16 ? times(s->packed, element) : 0;
    const u64 kept = times(times(s->kept, s->tokens), element);
    const u64 slices = s->vocab / W_PIECE_COLS + 1;

    switch (id) {
    case W_BUF_WEIGHTS: return floats(s->floats);
    case W_BUF_GRADIENTS:
    case W_BUF_MOMENTS1:
    case W_BUF_MOMENTS2: return train ? floats(s->floats) : 0;
    case W_BUF_PACKED: return packed;
    case W_BUF_PACKED_BACK: return train ? packed : 0;
    case W_BUF_RESIDUAL: return floats(times(train ? s->norms : 1, times(s->tokens, s->d)));
    case W_BUF_STATS: return floats(times(train ? s->norms : 1, times(s->tokens, 2)));
    case W_BUF_QKV: return times(kept, s->d3);
    case W_BUF_ATTENTION: return times(kept, s->d);
    case W_BUF_HIDDEN_IN: return times(kept, s->d_ff);
    case W_BUF_HEAD_PANELS: return packed ? 0 : floats(times(s->d, up(s->vocab)));
    case W_BUF_HEAD_PANELS_BACK: return train && !packed ? floats(times(s->vocab, up(s->d))) : 0;
    case W_BUF_NORM: return times(times(s->tokens, s->d), element);
    case W_BUF_HIDDEN: return times(times(s->tokens, s->d_ff), element);
    case W_BUF_D_STREAM: return train && packed ? times(times(s->tokens, s->d), element) : 0;
    case W_BUF_D_RESIDUAL:
    case W_BUF_D_NORM: return train ? floats(times(s->tokens, s->d)) : 0;
    case W_BUF_D_HIDDEN: return train ? times(times(s->tokens, W_MAX(s->d_ff, s->d3)), element) : 0;
    case W_BUF_LOGITS: return times(times(s->chunk, s->vocab), element);
    case W_BUF_LOGIT_SUMS: return packed ? floats(times(s->chunk, times(slices, 2))) : 0;
    case W_BUF_LOGIT_FACTORS: return packed && train ? floats(s->chunk) : 0;
    case W_BUF_NLL: return floats(s->tokens);
    case W_BUF_PARTIALS: return train ? floats(partial_floats(s)) : 0;
    case W_BUF_SHARED: return times(shared_elements(s), element);
    case W_BUF_MEMBERS: return floats(times(s->members, s->member_floats));
    case W_BUF_COUNT: break;
    }
    return 0;
}

static const struct {
    const char *name;
    enum w_lifetime lifetime;
} buffers[W_BUF_COUNT] = {
    [W_BUF_WEIGHTS] = {"weights", W_LIFE_RUN},
    [W_BUF_GRADIENTS] = {"gradients", W_LIFE_RUN},
    [W_BUF_MOMENTS1] = {"adam.m", W_LIFE_RUN},
    [W_BUF_MOMENTS2] = {"adam.v", W_LIFE_RUN},
    [W_BUF_PACKED] = {"weights.packed", W_LIFE_RUN},
    [W_BUF_PACKED_BACK] = {"weights.packed_back", W_LIFE_RUN},
    [W_BUF_RESIDUAL] = {"residual", W_LIFE_STEP},
    [W_BUF_STATS] = {"norm.stats", W_LIFE_STEP},
    [W_BUF_QKV] = {"attn.qkv", W_LIFE_STEP},
    [W_BUF_ATTENTION] = {"attn.out", W_LIFE_STEP},
    [W_BUF_HIDDEN_IN] = {"mlp.hidden_in", W_LIFE_STEP},
    [W_BUF_HEAD_PANELS] = {"head.panels", W_LIFE_STEP},
    [W_BUF_HEAD_PANELS_BACK] = {"head.panels_back", W_LIFE_STEP},
    [W_BUF_NORM] = {"norm", W_LIFE_SCRATCH},
    [W_BUF_HIDDEN] = {"mlp.hidden", W_LIFE_SCRATCH},
    [W_BUF_D_RESIDUAL] = {"d.residual", W_LIFE_STEP},
    [W_BUF_D_STREAM] = {"d.stream", W_LIFE_STEP},
    [W_BUF_D_NORM] = {"d.norm", W_LIFE_SCRATCH},
    [W_BUF_D_HIDDEN] = {"d.hidden", W_LIFE_SCRATCH},
    [W_BUF_LOGITS] = {"head.logits", W_LIFE_SCRATCH},
    [W_BUF_LOGIT_SUMS] = {"head.sums", W_LIFE_SCRATCH},
    [W_BUF_LOGIT_FACTORS] = {"head.factors", W_LIFE_SCRATCH},
    [W_BUF_NLL] = {"head.nll", W_LIFE_STEP},
    [W_BUF_PARTIALS] = {"partials", W_LIFE_SCRATCH},
    [W_BUF_SHARED] = {"gemm.panels", W_LIFE_SCRATCH},
    [W_BUF_MEMBERS] = {"threads", W_LIFE_SCRATCH},
};

const char *w_lifetime_name(enum w_lifetime lifetime)
{
    static const char *const names[] = {"run", "step", "scratch"};
    return names[lifetime];
}

enum w_status w_plan_make(struct w_plan *plan, const struct w_conf *conf, enum w_plan_mode mode,
                          enum w_type type, u32 members, struct w_err *err)
{
    struct w_tensors tensors;
    struct w_arena arena = {0};
    enum w_status status = w_tensors_make(&tensors, conf, err);

    *plan = (struct w_plan){.count = W_BUF_COUNT};
    if (status)
        return status;
    struct sizes s = {
        .conf = conf,
        .floats = tensors.floats,
        .tokens = times(conf->batch_size, conf->max_length),
        .d = conf->d_model,
        .d3 = times(3, conf->d_model),
        .d_ff = conf->d_ff,
        .vocab = conf->vocab_size,
        .layers = conf->num_layers,
        .norms = plus(times(2, conf->num_layers), 1),
        .kept = mode == W_PLAN_TRAIN ? conf->num_layers : 1,
        .members = members,
        .member_floats = member_floats(conf, type),
        .packed = tensors.packed,
        .type = type,
        .train = mode == W_PLAN_TRAIN,
    };
    s.chunk = W_MIN(s.tokens, type == W_TYPE_BF16 ? W_HEAD_ROWS_BF16 : W_HEAD_ROWS);
    w_tensors_free(&tensors);
    for (u32 id = 0; id < W_BUF_COUNT; id++) {
        struct w_buffer *b = &plan->buffers[id];
        u64 bytes = bytes_of(id, &s);
        snprintf(b->name, sizeof b->name, "%s", buffers[id].name);
        b->lifetime = buffers[id].lifetime;
        b->offset = arena.used;
        w_arena_push(&arena, bytes, 1);
        b->bytes = arena.used - b->offset;
    }
    if (arena.overflow)
        return w_fail(err, W_USAGE, "the memory of this configuration is more than can be counted");
    plan->bytes = arena.used;
    plan->member_bytes = s.member_floats * sizeof(float);
    return W_DONE;
}

const struct w_buffer *w_plan_find(const struct w_plan *plan, const char *name)
{
    for (u32 i = 0; i < plan->count; i++)
        if (!strcmp(plan->buffers[i].name, name))
            return &plan->buffers[i];
    return NULL;
}

/* ---- what fits ---- */

enum w_status w_plan_fits(const struct w_conf *conf, enum w_type type, u32 members, double bytes,
                          u64 *needed, struct w_err *err)
{
    struct w_plan plan = {0};
    enum w_status status = w_conf_check(conf, err);

    if (!status)
        status = w_plan_make(&plan, conf, W_PLAN_TRAIN, type, members, err);
    if (!status && needed)
        *needed = plan.bytes;
    if (status == W_USAGE || (!status && (double)plan.bytes > bytes))
        return W_NO;
    return status;
}

enum w_status w_plan_largest_batch(const struct w_conf *conf, enum w_type type, u32 members,
                                   double bytes, u64 most, u64 *batch, struct w_err *err)
{
    struct w_conf c = *conf;
    enum w_status status = W_DONE;
    u64 fits = 0, fails = most + 1;

    while (fails - fits > 1 && !status) {
        c.batch_size = fits + (fails - fits) / 2;
        status = w_plan_fits(&c, type, members, bytes, NULL, err);
        if (!status)
            fits = c.batch_size;
        else if (status == W_NO) {
            fails = c.batch_size;
            status = W_DONE;
        }
    }
    *batch = fits;
    return status;
}
