/* Sampling the next id: each filter by its definition, the choice by its distribution. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "net/sampler.h"
#include "base/utf8.h"
#include "text/draft.h"

static const struct w_kern *kern(void)
{
    const struct w_kern *chosen;
    assert_int_equal(w_kern_choose(&chosen, NULL, NULL), W_DONE);
    return chosen;
}

#define IDS 6
#define DRAWS 20000

static const struct w_sampler_options plain = {
    .temperature = 1, .top_p = 1, .penalty = 1, .repeat_last_n = 64, .seed = 3};

/* Logits of the probabilities 0.4, 0.3, 0.15, 0.1, 0.04, 0.01, plus a constant. */
static const double shares[IDS] = {0.15, 0.4, 0.01, 0.3, 0.04, 0.1};
static void make_logits(float *logits)
{
    for (u32 i = 0; i < IDS; i++)
        logits[i] = (float)(log(shares[i]) + 5);
}

static void draw_many(struct w_sampler_options options, const u32 *text, u64 count, u32 *hits)
{
    struct w_sampler *s = NULL;
    struct w_err err = {0};
    float logits[IDS];
    make_logits(logits);
    memset(hits, 0, IDS * sizeof *hits);
    assert_int_equal(w_sampler_new(&s, IDS, NULL, &options, kern(), &err), W_DONE);
    for (u64 i = 0; i < DRAWS; i++) {
        u32 id = w_sampler_sample(s, logits, text, count, 0, i);
        assert_true(id < IDS);
        hits[id]++;
    }
    w_sampler_free(s);
}

/* Are the hits those of these weights, within five standard deviations? */
static void assert_distribution(const u32 *hits, const double *weights)
{
    double sum = 0;
    for (u32 i = 0; i < IDS; i++)
        sum += weights[i];
    for (u32 i = 0; i < IDS; i++) {
        double p = weights[i] / sum, expected = p * DRAWS;
        double tolerance = 5 * sqrt(DRAWS * p * (1 - p));
        if (fabs(hits[i] - expected) > tolerance)
            fail_msg("id %u: %u hits, not %.0f", i, hits[i], expected);
    }
}

static void a_plain_draw_has_the_models_probabilities(void **state)
{
    (void)state;
    u32 hits[IDS];
    draw_many(plain, NULL, 0, hits);
    assert_distribution(hits, shares);
}

static void temperature_sharpens(void **state)
{
    (void)state;
    u32 hits[IDS];
    double squares[IDS];
    for (u32 i = 0; i < IDS; i++)
        squares[i] = shares[i] * shares[i];
    struct w_sampler_options options = plain;
    options.temperature = 0.5;
    draw_many(options, NULL, 0, hits);
    assert_distribution(hits, squares);
    options.temperature = 0;
    draw_many(options, NULL, 0, hits);
    assert_int_equal(hits[1], DRAWS);
}

static void top_k_keeps_k(void **state)
{
    (void)state;
    u32 hits[IDS];
    struct w_sampler_options options = plain;
    options.top_k = 3;
    draw_many(options, NULL, 0, hits);
    assert_distribution(hits, (double[IDS]){0.15, 0.4, 0, 0.3, 0, 0});
    options.top_k = 100;
    draw_many(options, NULL, 0, hits);
    assert_distribution(hits, shares);
}

static void top_p_keeps_the_fewest_that_reach_p(void **state)
{
    (void)state;
    u32 hits[IDS];
    struct w_sampler_options options = plain;
    options.top_p = 0.72; /* 0.4 + 0.3 do not reach it */
    draw_many(options, NULL, 0, hits);
    assert_distribution(hits, (double[IDS]){0.15, 0.4, 0, 0.3, 0, 0});
    options.top_p = 0.3;
    draw_many(options, NULL, 0, hits);
    assert_int_equal(hits[1], DRAWS);
    /* After top_k the probabilities are those of the candidates that it kept: 0.4 / 0.7 reaches
     * 0.5. */
    options.top_p = 0.5;
    options.top_k = 2;
    draw_many(options, NULL, 0, hits);
    assert_int_equal(hits[1], DRAWS);
}

