/* One step: forward through the layers, backward through them, update. */
#include <math.h>
#include <string.h>

#include "net/model_inside.h"
#include "sys/clock.h"

/* A layer's tensors and activations. */
struct layer {
    struct w_norm norm_1, norm_2;
    struct w_linear attn, attn_proj, fc, fc_proj;
    float *x, *x_mid, *x_out;       /* (M, d): stream before, between and behind the two halves */
    float *stats_1, *stats_2;       /* (M, 2) */
    float *qkv, *heads, *hidden_in; /* (M, 3d), (M, d), (M, d_ff) */
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
        .qkv = m->buffers[W_BUF_QKV] + kept * tokens * 3 * d,
        .heads = m->buffers[W_BUF_ATTENTION] + kept * tokens * d,
        .hidden_in = m->buffers[W_BUF_HIDDEN_IN] + kept * tokens * m->conf.d_ff,
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
    return (struct w_head){.weight = m->buffers[W_BUF_WEIGHTS] + t->offset,
                           .d_weight = gradient_of(m, t),
                           .d = m->conf.d_model,
                           .vocab = m->conf.vocab_size,
                           .batch = m->conf.batch_size,
                           .length = m->conf.max_length,
                           .panels = m->buffers[W_BUF_HEAD_PANELS],
                           .panels_back = m->buffers[W_BUF_HEAD_PANELS_BACK],
                           .logits = m->buffers[W_BUF_LOGITS],
                           .chunk = W_HEAD_ROWS,
                           .nll = m->buffers[W_BUF_NLL]};
}

/* ---- GELU, done on pieces of the products around it while they are in the cache ---- */

struct hidden {
    const struct w_kern *kern;
    const float *in; /* (M, d_ff): before GELU */
    float *out;      /* (M, d_ff): behind */
    float *d;        /* (M, d_ff): gradient, of out on the way in, of in on the way out */
    u64 width;
};

static void gelu_forward(void *context, const struct w_piece *p)
{
    const struct hidden *h = context;
    for (u64 i = p->row; i < p->row + p->rows; i++)
        h->kern->gelu(h->out + i * h->width + p->col, h->in + i * h->width + p->col, p->cols);
}

/* out is computed again, for the gradient of the weights behind it. */
static void gelu_backward(void *context, const struct w_piece *p)
{
    const struct hidden *h = context;
    gelu_forward(context, p);
    for (u64 i = p->row; i < p->row + p->rows; i++) {
        float *d = h->d + i * h->width + p->col;
        h->kern->gelu_backward(d, d, h->in + i * h->width + p->col, p->cols);
    }
}

static struct hidden hidden_of(const struct w_model *m, const struct layer *l)
{
    return (struct hidden){.kern = m->engine.kern,
                           .in = l->hidden_in,
                           .out = m->buffers[W_BUF_HIDDEN],
                           .d = m->buffers[W_BUF_D_HIDDEN],
                           .width = m->conf.d_ff};
}

/* ---- one layer ---- */

static void layer_forward(struct w_model *m, const struct layer *l)
{
    const struct w_engine *engine = &m->engine;
    const struct w_attention attention = attention_of(m);
    const u64 tokens = tokens_of(m);
    float *norm = m->buffers[W_BUF_NORM], *hidden = m->buffers[W_BUF_HIDDEN];
    struct hidden h = hidden_of(m, l);
    double start = w_now_s();

    w_norm_forward(engine, &l->norm_1, norm, l->stats_1, l->x, tokens);
    count_time(m, W_PART_NORM, &start);
    w_linear_forward(engine, &l->attn, l->qkv, norm, tokens, (struct w_finish){0});
    count_time(m, W_PART_LINEAR, &start);
    w_attention_forward(engine, &attention, l->heads, l->qkv);
    count_time(m, W_PART_ATTENTION, &start);
    w_linear_forward_residual(engine, &l->attn_proj, l->x_mid, l->heads, l->x, tokens);
    count_time(m, W_PART_LINEAR, &start);
    w_norm_forward(engine, &l->norm_2, norm, l->stats_2, l->x_mid, tokens);
    count_time(m, W_PART_NORM, &start);
    w_linear_forward(engine, &l->fc, l->hidden_in, norm, tokens,
                     (struct w_finish){.call = gelu_forward, .context = &h});
    w_linear_forward_residual(engine, &l->fc_proj, l->x_out, hidden, l->x_mid, tokens);
    count_time(m, W_PART_LINEAR, &start);
}

