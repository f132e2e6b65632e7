/* gradient_checks.h - gradients of a small model beside the slopes of the reference model. */
#ifndef W_GRADIENT_CHECKS_H
#define W_GRADIENT_CHECKS_H

#include "model_fixture.h"
#include "reference_model.h"

static inline struct reference reference_of(struct run *run)
{
    struct reference r = {.conf = &run->conf, .tensors = w_model_tensors(run->model)};
    const float *w = w_model_weights(run->model);
    r.w = malloc(r.tensors->floats * sizeof *r.w);
    for (u64 i = 0; i < r.tensors->floats; i++)
        r.w[i] = (double)w[i];
    return r;
}

/* How far fp32 may be off, relative to the largest element of a tensor: one rounding of 2^-24 for
 * each term of the longest chain of sums that leads to it. */
static inline double rounding(const struct w_conf *c)
{
    double chain =
        (double)(c->vocab_size + c->batch_size * c->max_length) +
        (double)c->num_layers * (double)(8 * c->d_model + 2 * c->d_ff + 4 * c->max_length);
    return chain * 0x1p-24;
}

/* The largest deviation of a tensor's gradient from the finite differences of the reference, in
 * units of what rounding allows. Up to `samples` elements of it are checked. */
static inline double worst_gradient(struct run *run, const struct reference *r, u32 tensor,
                                    u64 samples, struct w_rng *rng)
{
    const struct w_tensor *t = &r->tensors->rows[tensor];
    const float *gradient = w_model_gradients(run->model) + t->offset;
    double largest = 0, worst = 0;

    for (u64 i = 0; i < t->count; i++)
        largest = fmax(largest, fabs((double)gradient[i]));
    for (u64 i = 0; i < W_MIN(samples, t->count); i++) {
        u64 j = samples < t->count ? w_rng_below(rng, t->count) : i;
        double off = fabs((double)gradient[j] - ref_slope(r, run->ids, t->offset + j));
        /* 1e-9: the error of central differences. */
        worst = fmax(worst, off / (largest * rounding(&run->conf) + 1e-9));
    }
    return worst;
}

#endif
