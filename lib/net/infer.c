#include "net/infer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_PER_ITEM 64 /* of a matrix: what one member of the team does in one go */
#define EPSILON 1e-5f    /* of layer normalisation, as in GPT-2 */

struct w_infer {
    u64 width, heads, layers, hidden, vocab, positions; /* d, H, L, d_ff, V, T */
    struct w_tensors tensors;
    const float *weights;
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

/* Eight floats at a time; GCC and clang make of it what the CPU has. */
typedef float vec8 __attribute__((vector_size(32), aligned(4), may_alias));

/* The order of the additions is fixed: it does not depend on who computes the row. */
static float dot(const float *a, const float *b, u64 n)
{
    vec8 sums[4] = {{0}};
    float total = 0;
    u64 i = 0;

    for (; i + 32 <= n; i += 32)
        for (u64 k = 0; k < 4; k++)
            sums[k] += *(const vec8 *)(a + i + 8 * k) * *(const vec8 *)(b + i + 8 * k);
    sums[0] += sums[1];
    sums[2] += sums[3];
    sums[0] += sums[2];
    for (u64 k = 0; k < 8; k++)
        total += sums[0][k];
    for (; i < n; i++)
        total += a[i] * b[i];
    return total;
}

struct product {
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
        p->out[row] =
            (p->bias ? p->bias[row] : 0) + dot(p->matrix + row * p->columns, p->in, p->columns);
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

static void normalise(float *out, const float *in, u64 n, const float *weight, const float *bias)
{
    double mean = 0, variance = 0;

    for (u64 i = 0; i < n; i++)
        mean += (double)in[i];
    mean /= (double)n;
    for (u64 i = 0; i < n; i++)
        variance += ((double)in[i] - mean) * ((double)in[i] - mean);
    float centre = (float)mean, scale = 1 / sqrtf((float)(variance / (double)n) + EPSILON);
    for (u64 i = 0; i < n; i++)
        out[i] = (in[i] - centre) * scale * weight[i] + bias[i];
}

static void add(float *x, const float *y, u64 n)
{
    for (u64 i = 0; i < n; i++)
        x[i] += y[i];
}

/* The tanh form of GELU (Hendrycks and Gimpel, 2016), as in GPT-2. */
static void gelu(float *x, u64 n)
{
    for (u64 i = 0; i < n; i++) {
        float inner = 0.7978845608f * (x[i] + 0.044715f * x[i] * x[i] * x[i]);
        x[i] = 0.5f * x[i] * (1 + tanhf(inner));
    }
}

static void softmax(float *x, u64 n)
{
    float best = x[0], sum = 0;

    for (u64 i = 1; i < n; i++)
        best = W_MAX(best, x[i]);
    for (u64 i = 0; i < n; i++)
        sum += x[i] = expf(x[i] - best);
    for (u64 i = 0; i < n; i++)
        x[i] /= sum;
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
            m->scores[t] = scale * dot(m->qkv + first, keys + t * d + first, size);
        softmax(m->scores, count);
        for (u64 t = 0; t < count; t++)
            for (u64 i = first; i < first + size; i++)
                m->attended[i] += m->scores[t] * values[t * d + i];
    }
}

static void run_layer(struct w_infer *m, u64 layer)
{
    u64 d = m->width, ff = m->hidden;
    const float *w[W_LAYER_TENSORS];

    for (u32 i = 0; i < W_LAYER_TENSORS; i++)
        w[i] = layer_tensor(m, layer, (enum w_layer_tensor)i);
    normalise(m->normed, m->x, d, w[W_LN_1_WEIGHT], w[W_LN_1_BIAS]);
    multiply(m, (struct product){w[W_ATTN_WEIGHT], w[W_ATTN_BIAS], m->normed, m->qkv, 3 * d, d});
    attend(m, layer);
    multiply(m, (struct product){w[W_ATTN_PROJ_WEIGHT], w[W_ATTN_PROJ_BIAS], m->attended, m->normed,
                                 d, d});
    add(m->x, m->normed, d);
    normalise(m->normed, m->x, d, w[W_LN_2_WEIGHT], w[W_LN_2_BIAS]);
    multiply(m, (struct product){w[W_FC_WEIGHT], w[W_FC_BIAS], m->normed, m->hidden_values, ff, d});
    gelu(m->hidden_values, ff);
    multiply(m, (struct product){w[W_FC_PROJ_WEIGHT], w[W_FC_PROJ_BIAS], m->hidden_values,
                                 m->normed, d, ff});
    add(m->x, m->normed, d);
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
                          struct w_team *team, struct w_err *err)
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
    const float *embedding = tensor(m, 0), *position = tensor(m, 1) + m->length * d;

    for (u64 i = 0; i < d; i++)
        m->x[i] = embedding[id * d + i] + position[i];
    for (u64 layer = 0; layer < m->layers; layer++)
        run_layer(m, layer);
    m->length++;
    normalise(m->normed, m->x, d, tensor(m, final), tensor(m, final + 1));
    multiply(m, (struct product){embedding, NULL, m->normed, m->logits, m->vocab, d});
    return m->logits;
}
