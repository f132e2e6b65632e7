/* One step: forward through the layers, backward through them, update. */
#include <math.h>
#include <string.h>

#include "net/model_inside.h"
#include "sys/clock.h"

/* A layer's tensors and activations. */
struct layer {
    struct w_norm norm_1, norm_2;
    struct w_linear attn, attn_proj, fc, fc_proj;
    float *x, *x_mid, *x_out;      /* (M, d): stream before, between and behind the two halves */
    float *stats_1, *stats_2;      /* (M, 2) */
    void *qkv, *heads, *hidden_in; /* (M, 3d), (M, d), (M, d_ff) */
};

static u64 tokens_of(const struct w_model *m)
{
    return m->conf.batch_size * m->conf.max_length;
}

/* Seconds since *start go to a part; *start becomes now. */
static void count_time(struct w_model *m, enum w_part part, double *start)
{
    double now = w_now_s();
    m->times[part].seconds += now - *start;
    *start = now;
}

static float *gradient_of(const struct w_model *m, const struct w_tensor *t)
{
    return m->keeps_layers ? m->buffers[W_BUF_GRADIENTS] + t->offset : NULL;
}

/* Of a buffer of operands, the place of an element. */
static void *operands_of(const struct w_model *m, enum w_buffer_id id, u64 element)
{
    return w_at(m->buffers[id], m->engine.type, element);
}

/* An operand's panels in one direction; NULL where products are of floats, which pack for themselves. */
static void *panels_of(const struct w_model *m, enum w_buffer_id id, const struct w_tensor *t)
{
    return m->buffers[id] ? operands_of(m, id, t->packed) : NULL;
}

static struct w_norm norm_of(const struct w_model *m, const struct w_tensor *t)
{
    const float *w = m->buffers[W_BUF_WEIGHTS];
    return (struct w_norm){.weight = w + t[0].offset,
                           .bias = w + t[1].offset,
                           .d_weight = gradient_of(m, &t[0]),
                           .d_bias = gradient_of(m, &t[1]),
                           .d = t[0].count};
}

static struct w_linear linear_of(const struct w_model *m, const struct w_tensor *t)
{
    const float *w = m->buffers[W_BUF_WEIGHTS];
    return (struct w_linear){.weight = w + t[0].offset,
                             .bias = w + t[1].offset,
                             .packed = panels_of(m, W_BUF_PACKED, t),
                             .packed_back = panels_of(m, W_BUF_PACKED_BACK, t),
                             .d_weight = gradient_of(m, &t[0]),
                             .d_bias = gradient_of(m, &t[1]),
                             .in = t[0].shape[1],
                             .out = t[0].shape[0]};
}

static float *residual_of(const struct w_model *m, u64 norm)
{
    return m->buffers[W_BUF_RESIDUAL] +
           (m->keeps_layers ? norm : 0) * tokens_of(m) * m->conf.d_model;
}

static float *stats_of(const struct w_model *m, u64 norm)
{
    return m->buffers[W_BUF_STATS] + (m->keeps_layers ? norm : 0) * tokens_of(m) * 2;
}

static struct layer layer_of(const struct w_model *m, u64 index)
{
    const struct w_tensor *t = m->tensors.rows + 2 + index * W_LAYER_TENSORS;
    const u64 tokens = tokens_of(m), d = m->conf.d_model, kept = m->keeps_layers ? index : 0;

    return (struct layer){
        .norm_1 = norm_of(m, t + W_LN_1_WEIGHT),
        .attn = linear_of(m, t + W_ATTN_WEIGHT),
        .attn_proj = linear_of(m, t + W_ATTN_PROJ_WEIGHT),
        .norm_2 = norm_of(m, t + W_LN_2_WEIGHT),
        .fc = linear_of(m, t + W_FC_WEIGHT),
        .fc_proj = linear_of(m, t + W_FC_PROJ_WEIGHT),
        .x = residual_of(m, 2 * index),
        .x_mid = residual_of(m, 2 * index + 1),
        .x_out = residual_of(m, 2 * index + 2),
        .stats_1 = stats_of(m, 2 * index),
        .stats_2 = stats_of(m, 2 * index + 1),
        .qkv = operands_of(m, W_BUF_QKV, kept * tokens * 3 * d),
        .heads = operands_of(m, W_BUF_ATTENTION, kept * tokens * d),
        .hidden_in = operands_of(m, W_BUF_HIDDEN_IN, kept * tokens * m->conf.d_ff),
    };
}