/* On entry and return, d_residual is the gradient of the stream behind and before the layer. Outputs
 * of norms are computed again from the stream. */
static void layer_backward(struct w_model *m, const struct layer *l)
{
    const struct w_engine *engine = &m->engine;
    const struct w_sums sums = {.engine = engine, .partials = m->buffers[W_BUF_PARTIALS]};
    const struct w_attention attention = attention_of(m);
    const struct w_finish nothing = {0};
    const u64 tokens = tokens_of(m);
    float *norm = m->buffers[W_BUF_NORM], *d_norm = m->buffers[W_BUF_D_NORM];
    float *d_residual = m->buffers[W_BUF_D_RESIDUAL], *d_hidden = m->buffers[W_BUF_D_HIDDEN];
    float *d_qkv = d_hidden, *d_heads = d_norm;
    struct hidden h = hidden_of(m, l);
    double start = w_now_s();

    w_linear_backward_input(engine, &l->fc_proj, d_hidden, d_residual, tokens,
                            (struct w_finish){.call = gelu_backward, .context = &h});
    w_linear_backward_weight(&sums, &l->fc_proj, d_residual, h.out, tokens);
    count_time(m, W_PART_LINEAR_BACKWARD, &start);
    w_norm_forward(engine, &l->norm_2, norm, l->stats_2, l->x_mid, tokens);
    count_time(m, W_PART_NORM, &start);
    w_linear_backward_weight(&sums, &l->fc, d_hidden, norm, tokens);
    w_linear_backward_input(engine, &l->fc, d_norm, d_hidden, tokens, nothing);
    count_time(m, W_PART_LINEAR_BACKWARD, &start);
    w_norm_backward(&sums, &l->norm_2, d_residual, d_norm, l->x_mid, l->stats_2, tokens);
    count_time(m, W_PART_NORM, &start);

    w_linear_backward_weight(&sums, &l->attn_proj, d_residual, l->heads, tokens);
    w_linear_backward_input(engine, &l->attn_proj, d_heads, d_residual, tokens, nothing);
    count_time(m, W_PART_LINEAR_BACKWARD, &start);
    w_attention_backward(engine, &attention, d_qkv, d_heads, l->qkv);
    count_time(m, W_PART_ATTENTION_BACKWARD, &start);
    w_norm_forward(engine, &l->norm_1, norm, l->stats_1, l->x, tokens);
    count_time(m, W_PART_NORM, &start);
    w_linear_backward_weight(&sums, &l->attn, d_qkv, norm, tokens);
    w_linear_backward_input(engine, &l->attn, d_norm, d_qkv, tokens, nothing);
    count_time(m, W_PART_LINEAR_BACKWARD, &start);
    w_norm_backward(&sums, &l->norm_1, d_residual, d_norm, l->x, l->stats_1, tokens);
    count_time(m, W_PART_NORM, &start);
}

/* ---- the whole ---- */

static struct w_norm last_norm(const struct w_model *m)
{
    return norm_of(m, m->tensors.rows + m->tensors.count - 2);
}

/* Everything up to the head: the output of the last norm is in W_BUF_NORM. */
static void forward(struct w_model *m, const u32 *ids)
{
    const u64 norms = 2 * m->conf.num_layers, tokens = tokens_of(m);
    const struct w_embedding embedding = embedding_of(m);
    const struct w_norm norm = last_norm(m);
    double start = w_now_s();

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
    w_norm_backward(&sums, &norm, d_residual, d_norm, residual_of(m, norms), stats_of(m, norms),
                    tokens);
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
    struct w_update update = {
        .weights = m->buffers[W_BUF_WEIGHTS],
        .gradients = m->buffers[W_BUF_GRADIENTS],
        .moments1 = m->buffers[W_BUF_MOMENTS1],
        .moments2 = m->buffers[W_BUF_MOMENTS2],
        .tensors = &m->tensors,
        .decayed = adamw,
        .plain = adamw,
    };

    update.decayed.keep = (float)(1 - learning_rate * conf->weight_decay);
    w_update_weights(&m->engine, &update);
    count_time(m, W_PART_UPDATE, &start);
    return norm;
}
