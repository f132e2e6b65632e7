/* A text's score: every token once, each from all of those before it in its window. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "net/model.h"
#include "net/score.h"

#define VOCAB 13
#define LENGTH 5
#define COUNT 23 /* ids: 22 targets, the last window has 2 of 5 */

static u32 text[COUNT];
static struct w_team *team;

static struct w_conf conf_of(u64 batch_size)
{
    return (struct w_conf){.d_model = 8,
                           .num_heads = 2,
                           .num_layers = 2,
                           .d_ff = 12,
                           .vocab_size = VOCAB,
                           .batch_size = batch_size,
                           .max_length = LENGTH,
                           .learning_rate = 1e-3,
                           .accumulate = 1,
                           .init_std = 0.5,
                           .seed = 3};
}

static struct w_model *model_of(const struct w_conf *conf)
{
    const struct w_kern *kern = NULL;
    struct w_model *model = NULL;
    struct w_err err;

    if (w_kern_choose(&kern, NULL, &err) ||
        w_model_new(&model, conf, W_PLAN_EVAL, W_TYPE_F32, kern, team, &err))
        fail_msg("%s", err.text);
    w_model_init(model);
    return model;
}

/* A generator with the weights of a model: `slots` windows and twice as many tokens in a pass. */
static struct w_infer *infer_of(struct w_model *model, const struct w_conf *conf, u64 slots)
{
    const struct w_plan_decode how = {W_TYPE_F32, slots, 2 * slots + 1, 2 * slots};
    const struct w_kern *kern = NULL;
    struct w_infer *infer = NULL;
    struct w_err err;

    if (w_kern_choose(&kern, NULL, &err) ||
        w_infer_new(&infer, conf, w_model_weights(model), &how, kern, team, &err))
        fail_msg("%s", err.text);
    return infer;
}

static int make_text(void **state)
{
    struct w_rng rng = {.seed = 9};
    struct w_err err;

    (void)state;
    for (u32 i = 0; i < COUNT; i++)
        text[i] = (u32)w_rng_below(&rng, VOCAB);
    return w_team_new(&team, 1, &err);
}

static const struct w_score_text the_text = {.ids = text, .count = COUNT};

static int free_team(void **state)
{
    (void)state;
    w_team_free(team);
    return 0;
}

/* Window by window, the ids after the text as given. */
static double sum_of_windows(u32 filler)
{
    const struct w_conf conf = conf_of(1);
    struct w_model *model = model_of(&conf);
    double nats = 0;

    for (u32 begin = 0; begin < COUNT - 1; begin += LENGTH) {
        u32 ids[LENGTH + 1];
        float nll[LENGTH];
        for (u32 t = 0; t <= LENGTH; t++)
            ids[t] = begin + t < COUNT ? text[begin + t] : filler;
        w_model_loss(model, &(struct w_batch){.ids = ids}, nll);
        for (u32 t = 0; t < LENGTH && begin + t + 1 < COUNT; t++)
            nats += (double)nll[t];
    }
    w_model_free(model);
    return nats;
}

static void every_token_counts_once_in_passes_of_any_size(void **state)
{
    struct w_err err;

    (void)state;
    for (u64 batch = 1; batch <= 6; batch++) {
        const struct w_conf conf = conf_of(batch);
        struct w_model *model = model_of(&conf);
        struct w_infer *infer = infer_of(model, &conf, batch);
        struct w_score score = {0};
        assert_int_equal(w_score_ids(&score, infer, &the_text, NULL, &err), W_DONE);
        assert_int_equal(score.tokens, COUNT - 1);
        for (u32 filler = 0; filler < VOCAB; filler += 6)
            assert_true(fabs(score.nats / sum_of_windows(filler) - 1) < 1e-6);
        w_infer_free(infer);
        w_model_free(model);
    }
}

/* The counts' share is what they say of ids[1] and on; the mixture's what the gate makes of it: a
 * half of each in a new model. */