static struct w_attention attention_of(const struct w_model *m)
{
    return (struct w_attention){.batch = m->conf.batch_size,
                                .length = m->conf.max_length,
                                .heads = m->conf.num_heads,
                                .d = m->conf.d_model};
}

static struct w_embedding embedding_of(const struct w_model *m)
{
    const struct w_tensor *t = m->tensors.rows;
    const float *w = m->buffers[W_BUF_WEIGHTS];
    return (struct w_embedding){.tokens = w + t[0].offset,
                                .positions = w + t[1].offset,
                                .d_tokens = gradient_of(m, &t[0]),
                                .d_positions = gradient_of(m, &t[1]),
                                .batch = m->conf.batch_size,
                                .length = m->conf.max_length,
                                .d = m->conf.d_model,
                                .vocab = m->conf.vocab_size};
}

static struct w_head head_of(const struct w_model *m)
{
    const struct w_tensor *t = m->tensors.rows;
    struct w_head head = {.weight = m->buffers[W_BUF_WEIGHTS] + t->offset,
                          .d_weight = gradient_of(m, t),
                          .d = m->conf.d_model,
                          .vocab = m->conf.vocab_size,
                          .batch = m->conf.batch_size,
                          .length = m->conf.max_length,
                          .panels = m->buffers[W_BUF_HEAD_PANELS],
                          .panels_back = m->buffers[W_BUF_HEAD_PANELS_BACK],
                          .logits = m->buffers[W_BUF_LOGITS],
                          .sums = m->buffers[W_BUF_LOGIT_SUMS],
                          .factors = m->buffers[W_BUF_LOGIT_FACTORS],
                          .chunk = W_HEAD_ROWS,
                          .nll = m->buffers[W_BUF_NLL]};

    if (m->engine.type == W_TYPE_BF16) {
        head.packed = true;
        head.panels = panels_of(m, W_BUF_PACKED, t);
        head.panels_back = panels_of(m, W_BUF_PACKED_BACK, t);
        head.chunk = W_HEAD_ROWS_BF16;
    }
    return head;
}

static struct w_hidden hidden_of(const struct w_model *m, const struct layer *l)
{
    return (struct w_hidden){.engine = &m->engine,
                             .in = l->hidden_in,
                             .out = m->buffers[W_BUF_HIDDEN],
                             .d = m->buffers[W_BUF_D_HIDDEN],
                             .width = m->conf.d_ff};
}

/* The gradient of the residual stream as an operand. */
static void *d_stream_of(const struct w_model *m)
{
    return m->buffers[m->engine.type == W_TYPE_BF16 ? W_BUF_D_STREAM : W_BUF_D_RESIDUAL];
}

static struct w_result operands(const struct w_model *m, void *data)
{
    return (struct w_result){.type = m->engine.type, .data = data};
}

static struct w_result floats(float *data)
{
    return (struct w_result){.type = W_TYPE_F32, .data = data};
}

/* ---- one layer ---- */

static void layer_forward(struct w_model *m, const struct layer *l)
{
    const struct w_engine *engine = &m->engine;
    const struct w_attention attention = attention_of(m);
    const u64 tokens = tokens_of(m);
    void *norm = m->buffers[W_BUF_NORM];
    struct w_hidden h = hidden_of(m, l);
    double start = w_now_s();

    w_norm_forward(engine, &l->norm_1, norm, l->stats_1, l->x, tokens);
    count_time(m, W_PART_NORM, &start);
    w_linear_forward(engine, &l->attn, operands(m, l->qkv), norm, tokens);
    count_time(m, W_PART_LINEAR, &start);
    w_attention_forward(engine, &attention, l->heads, l->qkv);
    count_time(m, W_PART_ATTENTION, &start);
    w_linear_forward_residual(engine, &l->attn_proj, l->x_mid, l->heads, l->x, tokens);
    count_time(m, W_PART_LINEAR, &start);
    w_norm_forward(engine, &l->norm_2, norm, l->stats_2, l->x_mid, tokens);
    count_time(m, W_PART_NORM, &start);
    w_linear_forward(engine, &l->fc, w_hidden_forward(&h), norm, tokens);
    w_linear_forward_residual(engine, &l->fc_proj, l->x_out, h.out, l->x_mid, tokens);
    count_time(m, W_PART_LINEAR, &start);
}

