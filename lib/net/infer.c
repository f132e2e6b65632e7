#include "net/infer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_PER_ITEM 64 /* of a matrix: what one member of the team does in one go */

struct w_infer {
    u64 width, heads, layers, hidden, vocab, positions; /* d, H, L, d_ff, V, T */
    struct w_tensors tensors;
    const float *weights;
    const struct w_kern *kern;
    struct w_team *team;
    u64 length;            /* tokens in the cache */
    float *keys, *values;  /* (L, T, d) each */
    float *x, *normed;     /* (d): residual stream; input of the next matrix */
    float *qkv, *attended; /* (3d), (d) */
    float *hidden_values;  /* (d_ff) */
    float *scores;         /* (T): of one head */
    float *logits;         /* (V) */
    float *block;          /* all of the above */
};

/* ---- matrix times vector, rows cut into fixed pieces ---- */

struct product {
    const struct w_kern *kern;
    const float *matrix; /* (rows, columns) */
    const float *bias;   /* (rows), or NULL */
    const float *in;
    float *out;
    u64 rows, columns;
};

static void multiply_rows(void *context, u64 item, u32 member)
{
    const struct product *p = context;
    u64 end = W_MIN((item + 1) * ROWS_PER_ITEM, p->rows);

    (void)member;
    for (u64 row = item * ROWS_PER_ITEM; row < end; row++)
        p->out[row] = (p->bias ? p->bias[row] : 0) +
                      p->kern->dot(p->matrix + row * p->columns, p->in, p->columns);
}

static void multiply(struct w_infer *m, struct product p)
{
    w_team_for(m->team, (p.rows + ROWS_PER_ITEM - 1) / ROWS_PER_ITEM, multiply_rows, &p);
}

/* ---- the parts of a block ---- */

static const float *tensor(const struct w_infer *m, u64 row)
{
    return m->weights + m->tensors.rows[row].offset;
}

static const float *layer_tensor(const struct w_infer *m, u64 layer, enum w_layer_tensor which)
{
    return tensor(m, 2 + layer * W_LAYER_TENSORS + which);
}

/* The newest token looks at itself and at all before it. */
static void attend(struct w_infer *m, u64 layer)
{
    u64 d = m->width, size = d / m->heads, count = m->length + 1;
    float *keys = m->keys + layer * m->positions * d;
    float *values = m->values + layer * m->positions * d;
    float scale = 1 / sqrtf((float)size);

    memcpy(keys + m->length * d, m->qkv + d, d * sizeof(float));
    memcpy(values + m->length * d, m->qkv + 2 * d, d * sizeof(float));
    memset(m->attended, 0, d * sizeof(float));
    for (u64 first = 0; first < d; first += size) {
        for (u64 t = 0; t < count; t++)
            m->scores[t] = m->kern->dot(m->qkv + first, keys + t * d + first, size);
        m->kern->softmax(m->scores, scale, count);
        for (u64 t = 0; t < count; t++)
            for (u64 i = first; i < first + size; i++)
                m->attended[i] += m->scores[t] * values[t * d + i];
    }
}

static void run_layer(struct w_infer *m, u64 layer)
{
    u64 d = m->width, ff = m->hidden;
    const float *w[W_LAYER_TENSORS];
    float stats[2];

    for (u32 i = 0; i < W_LAYER_TENSORS; i++)
        w[i] = layer_tensor(m, layer, (enum w_layer_tensor)i);
    m->kern->norm(m->normed, stats, m->x, w[W_LN_1_WEIGHT], w[W_LN_1_BIAS], d);
    multiply(m, (struct product){m->kern, w[W_ATTN_WEIGHT], w[W_ATTN_BIAS], m->normed, m->qkv,
                                 3 * d, d});
    attend(m, layer);
    multiply(m, (struct product){m->kern, w[W_ATTN_PROJ_WEIGHT], w[W_ATTN_PROJ_BIAS], m->attended,
                                 m->normed, d, d});
    m->kern->add(m->x, m->normed, d);
    m->kern->norm(m->normed, stats, m->x, w[W_LN_2_WEIGHT], w[W_LN_2_BIAS], d);
    multiply(m, (struct product){m->kern, w[W_FC_WEIGHT], w[W_FC_BIAS], m->normed, m->hidden_values,
                                 ff, d});
    m->kern->gelu(m->hidden_values, m->hidden_values, ff);
    multiply(m, (struct product){m->kern, w[W_FC_PROJ_WEIGHT], w[W_FC_PROJ_BIAS], m->hidden_values,
                                 m->normed, d, ff});
    m->kern->add(m->x, m->normed, d);
}

/* ---- life cycle ---- */

static bool carve(struct w_infer *m)
{
    u64 cache = m->layers * m->positions * m->width, d = m->width;
    struct {
        float **buffer;
        u64 floats;
    } parts[] = {
        {&m->keys, cache},
        {&m->values, cache},
        {&m->x, d},
        {&m->normed, d},
        {&m->qkv, 3 * d},
        {&m->attended, d},
        {&m->hidden_values, m->hidden},
        {&m->scores, m->positions},
        {&m->logits, m->vocab},
    };
    u64 total = 0;

    for (size_t i = 0; i < W_COUNTOF(parts); i++)
        total += w_round_up(parts[i].floats, 16);
    float *next = m->block = aligned_alloc(64, total * sizeof(float));
    for (size_t i = 0; next && i < W_COUNTOF(parts); i++) {
        *parts[i].buffer = next;
        next += w_round_up(parts[i].floats, 16);
    }
    return next;
}

enum w_status w_infer_new(struct w_infer **infer, const struct w_conf *conf, const float *weights,
                          const struct w_kern *kern, struct w_team *team, struct w_err *err)
{
    struct w_infer *m = *infer = calloc(1, sizeof *m);
    enum w_status status = m ? W_DONE : w_fail(err, W_NOMEM, "no memory for a model");

    if (!status) {
        m->width = conf->d_model;
        m->heads = conf->num_heads;
        m->layers = conf->num_layers;
        m->hidden = conf->d_ff;
        m->vocab = conf->vocab_size;
        m->positions = conf->max_length;
        m->weights = weights;
        m->kern = kern;
        m->team = team;
        status = w_tensors_make(&m->tensors, conf, err);
    }
    if (!status && !carve(m))
        status = w_fail(err, W_NOMEM, "no memory for the cache of keys and values");
    if (status) {
        w_infer_free(m);
        *infer = NULL;
    }
    return status;
}

void w_infer_free(struct w_infer *m)
{
    if (m) {
        w_tensors_free(&m->tensors);
        free(m->block);
    }
    free(m);
}

void w_infer_start(struct w_infer *m)
{
    m->length = 0;
}

u64 w_infer_length(const struct w_infer *m)
{
    return m->length;
}

const float *w_infer_next(struct w_infer *m, u32 id)
{
    u64 d = m->width, final = 2 + m->layers * W_LAYER_TENSORS;
    float stats[2];
    const float *embedding = tensor(m, 0), *position = tensor(m, 1) + m->length * d;

    for (u64 i = 0; i < d; i++)
        m->x[i] = embedding[id * d + i] + position[i];
    for (u64 layer = 0; layer < m->layers; layer++)
        run_layer(m, layer);
    m->length++;
    m->kern->norm(m->normed, stats, m->x, tensor(m, final), tensor(m, final + 1), d);
    multiply(m, (struct product){m->kern, embedding, NULL, m->normed, m->logits, m->vocab, d});
    return m->logits;
}
