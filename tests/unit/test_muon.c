/* Muon beside the formulas of its papers in double precision: which tensors follow it, q, k and v
 * apart, momentum, clipping, decay and rate. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "model_fixture.h"
#include "tests/unit/gpt2_tensors.h"
#include "tests/unit/svd.h"

/* x (rows, cols) orthogonalised, by its singular values. */
static void orthogonal_of(double *y, const float *x, u64 rows, u64 cols)
{
    const bool lies = rows <= cols;
    const u64 n = lies ? rows : cols, m = lies ? cols : rows;
    float *turned = malloc(n * m * sizeof *turned);

    for (u64 i = 0; i < rows; i++)
        for (u64 j = 0; j < cols; j++)
            turned[lies ? i * cols + j : j * rows + i] = x[i * cols + j];
    struct svd d = svd_of(turned, n, m);
    const double bound = bound_of(&d);
    for (u64 i = 0; i < rows; i++)
        for (u64 j = 0; j < cols; j++) {
            double sum = 0;
            for (u64 k = 0; k < n; k++)
                sum += d.u[(lies ? i : j) * n + k] * pulled(d.s[k] / bound) *
                       d.v[k * m + (lies ? j : i)];
            y[i * cols + j] = sum;
        }
    svd_free(&d);
    free(turned);
}

/* How many matrices of its own a tensor of GPT-2 has for Muon, by where it stands in the table. */
static u32 matrices_of(const struct w_conf *conf, u32 index)
{
    if (index < 2 || index >= 2 + conf->num_layers * W_LAYER_TENSORS)
        return 0;
    switch ((index - 2) % W_LAYER_TENSORS) {
    case W_ATTN_WEIGHT: return 3;
    case W_ATTN_PROJ_WEIGHT:
    case W_FC_WEIGHT:
    case W_FC_PROJ_WEIGHT: return 1;
    default: return 0;
    }
}

/* One step of a tensor's weights w with momentum m, both in double precision. */
static void muon_step(double *w, double *m, const float *g, const struct w_tensor *t, u32 parts,
                      const struct w_conf *conf, double clip, double factor)
{
    const u64 rows = t->shape[0] / parts, cols = t->shape[1], count = rows * cols;
    const double rate = factor * conf->muon_learning_rate;
    float *u = malloc(count * sizeof *u);
    double *o = malloc(count * sizeof *o);

    for (u32 part = 0; part < parts; part++) {
        for (u64 i = 0; i < count; i++) {
            const u64 at = part * count + i;
            m[at] = conf->muon_momentum * m[at] + clip * (double)g[at];
            u[i] = (float)(conf->muon_momentum * m[at] + clip * (double)g[at]);
        }
        orthogonal_of(o, u, rows, cols);
        for (u64 i = 0; i < count; i++) {
            double *weight = &w[part * count + i];
            *weight -= rate * (sqrt(fmax(1, (double)rows / (double)cols)) * o[i] +
                               conf->weight_decay * *weight);
        }
    }
    free(u);
    free(o);
}