/* A model that diverged gives NaN, which compares with nothing: still some id is chosen. */
static void some_id_is_drawn_whatever_the_logits(void **state)
{
    (void)state;
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    u32 hits[IDS];
    struct w_sampler_options options = plain;

    options.top_p = 0;
    draw_many(options, NULL, 0, hits);
    assert_int_equal(hits[1], DRAWS);
    for (u32 p = 0; p <= 4; p++)
        for (u32 k = 0; k <= 3; k += 3)
            for (u32 o = 0; o < W_COUNTOF(odd); o++)
                for (u32 from = 0; from <= 2; from += 2) {
                    struct w_sampler *s = NULL;
                    float logits[IDS];
                    make_logits(logits);
                    for (u32 i = from; i < IDS; i++)
                        logits[i] = odd[o];
                    options.top_p = p / 4.0;
                    options.top_k = k;
                    assert_int_equal(w_sampler_new(&s, IDS, NULL, &options, kern(), NULL), W_DONE);
                    assert_true(w_sampler_sample(s, logits, NULL, 0, 0, 1) < IDS);
                    w_sampler_free(s);
                }
}

static void min_p_is_relative_to_the_best(void **state)
{
    (void)state;
    u32 hits[IDS];
    struct w_sampler_options options = plain;
    options.min_p = 0.2; /* of 0.4: 0.08 */
    draw_many(options, NULL, 0, hits);
    assert_distribution(hits, (double[IDS]){0.15, 0.4, 0, 0.3, 0, 0.1});
    options.top_p = 0.8; /* both: 0.4, 0.3, 0.15 */
    draw_many(options, NULL, 0, hits);
    assert_distribution(hits, (double[IDS]){0.15, 0.4, 0, 0.3, 0, 0});
}

static void the_penalty_acts_on_recent_ids(void **state)
{
    (void)state;
    u32 hits[IDS], text[] = {1, 9999, 3, 3}; /* the text may contain ids that cannot be drawn */
    struct w_sampler_options options = plain;
    options.penalty = 2;
    options.repeat_last_n = 2;
    draw_many(options, text, 4, hits);
    double weights[IDS];
    memcpy(weights, shares, sizeof weights);
    weights[3] = exp((log(0.3) + 5) / 2 - 5);
    assert_distribution(hits, weights);
    options.repeat_last_n = 4;
    draw_many(options, text, 4, hits);
    weights[1] = exp((log(0.4) + 5) / 2 - 5);
    assert_distribution(hits, weights);
}

/* ---- against sorting, in double precision ---- */

#define MANY 1500

struct item {
    double p;
    u32 id;
};

static int by_probability(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return x->p != y->p ? (x->p < y->p) - (x->p > y->p) : (x->id > y->id) - (x->id < y->id);
}

/* How many of the sorted items stay. *margin: how far from `wanted` the sums about it are. */
static u32 keep_sorted(const struct item *sorted, const struct w_sampler_options *o, double *margin)
{
    const u32 most = o->top_k && o->top_k < MANY ? (u32)o->top_k : MANY;
    double sum = 0, reached = 0;
    u32 kept = 0;

    for (u32 i = 0; i < most; i++)
        sum += sorted[i].p;
    for (*margin = sum; kept < most && (kept == 0 || reached < o->top_p * sum); kept++) {
        *margin = fmin(*margin, fabs(reached - o->top_p * sum) / sum);
        reached += sorted[kept].p;
    }
    if (kept < most)
        *margin = fmin(*margin, fabs(reached - o->top_p * sum) / sum);
    while (sorted[kept - 1].p < o->min_p * sorted[0].p)
        kept--;
    return kept;
}

/* The part of the sum, in the order of ids, at which an id is drawn: from *from to *to. */
static void find_part(const struct item *sorted, u32 kept, u32 id, double *from, double *to)
{
    double sum = 0, before = 0, own = 0;

    for (u32 i = 0; i < kept; i++) {
        sum += sorted[i].p;
        before += sorted[i].id < id ? sorted[i].p : 0;
        own += sorted[i].id == id ? sorted[i].p : 0;
    }
    assert_true(own > 0); /* else it should be out */
    *from = before / sum;
    *to = (before + own) / sum;
}

