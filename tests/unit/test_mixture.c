/* The mixture of a network and counts: its probabilities, and what a sampler draws from it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"
#include "net/mixture.h"
#include "net/sampler.h"

static const struct w_kern *kern(void)
{
    const struct w_kern *chosen;
    assert_int_equal(w_kern_choose(&chosen, NULL, NULL), W_DONE);
    return chosen;
}

#define VOCAB 40
#define KNOWN 37 /* of the counts */

static float logits[VOCAB];
static double p[KNOWN], expected[VOCAB];

/* A network and counts that disagree, and what the mixture should be. */
static void make(double g)
{
    struct w_rng rng = {.seed = 8};
    double sum = 0, total = 0;

    for (u32 i = 0; i < VOCAB; i++) {
        logits[i] = (float)(2 * w_rng_normal(&rng) + 30);
        sum += exp((double)logits[i]);
    }
    for (u32 i = 0; i < KNOWN; i++)
        total += p[i] = pow(w_rng_unit(&rng), 4);
    for (u32 i = 0; i < KNOWN; i++)
        p[i] /= total;
    for (u32 i = 0; i < VOCAB; i++)
        expected[i] = (1 - g) * exp((double)logits[i]) / sum + (i < KNOWN ? g * p[i] : 0);
}

static void probabilities_are_those_of_both(void **state)
{
    (void)state;
    for (u32 k = 0; k <= 4; k++) {
        float mixed[VOCAB];
        double sum = 0;
        make(k / 4.0);
        w_mixture(mixed, logits, VOCAB, p, KNOWN, k / 4.0);
        for (u32 i = 0; i < VOCAB; i++) {
            assert_true(isfinite(mixed[i]));
            assert_true(fabs(exp((double)mixed[i]) - expected[i]) < 1e-6 * expected[i] + 1e-300);
            sum += exp((double)mixed[i]);
        }
        assert_true(fabs(sum - 1) < 1e-6);
    }
    logits[3] = NAN; /* is not hidden */
    float mixed[VOCAB];
    w_mixture(mixed, logits, VOCAB, p, KNOWN, 0.5);
    assert_true(isnan(mixed[0]));
}

/* Pearson's chi-square of 100,000 draws: above this value once in a million. */
static void a_sampler_draws_from_the_mixture(void **state)
{
    (void)state;
    static const struct w_sampler_options options = {.temperature = 1, .top_p = 1, .penalty = 1};
    const u32 draws = 100000;
    u32 drawn[VOCAB] = {0};
    float mixed[VOCAB];
    struct w_sampler *sampler = NULL;
    struct w_err err;
    double chi = 0, alone = 0, net = 0;

    make(0.4);
    for (u32 i = 0; i < VOCAB; i++)
        net += exp((double)logits[i]);
    w_mixture(mixed, logits, VOCAB, p, KNOWN, 0.4);
    assert_int_equal(w_sampler_new(&sampler, VOCAB, NULL, &options, kern(), &err), 0);
    for (u32 n = 0; n < draws; n++)
        drawn[w_sampler_sample(sampler, mixed, NULL, 0, 0, n)]++;
    for (u32 i = 0; i < VOCAB; i++) {
        const double e = draws * expected[i], a = draws * exp((double)logits[i]) / net;
        chi += (drawn[i] - e) * (drawn[i] - e) / e;
        alone += (drawn[i] - a) * (drawn[i] - a) / a;
    }
    /* 39 degrees of freedom, by Wilson and Hilferty with 4.75 standard deviations */
    const double v = 2.0 / (9 * (VOCAB - 1));
    assert_true(chi < (VOCAB - 1) * pow(1 - v + 4.75 * sqrt(v), 3));
    assert_true(alone > 1000); /* the test sees that it is not the network's */
    w_sampler_free(sampler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_are_those_of_both),
        cmocka_unit_test(a_sampler_draws_from_the_mixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