static void updates_are_those_of_muon(void **state)
{
    (void)state;
    struct w_conf conf = conf_of(&shapes[0]);
    const struct w_kern *kern;
    const char *why;

    conf.optimizer = W_OPTIMIZER_MUON;
    for (u32 k = 0; (kern = w_kern_all()[k]); k++) {
        if (!w_kern_usable(kern, &why))
            continue;
        struct run run = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);
        const struct w_tensors *tensors = w_model_tensors(run.model);
        double *w = calloc(tensors->floats, sizeof *w), *m = calloc(tensors->floats, sizeof *m);
        for (u64 i = 0; i < tensors->floats; i++)
            w[i] = (double)w_model_weights(run.model)[i];
        for (u64 step = 1; step <= 3; step++) {
            const double factor = 0.5 / (double)step;     /* of the schedule */
            w_model_gradient(run.model, &run.batch, 100); /* large enough to be clipped */
            const float *g = w_model_gradients(run.model);
            double squares = 0;
            for (u64 i = 0; i < tensors->floats; i++)
                squares += (double)g[i] * (double)g[i];
            const double clip = fmin(1, conf.clip_norm / (sqrt(squares) + 1e-6));
            for (u32 i = 0; i < tensors->count; i++) {
                const struct w_tensor *t = &tensors->rows[i];
                const u32 parts = matrices_of(&conf, i);
                if (parts)
                    muon_step(w + t->offset, m + t->offset, g + t->offset, t, parts, &conf, clip,
                              factor);
            }
            w_model_update(run.model, step, factor * conf.learning_rate);
            for (u32 i = 0; i < tensors->count; i++)
                for (u64 j = 0; j < tensors->rows[i].count; j++) {
                    const u64 at = tensors->rows[i].offset + j;
                    const double got = (double)w_model_weights(run.model)[at];
                    assert_true(w_model_gradients(run.model)[at] == 0);
                    if (matrices_of(&conf, i) && !(fabs(got - w[at]) < 1e-6))
                        fail_msg("%s: step %d, %s: weight %d is %.9g, not %.9g", kern->name,
                                 (int)step, tensors->rows[i].name, (int)j, got, w[at]);
                    w[at] = got;
                }
        }
        free(w);
        free(m);
        finish(&run);
    }
}

/* Embeddings, biases and norms do not know that there is Muon. */
static void the_others_follow_adamw(void **state)
{
    (void)state;
    struct w_conf conf = conf_of(&shapes[1]);
    const struct w_kern *kern;

    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    struct run adamw = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);
    conf.optimizer = W_OPTIMIZER_MUON;
    struct run muon = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_F32, kern);
    const struct w_tensors *tensors = w_model_tensors(muon.model);
    w_model_gradient(adamw.model, &adamw.batch, 1);
    w_model_gradient(muon.model, &muon.batch, 1);
    w_model_update(adamw.model, 1, 1e-3);
    w_model_update(muon.model, 1, 1e-3);
    for (u32 i = 0; i < tensors->count; i++) {
        const struct w_tensor *t = &tensors->rows[i];
        const int differs =
            memcmp(w_model_weights(muon.model) + t->offset,
                   w_model_weights(adamw.model) + t->offset, t->count * sizeof(float));
        assert_true(!differs == !matrices_of(&conf, i));
    }
    /* two states for the others, one for these */
    assert_string_equal(w_model_state_name(muon.model, 2), "muon.m");
    assert_null(w_model_state_name(muon.model, 3));
    assert_true(tensors->rules[0].floats + tensors->rules[1].floats == tensors->floats);
    finish(&adamw);
    finish(&muon);
}

/* Matrices that are large enough for the whole team. */
static void large_matrices_have_the_same_bits(void **state)
{
    (void)state;
    static const struct shape large = {136, 1, 1, 8000, 40, 1, 8};
    const struct w_kern *kern;
    struct w_conf conf = conf_of(&large);

    conf.optimizer = W_OPTIMIZER_MUON;
    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    check_bits_of_conf(&conf, kern, W_TYPE_F32);
    check_bits_of_conf(&conf, kern, W_TYPE_BF16);
}

static void muon_learns_a_batch_by_heart(void **state)
{
    (void)state;
    static const struct shape small = {32, 4, 2, 64, 60, 4, 12};
    struct w_conf conf = conf_of(&small);
    const struct w_kern *kern;
    double loss = 0;

    conf.optimizer = W_OPTIMIZER_MUON;
    conf.learning_rate = 1e-2;
    assert_int_equal(w_kern_choose(&kern, "auto", NULL), W_DONE);
    struct run run = start(&conf, W_PLAN_TRAIN, 2, W_TYPE_BF16, kern);
    for (u64 step = 1; step <= 150; step++) {
        loss = w_model_gradient(run.model, &run.batch, 1);
        w_model_update(run.model, step, 1e-2);
    }
    assert_true(loss < 0.2); /* it starts at log(60) = 4.1 */
    finish(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_are_those_of_muon),
        cmocka_unit_test(the_others_follow_adamw),
        cmocka_unit_test(large_matrices_have_the_same_bits),
        cmocka_unit_test(muon_learns_a_batch_by_heart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