static void draws_are_those_of_sorting(void **state)
{
    (void)state;
    static float logits[MANY];
    static struct item sorted[MANY];
    struct w_rng random = {.seed = 5};
    u32 compared = 0;

    for (u32 test = 0; test < 400; test++) {
        const struct w_sampler_options options = {
            .temperature = 0.3 + w_rng_unit(&random),
            .top_k = test % 3 ? 0 : 1 + w_rng_below(&random, 2 * MANY),
            .top_p = test % 4 ? 0.5 + 0.5 * w_rng_unit(&random) : 1,
            .min_p = test % 5 ? 0 : 0.1 * w_rng_unit(&random),
            .penalty = 1,
            .seed = 7};
        struct w_sampler *s = NULL;
        double margin;
        for (u32 id = 0; id < MANY; id++) {
            const double logit = (test % 7) * w_rng_normal(&random);
            logits[id] = (float)(test % 2 ? logit : round(logit)); /* many equal ones */
            sorted[id] = (struct item){exp((double)logits[id] / options.temperature), id};
        }
        qsort(sorted, MANY, sizeof *sorted, by_probability);
        const u32 kept = keep_sorted(sorted, &options, &margin);
        if (options.top_p < 1 && margin < 1e-5) /* fp32 may end at the id before or after */
            continue;
        assert_int_equal(w_sampler_new(&s, MANY, NULL, &options, kern(), NULL), W_DONE);
        for (u64 position = 0; position < 20; position++, compared++) {
            struct w_rng rng = {.seed = 7, .stream = 3, .counter = position};
            const double unit = w_rng_unit(&rng);
            double from, to;
            find_part(sorted, kept, w_sampler_sample(s, logits, NULL, 0, 3, position), &from, &to);
            if (!(unit > from - 1e-5 && unit < to + 1e-5))
                fail_msg("test %u: drawn from %.7f to %.7f by %.7f", test, from, to, unit);
        }
        w_sampler_free(s);
    }
    assert_true(compared > 6000);
}

static void equal_logits_go_by_id(void **state)
{
    (void)state;
    struct w_sampler *s = NULL;
    struct w_err err = {0};
    float logits[1000] = {0};
    struct w_sampler_options options = plain;
    options.temperature = 0;
    assert_int_equal(w_sampler_new(&s, 1000, NULL, &options, kern(), &err), W_DONE);
    assert_int_equal(w_sampler_sample(s, logits, NULL, 0, 0, 0), 0);
    w_sampler_free(s);
    options.temperature = 1;
    options.top_k = 10;
    assert_int_equal(w_sampler_new(&s, 1000, NULL, &options, kern(), &err), W_DONE);
    for (u64 i = 0; i < 1000; i++)
        assert_true(w_sampler_sample(s, logits, NULL, 0, 0, i) < 10);
    w_sampler_free(s);
}

static void suppressed_ids_are_never_drawn(void **state)
{
    (void)state;
    struct w_sampler *s = NULL;
    float logits[IDS];
    const bool suppressed[IDS] = {true, true, false, false, true, false};
    struct w_sampler_options options = plain;
    u32 hits[IDS] = {0};
    make_logits(logits);
    assert_int_equal(w_sampler_new(&s, IDS, suppressed, &options, kern(), NULL), W_DONE);
    for (u64 i = 0; i < DRAWS; i++)
        hits[w_sampler_sample(s, logits, NULL, 0, 0, i)]++;
    assert_distribution(hits, (double[IDS]){0, 0, 0.01, 0.3, 0, 0.1});
    w_sampler_free(s);
    options.temperature = 0;
    assert_int_equal(w_sampler_new(&s, IDS, suppressed, &options, kern(), NULL), W_DONE);
    assert_int_equal(w_sampler_sample(s, logits, NULL, 0, 0, 0), 3);
    w_sampler_free(s);
}

static void draws_repeat_and_samples_differ(void **state)
{
    (void)state;
    struct w_sampler *a = NULL, *b = NULL;
    struct w_err err = {0};
    float logits[IDS];
    u32 differ = 0;
    make_logits(logits);
    assert_int_equal(w_sampler_new(&a, IDS, NULL, &plain, kern(), &err), W_DONE);
    assert_int_equal(w_sampler_new(&b, IDS, NULL, &plain, kern(), &err), W_DONE);
    for (u64 i = 0; i < 100; i++) {
        u32 id = w_sampler_sample(a, logits, NULL, 0, 7, i);
        differ += id != w_sampler_sample(b, logits, NULL, 0, 8, i);
        assert_int_equal(id, w_sampler_sample(b, logits, NULL, 0, 7, i));
    }
    assert_true(differ > 20);
    w_sampler_free(a);
    w_sampler_free(b);
}