/* On entry and return, d_residual is the gradient of the stream behind and before the layer, and
 * d_stream the same as an operand. Outputs of norms are computed again from the stream. */
static void layer_backward(struct w_model *m, const struct layer *l)
{
    const struct w_engine *engine = &m->engine;
    const struct w_sums sums = {.engine = engine, .partials = m->buffers[W_BUF_PARTIALS]};
    const struct w_attention attention = attention_of(m);
    const u64 tokens = tokens_of(m);
    float *d_residual = m->buffers[W_BUF_D_RESIDUAL], *d_norm = m->buffers[W_BUF_D_NORM];
    void *norm = m->buffers[W_BUF_NORM], *d_stream = d_stream_of(m), *d_heads = d_norm;
    struct w_hidden h = hidden_of(m, l);
    void *d_qkv = h.d;
    double start = w_now_s();

    w_linear_backward_input(engine, &l->fc_proj, w_hidden_backward(&h), d_stream, tokens);
    w_linear_backward_weight(&sums, &l->fc_proj, d_stream, h.out, tokens);
    count_time(m, W_PART_LINEAR_BACKWARD, &start);
    w_norm_forward(engine, &l->norm_2, norm, l->stats_2, l->x_mid, tokens);
    count_time(m, W_PART_NORM, &start);
    w_linear_backward_weight(&sums, &l->fc, h.d, norm, tokens);
    w_linear_backward_input(engine, &l->fc, floats(d_norm), h.d, tokens);
    count_time(m, W_PART_LINEAR_BACKWARD, &start);
    w_norm_backward(&sums, &l->norm_2, d_residual, d_stream, d_norm, l->x_mid, l->stats_2, tokens);
    count_time(m, W_PART_NORM, &start);

    w_linear_backward_weight(&sums, &l->attn_proj, d_stream, l->heads, tokens);
    w_linear_backward_input(engine, &l->attn_proj, operands(m, d_heads), d_stream, tokens);
    count_time(m, W_PART_LINEAR_BACKWARD, &start);
    w_attention_backward(engine, &attention, d_qkv, d_heads, l->qkv);
    count_time(m, W_PART_ATTENTION_BACKWARD, &start);
    w_norm_forward(engine, &l->norm_1, norm, l->stats_1, l->x, tokens);
    count_time(m, W_PART_NORM, &start);
    w_linear_backward_weight(&sums, &l->attn, d_qkv, norm, tokens);
    w_linear_backward_input(engine, &l->attn, floats(d_norm), d_qkv, tokens);
    count_time(m, W_PART_LINEAR_BACKWARD, &start);
    w_norm_backward(&sums, &l->norm_1, d_residual, d_stream, d_norm, l->x, l->stats_1, tokens);
    count_time(m, W_PART_NORM, &start);
}

/* ---- the whole ---- */

static struct w_norm last_norm(const struct w_model *m)
{
    return norm_of(m, m->tensors.rows + m->tensors.count - 2);
}

static struct w_update update_of(const struct w_model *m)
{
    return (struct w_update){
        .weights = m->buffers[W_BUF_WEIGHTS],
        .gradients = m->buffers[W_BUF_GRADIENTS],
        .moments1 = m->buffers[W_BUF_MOMENTS1],
        .moments2 = m->buffers[W_BUF_MOMENTS2],
        .tensors = &m->tensors,
        .panels = {(w_bf16 *)(void *)m->buffers[W_BUF_PACKED],
                   (w_bf16 *)(void *)m->buffers[W_BUF_PACKED_BACK]},
    };
}

/* Weights that somebody else has written go to their panels before they are used. */
static void refresh_panels(struct w_model *m)
{
    const struct w_update update = update_of(m);

    if (m->stale && update.panels.forward)
        w_pack_weights(&m->engine, &update);
    m->stale = false;
}