static void counts_are_scored_beside_the_network(void **state)
{
    struct w_err err;
    float lp[COUNT];
    u8 ctx[COUNT * 3];
    double counts = 0;

    (void)state;
    for (u32 i = 0; i < COUNT; i++)
        lp[i] = -(float)(1 + i % 5) / 2;
    for (u32 i = 1; i < COUNT; i++)
        counts -= (double)lp[i];
    memset(ctx, 77, sizeof ctx);
    for (u64 batch = 1; batch <= 6; batch++) {
        struct w_conf conf = conf_of(batch);
        struct w_score with = {0}, without = {0};
        const struct w_score_text both = {.ids = text, .count = COUNT, .lp = lp, .ctx = ctx};
        conf.counts = 3;
        struct w_model *model = model_of(&conf);
        struct w_infer *infer = infer_of(model, &conf, batch);
        assert_int_equal(w_score_ids(&without, infer, &the_text, NULL, &err), W_DONE);
        assert_true(without.nats_counts == 0 && without.nats_mixed == 0);
        assert_int_equal(w_score_ids(&with, infer, &both, NULL, &err), W_DONE);
        assert_true(with.nats == without.nats);
        assert_true(fabs(with.nats_counts - counts) < 1e-9);
        /* by hand, in windows of one sequence */
        double mixed = 0;
        struct w_conf one = conf_of(1);
        struct w_model *network = model_of(&one);
        for (u32 begin = 0; begin < COUNT - 1; begin += LENGTH) {
            u32 ids[LENGTH + 1];
            float nll[LENGTH];
            for (u32 t = 0; t <= LENGTH; t++)
                ids[t] = text[begin + t < COUNT ? begin + t : 0];
            w_model_loss(network, &(struct w_batch){.ids = ids}, nll);
            for (u32 t = 0; t < LENGTH && begin + t + 1 < COUNT; t++)
                mixed -= log((exp(-(double)nll[t]) + exp((double)lp[begin + t + 1])) / 2);
        }
        assert_true(fabs(with.nats_mixed - mixed) < 1e-4);
        w_model_free(network);
        w_infer_free(infer);
        w_model_free(model);
    }
}

static void a_document_of_no_token_scores_nothing(void **state)
{
    const struct w_conf conf = conf_of(1);
    struct w_model *model = model_of(&conf);
    struct w_infer *infer = infer_of(model, &conf, 2);
    struct w_score score = {0};
    struct w_err err;

    (void)state;
    assert_int_equal(
        w_score_ids(&score, infer, &(struct w_score_text){.ids = text, .count = 1}, NULL, &err),
        W_DONE);
    assert_true(score.nats == 0 && score.tokens == 0);
    w_infer_free(infer);
    w_model_free(model);
}

static void a_model_that_diverged_is_corrupt(void **state)
{
    const struct w_conf conf = conf_of(2);
    struct w_model *model = model_of(&conf);
    struct w_score score = {0};
    struct w_err err;

    (void)state;
    w_model_weights(model)[0] = NAN;
    w_model_weights(model)[8 * text[1]] = NAN;
    struct w_infer *infer = infer_of(model, &conf, 2);
    assert_int_equal(w_score_ids(&score, infer, &the_text, NULL, &err), W_CORRUPT);
    w_infer_free(infer);
    w_model_free(model);
}

static u64 last_done, last_all, calls;

static void note(u64 done, u64 all)
{
    last_done = done;
    last_all = all;
    calls++;
}

static void progress_comes_between_passes(void **state)
{
    const struct w_conf conf = conf_of(2);
    struct w_model *model = model_of(&conf);
    struct w_infer *infer = infer_of(model, &conf, 2);
    struct w_score score = {0};
    struct w_err err;

    (void)state;
    assert_int_equal(w_score_ids(&score, infer, &the_text, note, &err), W_DONE);
    assert_int_equal(calls, 5); /* 4, 8, ... 20 of 22 */
    assert_int_equal(last_done, 20);
    assert_int_equal(last_all, 22);
    w_infer_free(infer);
    w_model_free(model);
}

static void words_and_lines_are_counted(void **state)
{
    static const char words[] = "  two\twords\n\nand \v\f\r more\n";
    struct w_score score = {0};

    (void)state;
    w_score_count(&score, words, sizeof words - 1);
    assert_int_equal(score.bytes, sizeof words - 1);
    assert_int_equal(score.words, 4);
    assert_int_equal(score.lines, 3);
}

static void units_follow_from_nats(void **state)
{
    const struct w_score score = {.nats = 8 * M_LN2, .tokens = 2, .bytes = 4, .words = 2};
    const struct w_score no_text = {.nats = 8 * M_LN2, .tokens = 2};

    (void)state;
    assert_true(fabs(w_score_bits(&score) - 8) < 1e-12);
    assert_true(fabs(w_score_bits_per_byte(&score) - 2) < 1e-12);
    assert_true(fabs(w_score_perplexity(&score, score.words) - 16) < 1e-9);
    assert_true(w_score_bits_per_byte(&no_text) == 0);
    assert_true(isnan(w_score_perplexity(&no_text, no_text.words)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_token_counts_once_in_passes_of_any_size),
        cmocka_unit_test(counts_are_scored_beside_the_network),
        cmocka_unit_test(a_document_of_no_token_scores_nothing),
        cmocka_unit_test(a_model_that_diverged_is_corrupt),
        cmocka_unit_test(progress_comes_between_passes),
        cmocka_unit_test(words_and_lines_are_counted),
        cmocka_unit_test(units_follow_from_nats),
    };
    return cmocka_run_group_tests(tests, make_text, free_team);
}
