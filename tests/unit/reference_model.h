/* reference_model.h - the model's loss as its formula, in double precision and plain loops: one
 * token after the other, nothing blocked, nothing fused. The real model is tested against it; they
 * share no arithmetic, only the table of tensors. */
#ifndef W_REFERENCE_MODEL_H
#define W_REFERENCE_MODEL_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/batch.h"
#include "net/tensors.h"
#include "tests/unit/gpt2_tensors.h"

struct reference {
    const struct w_conf *conf;
    const struct w_tensors *tensors;
    double *w; /* laid out as in tensors */
    /* A sampled softmax: the ids of the set and what is added to their logits, unless they are the
     * target itself; NULL: all ids. */
    const u32 *ids;
    const double *correction;
    u64 count;
    const struct w_batch *mixed; /* the loss is that of the mixture with these counts; NULL: that of
                                    the network alone */
};

static const double *ref_tensor(const struct reference *r, u64 index)
{
    return r->w + r->tensors->rows[index].offset;
}

static void ref_norm(double *y, const double *x, const double *weight, const double *bias, u64 n)
{
    double mean = 0, variance = 0;
    for (u64 i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (u64 i = 0; i < n; i++)
        variance += (x[i] - mean) * (x[i] - mean) / (double)n;
    for (u64 i = 0; i < n; i++)
        y[i] = (x[i] - mean) / sqrt(variance + 1e-5) * weight[i] + bias[i];
}

static void ref_linear(double *y, const double *x, const double *weight, const double *bias, u64 in,
                       u64 out)
{
    for (u64 o = 0; o < out; o++) {
        y[o] = bias[o];
        for (u64 i = 0; i < in; i++)
            y[o] += weight[o * in + i] * x[i];
    }
}

static double ref_gelu(double x)
{
    return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
}

/* qkv: (T, 3d); out: (T, d) */
static void ref_attention(double *out, const double *qkv, u64 length, u64 heads, u64 d)
{
    u64 size = d / heads;
    double *p = malloc(length * sizeof *p);

    memset(out, 0, length * d * sizeof *out);
    for (u64 h = 0; h < heads; h++)
        for (u64 t = 0; t < length; t++) {
            const double *q = qkv + t * 3 * d + h * size;
            double sum = 0;
            for (u64 s = 0; s <= t; s++) {
                const double *k = qkv + s * 3 * d + d + h * size;
                double score = 0;
                for (u64 i = 0; i < size; i++)
                    score += q[i] * k[i];
                p[s] = exp(score / sqrt((double)size));
                sum += p[s];
            }
            for (u64 s = 0; s <= t; s++)
                for (u64 i = 0; i < size; i++)
                    out[t * d + h * size + i] += p[s] / sum * qkv[s * 3 * d + 2 * d + h * size + i];
        }
    free(p);
}

/* x (T, d) goes through a layer in place. */
static void ref_layer(const struct reference *r, u64 layer, double *x)
{
    const u64 d = r->conf->d_model, length = r->conf->max_length, ff = r->conf->d_ff;
    const u64 first = 2 + layer * W_LAYER_TENSORS;
    double *norm = malloc(d * sizeof *norm), *qkv = malloc(length * 3 * d * sizeof *qkv);
    double *heads = malloc(length * d * sizeof *heads), *hidden = malloc(ff * sizeof *hidden);

#define T(which) ref_tensor(r, first + (which))
    for (u64 t = 0; t < length; t++) {
        ref_norm(norm, x + t * d, T(W_LN_1_WEIGHT), T(W_LN_1_BIAS), d);
        ref_linear(qkv + t * 3 * d, norm, T(W_ATTN_WEIGHT), T(W_ATTN_BIAS), d, 3 * d);
    }
    ref_attention(heads, qkv, length, r->conf->num_heads, d);
    for (u64 t = 0; t < length; t++) {
        ref_linear(norm, heads + t * d, T(W_ATTN_PROJ_WEIGHT), T(W_ATTN_PROJ_BIAS), d, d);
        for (u64 i = 0; i < d; i++)
            x[t * d + i] += norm[i];
        ref_norm(norm, x + t * d, T(W_LN_2_WEIGHT), T(W_LN_2_BIAS), d);
        ref_linear(hidden, norm, T(W_FC_WEIGHT), T(W_FC_BIAS), d, ff);
        for (u64 i = 0; i < ff; i++)
            hidden[i] = ref_gelu(hidden[i]);
        ref_linear(norm, hidden, T(W_FC_PROJ_WEIGHT), T(W_FC_PROJ_BIAS), ff, d);
        for (u64 i = 0; i < d; i++)
            x[t * d + i] += norm[i];
    }
#undef T
    free(norm);
    free(qkv);
    free(heads);
    free(hidden);
}

/* Of one row of the last norm, in nats. */
static double ref_token_loss(const struct reference *r, const double *x, u64 target)
{
    const u64 d = r->conf->d_model, count = r->ids ? r->count : r->conf->vocab_size;
    const double *wte = ref_tensor(r, 0);
    double sum = 0, hit = 0;

    for (u64 k = 0; k < count; k++) {
        const u64 id = r->ids ? r->ids[k] : k;
        double logit = 0;
        for (u64 i = 0; i < d; i++)
            logit += wte[id * d + i] * x[i];
        hit = id == target ? logit : hit;
        sum += exp(logit + (r->ids && id != target ? r->correction[k] : 0));
    }
    return log(sum) - hit;
}

/* -log of the mixture's probability: h is the output of the last norm, nll the network's loss, at
 * the place of the target in the batch. */
static double ref_mixture(const struct reference *r, const double *h, double nll, u64 target)
{
    const u64 d = r->conf->d_model, features = r->conf->counts;
    const double *weight = ref_tensor(r, r->tensors->count - 2);
    double z = ref_tensor(r, r->tensors->count - 1)[0];

    for (u64 i = 0; i < d; i++)
        z += weight[i] * h[i];
    for (u64 i = 0; i < features; i++)
        z += weight[d + i] * r->mixed->ctx[target * features + i] / 255;
    const double g = 1 / (1 + exp(-z));
    return -log((1 - g) * exp(-nll) + g * exp((double)r->mixed->lp[target]));
}

/* Mean loss in nats per token. ids: (B, T + 1) */
static double ref_loss(const struct reference *r, const u32 *ids)
{
    const u64 d = r->conf->d_model, length = r->conf->max_length;
    const double *wte = ref_tensor(r, 0), *wpe = ref_tensor(r, 1);
    double *x = malloc(length * d * sizeof *x), *norm = malloc(d * sizeof *norm), loss = 0;
    const u64 ln_f = 2 + r->conf->num_layers * W_LAYER_TENSORS;

    for (u64 b = 0; b < r->conf->batch_size; b++) {
        const u32 *row = ids + b * (length + 1);
        for (u64 t = 0; t < length; t++)
            for (u64 i = 0; i < d; i++)
                x[t * d + i] = wte[row[t] * d + i] + wpe[t * d + i];
        for (u64 layer = 0; layer < r->conf->num_layers; layer++)
            ref_layer(r, layer, x);
        for (u64 t = 0; t < length; t++) {
            ref_norm(norm, x + t * d, ref_tensor(r, ln_f), ref_tensor(r, ln_f + 1), d);
            const double nll = ref_token_loss(r, norm, row[t + 1]);
            loss += r->mixed ? ref_mixture(r, norm, nll, b * (length + 1) + t + 1) : nll;
        }
    }
    free(x);
    free(norm);
    return loss / (double)(r->conf->batch_size * length);
}

/* Its derivative by one weight, by central differences. */
static double ref_slope(const struct reference *r, const u32 *ids, u64 index)
{
    const double h = 1e-4, w = r->w[index];
    r->w[index] = w + h;
    double right = ref_loss(r, ids);
    r->w[index] = w - h;
    double left = ref_loss(r, ids);
    r->w[index] = w;
    return (right - left) / (2 * h);
}

#endif