/* Everything up to the head: the output of the last norm is in W_BUF_NORM. */
static void forward(struct w_model *m, const u32 *ids)
{
    const u64 norms = 2 * m->conf.num_layers, tokens = tokens_of(m);
    const struct w_embedding embedding = embedding_of(m);
    const struct w_norm norm = last_norm(m);
    double start = w_now_s();

    refresh_panels(m);
    count_time(m, W_PART_UPDATE, &start);
    w_embedding_forward(&m->engine, &embedding, residual_of(m, 0), ids);
    count_time(m, W_PART_EMBEDDING, &start);
    for (u64 i = 0; i < m->conf.num_layers; i++) {
        struct layer layer = layer_of(m, i);
        layer_forward(m, &layer);
    }
    start = w_now_s();
    w_norm_forward(&m->engine, &norm, m->buffers[W_BUF_NORM], stats_of(m, norms),
                   residual_of(m, norms), tokens);
    count_time(m, W_PART_NORM, &start);
}

static double mean_loss(const struct w_model *m, float *nll)
{
    const u64 tokens = tokens_of(m);
    double sum = 0;

    for (u64 i = 0; i < tokens; i++)
        sum += (double)m->buffers[W_BUF_NLL][i];
    if (nll)
        memcpy(nll, m->buffers[W_BUF_NLL], tokens * sizeof *nll);
    return sum / (double)tokens;
}

double w_model_loss(struct w_model *m, const u32 *ids, float *nll)
{
    const struct w_head head = head_of(m);

    forward(m, ids);
    double start = w_now_s();
    w_head_forward(&m->engine, &head, m->buffers[W_BUF_NORM], ids);
    count_time(m, W_PART_HEAD, &start);
    return mean_loss(m, nll);
}

double w_model_gradient(struct w_model *m, const u32 *ids, double scale)
{
    const u64 norms = 2 * m->conf.num_layers, tokens = tokens_of(m);
    const struct w_sums sums = {.engine = &m->engine, .partials = m->buffers[W_BUF_PARTIALS]};
    const struct w_embedding embedding = embedding_of(m);
    const struct w_head head = head_of(m);
    const struct w_norm norm = last_norm(m);
    float *d_residual = m->buffers[W_BUF_D_RESIDUAL], *d_norm = m->buffers[W_BUF_D_NORM];

    forward(m, ids);
    double start = w_now_s();
    w_head_forward_backward(&m->engine, &head, d_norm, m->buffers[W_BUF_NORM], ids,
                            (float)(scale / (double)tokens));
    count_time(m, W_PART_HEAD, &start);
    memset(d_residual, 0, tokens * m->conf.d_model * sizeof *d_residual);
    w_norm_backward(&sums, &norm, d_residual, d_stream_of(m), d_norm, residual_of(m, norms),
                    stats_of(m, norms), tokens);
    count_time(m, W_PART_NORM, &start);
    for (u64 i = m->conf.num_layers; i-- > 0;) {
        struct layer layer = layer_of(m, i);
        layer_backward(m, &layer);
    }
    start = w_now_s();
    w_embedding_backward(&m->engine, &embedding, d_residual, ids);
    count_time(m, W_PART_EMBEDDING, &start);
    return mean_loss(m, NULL);
}

double w_model_update(struct w_model *m, u64 step, double learning_rate)
{
    const struct w_conf *conf = &m->conf;
    double start = w_now_s();
    double norm = w_gradient_norm(&m->engine, m->buffers[W_BUF_GRADIENTS], m->tensors.floats,
                                  (double *)(void *)m->buffers[W_BUF_PARTIALS]);
    /* As torch.nn.utils.clip_grad_norm_ has it, for runs to be comparable. */
    double clip = conf->clip_norm > 0 ? conf->clip_norm / (norm + 1e-6) : 1;
    struct w_adamw adamw = {
        .grad_scale = (float)W_MIN(clip, 1.0),
        .beta1 = (float)conf->beta1,
        .beta2 = (float)conf->beta2,
        .epsilon = (float)conf->epsilon,
        .step_size = (float)(learning_rate / (1 - pow(conf->beta1, (double)step))),
        .root2 = (float)sqrt(1 - pow(conf->beta2, (double)step)),
        .keep = 1,
    };
    struct w_update update = update_of(m);

    update.plain = update.decayed = adamw;
    update.decayed.keep = (float)(1 - learning_rate * conf->weight_decay);
    w_update_weights(&m->engine, &update);
    m->stale = false;
    count_time(m, W_PART_UPDATE, &start);
    return norm;
}