static void log_probabilities_are_the_models(void **state)
{
    (void)state;
    float logits[IDS];
    make_logits(logits);
    for (u32 i = 0; i < IDS; i++)
        assert_true(fabs(w_log_probability(kern(), logits, IDS, i) - log(shares[i])) < 1e-6);
}

/* exp() of a logit alone, or of its distance from the smallest, is infinite. */
static void log_probabilities_of_large_logits_are_finite(void **state)
{
    (void)state;
    static const float logits[] = {-2000, 3000, 2999, 100};
    double rest = log(1 + exp(-1));
    assert_true(fabs(w_log_probability(kern(), logits, 4, 1) + rest) < 2e-6);
    assert_true(fabs(w_log_probability(kern(), logits, 4, 2) + 1 + rest) < 2e-6);
    assert_true(fabs(w_log_probability(kern(), logits, 4, 0) + 5000 + rest) < 2e-6);
}

/* ---- the generated text ---- */

static void a_draft_stops_before_the_first_stop_text(void **state)
{
    (void)state;
    static const char *const stops[] = {"END", "\n\n"};
    struct w_draft d = {0};
    struct w_err err = {0};
    const char *text = "one\ntwo EN END three";
    for (size_t i = 0; i < strlen(text); i++) {
        size_t before = d.count;
        assert_int_equal(w_draft_append(&d, text + i, 1, &err), W_DONE);
        if (w_draft_stop(&d, before, stops, 2))
            break;
        /* Settled text is never taken back. */
        size_t settled = w_draft_settled(&d, stops, 2);
        assert_true(settled <= strlen("one\ntwo EN "));
    }
    assert_int_equal(d.count, strlen("one\ntwo EN "));
    /* Both stops in what is appended at once: the first one counts. */
    d.count = 0;
    assert_int_equal(w_draft_append(&d, "a\n\nb END", 8, &err), W_DONE);
    assert_true(w_draft_stop(&d, 0, stops, 2));
    assert_int_equal(d.count, 1);
    free(d.bytes);
}

static void a_draft_holds_back_what_is_not_whole(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t settled;
    } rows[] = {
        {"abc", 3},        {"ab\xC3", 2},         {"ab\xC3\xA9", 4},
        {"ab\xE2\x82", 2}, {"ab\xE2\x82\xAC", 5}, {"ab\xF0\x9F\x98", 2},
        {"ab\xFF", 3},     {"ab\x80\x80\x80", 5}, {"abST", 2},
        {"S", 0},          {"STOX", 4},           {"a\xC3S", 1},
    };
    static const char *const stops[] = {"STOP"};
    for (size_t i = 0; i < W_COUNTOF(rows); i++) {
        struct w_draft d = {.bytes = (char *)(uintptr_t)rows[i].bytes,
                            .count = strlen(rows[i].bytes)};
        size_t settled = w_draft_settled(&d, stops, 1);
        /* The last row: an unfinished character before a held-back stop is held back, too. */
        if (settled != rows[i].settled)
            fail_msg("row %zu: %zu settled, not %zu", i, settled, rows[i].settled);
    }
}

static void invalid_bytes_are_replaced(void **state)
{
    (void)state;
    static const char bytes[] = "a\0\xC3\xA9\xFFz\xE2\x82";
    char *mended = w_utf8_mended(bytes, sizeof bytes - 1);
    assert_non_null(mended);
    assert_string_equal(mended, "a\xEF\xBF\xBD\xC3\xA9\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD");
    free(mended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_draw_has_the_models_probabilities),
        cmocka_unit_test(temperature_sharpens),
        cmocka_unit_test(top_k_keeps_k),
        cmocka_unit_test(top_p_keeps_the_fewest_that_reach_p),
        cmocka_unit_test(some_id_is_drawn_whatever_the_logits),
        cmocka_unit_test(min_p_is_relative_to_the_best),
        cmocka_unit_test(the_penalty_acts_on_recent_ids),
        cmocka_unit_test(draws_are_those_of_sorting),
        cmocka_unit_test(equal_logits_go_by_id),
        cmocka_unit_test(suppressed_ids_are_never_drawn),
        cmocka_unit_test(draws_repeat_and_samples_differ),
        cmocka_unit_test(log_probabilities_are_the_models),
        cmocka_unit_test(log_probabilities_of_large_logits_are_finite),
        cmocka_unit_test(a_draft_stops_before_the_first_stop_text),
        cmocka_unit_test(a_draft_holds_back_what_is_not_whole),
        cmocka_unit_test(invalid_bytes_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
