/* The output head and its loss against sums in double precision: logits of all sizes, so that the
 * exponentials of a row have different bases, chunks and vocabularies that nothing divides. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "net/head.h"
#include "product_checks.h"

enum { BATCH = 2, LENGTH = 9, TOKENS = BATCH * LENGTH, D = 33, VOCAB = 2 * W_EPILOGUE_COLS + 44 };
#define SCALE 0.3f

/* Numbers that are exact in bf16, with products and sums that are exact in fp32: logits are exact
 * in any order. */
struct head_data {
    float weight[VOCAB * D], x[TOKENS * D], d_weight[VOCAB * D];
    u32 ids[BATCH * (LENGTH + 1)];
};

/* Column 0 moves the logits of whole segments of a row: not at all, or each to a range of its own,
 * where exponentials overflow unless the largest logit is subtracted. */
static struct head_data *new_data(bool far)
{
    static const float place[] = {150, 8, -60};
    struct head_data *h = malloc(sizeof *h);
    struct w_rng rng = {.seed = 3};

    for (u64 i = 0; i < VOCAB * D; i++) {
        h->weight[i] = ((float)w_rng_below(&rng, 33) - 16) / 32;
        h->d_weight[i] = (float)w_rng_below(&rng, 9) / 64;
    }
    for (u64 i = 0; i < TOKENS * D; i++)
        h->x[i] = ((float)w_rng_below(&rng, 33) - 16) / 16;
    for (u64 v = 0; v < VOCAB; v++)
        h->weight[v * D] = far ? place[v / W_EPILOGUE_COLS] : 0;
    for (u64 i = 0; i < TOKENS; i++)
        h->x[i * D] = (float)(i % 5) / 2 - 1; /* -1 to 1 */
    for (u64 i = 0; i < W_COUNTOF(h->ids); i++)
        h->ids[i] = (u32)w_rng_below(&rng, VOCAB);
    return h;
}

struct wanted {
    double nll[TOKENS], dx[TOKENS * D], d_weight[VOCAB * D];
    double dx_size[TOKENS * D], d_weight_size[VOCAB * D]; /* sums of the magnitudes of the terms */
};

static struct wanted *want_of(const struct head_data *h)
{
    struct wanted *w = calloc(1, sizeof *w);

    for (u64 i = 0; i < VOCAB * D; i++)
        w->d_weight[i] = (double)h->d_weight[i];
    for (u64 i = 0; i < TOKENS; i++) {
        const u64 target = h->ids[i / LENGTH * (LENGTH + 1) + i % LENGTH + 1];
        double logits[VOCAB] = {0}, max = -INFINITY, sum = 0;
        for (u64 v = 0; v < VOCAB; v++) {
            for (u64 j = 0; j < D; j++)
                logits[v] += (double)h->x[i * D + j] * (double)h->weight[v * D + j];
            max = fmax(max, logits[v]);
        }
        for (u64 v = 0; v < VOCAB; v++)
            sum += exp(logits[v] - max);
        w->nll[i] = log(sum) + max - logits[target];
        for (u64 v = 0; v < VOCAB; v++) {
            const double p = exp(logits[v] - max) / sum;
            const double d = (double)SCALE * (v == target ? expm1(-w->nll[i]) : p);
            for (u64 j = 0; j < D; j++) {
                const double to_x = d * (double)h->weight[v * D + j];
                const double to_weight = d * (double)h->x[i * D + j];
                w->dx[i * D + j] += to_x;
                w->dx_size[i * D + j] += fabs(to_x);
                w->d_weight[v * D + j] += to_weight;
                w->d_weight_size[v * D + j] += fabs(to_weight);
            }
        }
    }
    return w;
}

static void near(const struct w_kern *kern, const char *what, u64 i, double got, double want,
                 double allowed)
{
    if (!(fabs(got - want) <= allowed))
        fail_msg("%s: %s %d is %.9g instead of %.9g, off by %.3g of what is allowed", kern->name,
                 what, (int)i, got, want, fabs(got - want) / allowed);
}

static void check_head(const struct w_kern *kern, enum w_type type, bool far, u64 chunk)
{
    struct head_data *h = new_data(far);
    struct wanted *want = want_of(h);
    struct w_team *team;
    assert_int_equal(w_team_new(&team, 2, NULL), W_DONE);
    struct w_engine engine = engine_of(kern, team, 1 << 17);
    engine.type = type;
    void *weight = typed_copy(type, h->weight, VOCAB * D), *x = typed_copy(type, h->x, TOKENS * D);
    float nll[TOKENS], eval_nll[TOKENS], *dx = malloc(sizeof(float) * TOKENS * D);
    struct w_head head = {.weight = weight,
                          .d_weight = h->d_weight,
                          .d = D,
                          .vocab = VOCAB,
                          .batch = BATCH,
                          .length = LENGTH,
                          .panels = malloc(W_GEMM_PACKED(D, VOCAB) * sizeof(float)),
                          .panels_back = malloc(W_GEMM_PACKED(VOCAB, D) * sizeof(float)),
                          .logits = malloc(chunk * w_head_stride(VOCAB) * sizeof(float)),
                          .sums = malloc(chunk * (VOCAB / W_EPILOGUE_COLS + 1) * 2 * sizeof(float)),
                          .factors = malloc(chunk * sizeof(float)),
                          .chunk = chunk,
                          .nll = eval_nll};
    const double rounding = type == W_TYPE_BF16 ? 0x1p-7 : 0x1p-19;

    w_head_forward(&engine, &head, x, h->ids);
    head.nll = nll;
    w_head_forward_backward(&engine, &head, dx, x, h->ids, SCALE);
    assert_memory_equal(nll, eval_nll, sizeof nll);
    for (u64 i = 0; i < TOKENS; i++)
        near(kern, "loss", i, (double)nll[i], want->nll[i], 2e-7 * (5 + want->nll[i]));
    for (u64 i = 0; i < TOKENS * D; i++)
        near(kern, "dx", i, (double)dx[i], want->dx[i], rounding * want->dx_size[i] + 1e-30);
    for (u64 i = 0; i < VOCAB * D; i++)
        near(kern, "d_weight", i, (double)h->d_weight[i], want->d_weight[i],
             rounding * want->d_weight_size[i] + /* and a sum that is rounded for every chunk */
                 TOKENS * 0x1p-24 * fabs(want->d_weight[i]) + 1e-30);
    free(weight), free(x), free(dx);
    free(head.panels), free(head.panels_back), free(head.logits);
    free(head.sums), free(head.factors);
    free(h), free(want);
    free_engine(&engine);
    w_team_free(team);
}

static void check_all(enum w_type type)
{
    static const u64 chunks[] = {1, 7, TOKENS};
    const struct w_kern *kern;
    const char *why;

    for (u32 k = 0; (kern = w_kern_all()[k]); k++) {
        if (!w_kern_usable(kern, &why)) {
            print_message("NOT TESTED: the %s kernels, since %s\n", kern->name, why);
            continue;
        }
        if (kern->product && type == W_TYPE_BF16)
            continue; /* a library's GEMM is in fp32 */
        for (u32 far = 0; far < 2; far++)
            for (u32 c = 0; c < W_COUNTOF(chunks); c++)
                check_head(kern, type, far, chunks[c]);
    }
}

static void losses_and_gradients_in_fp32_are_right(void **state)
{
    (void)state;
    check_all(W_TYPE_F32);
}

static void losses_and_gradients_in_bf16_are_right(void **state)
{
    (void)state;
    check_all(W_TYPE_BF16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_and_gradients_in_fp32_are_right),
        cmocka_unit_test(losses_and_gradients_in_bf16_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
