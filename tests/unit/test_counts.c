/* Counting and scoring beside modified Kneser-Ney from its definition (count_reference.h). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "count/count_file.h"
#include "count/count_learn.h"
#include "count/count_leave_out.h"
#include "count/count_prune.h"
#include "count_reference.h"

enum { TOKENS = 1500, OTHER = 120, VOCAB = 40 };

static struct reference reference;

static void learn(struct w_count_image *image, const u32 *ids, u32 count, u32 order, u32 vocab,
                  u32 threads)
{
    const struct w_count_learn_options options = {
        .order = order, .vocab = vocab, .eot = vocab - 1, .threads = threads};
    struct w_err err = {0};

    assert_int_equal(w_count_learn(image, ids, count, &options, &err), W_DONE);
}

static struct w_counts *counts_of(const u32 *ids, u32 count, u32 order, u32 vocab)
{
    struct w_count_image image;
    struct w_counts *counts;
    struct w_err err = {0};

    learn(&image, ids, count, order, vocab, 2);
    assert_int_equal(w_counts_open(&counts, &image, &err), W_DONE);
    return counts;
}

static void assert_near(double got, double expected)
{
    if (fabs(got - expected) > 1e-11 * fabs(expected))
        fail_msg("%.17g, expected %.17g", got, expected);
}

static struct w_team *team_of(u32 threads)
{
    struct w_team *team;
    assert_int_equal(w_team_new(&team, threads, NULL), W_DONE);
    return team;
}

static void check_features(const u8 *ctx, u32 order, const u32 *totals, const u32 *followers)
{
    for (u32 n = 2; n <= 5; n++) {
        u32 known = 0, rate = 0;
        if (n <= order && totals[n]) {
            known = (u32)fmin(255, 12 * log2(1 + (double)totals[n]));
            rate = (u32)(255 * (double)followers[n] / totals[n]);
        }
        assert_int_equal(ctx[(n - 2) * 2], known);
        assert_int_equal(ctx[(n - 2) * 2 + 1], rate);
    }
}

/* Every position of the text that was counted, and of another one. */
static void probabilities_are_those_of_the_definition(void **state)
{
    (void)state;
    static u32 ids[TOKENS], other[OTHER];
    const u32 *texts[] = {ids};
    const u32 lengths[] = {TOKENS};
    u32 totals[W_COUNT_ORDER_MAX + 1], followers[W_COUNT_ORDER_MAX + 1];
    struct w_count_walk walk[TOKENS];

    for (u32 order = 2; order <= W_COUNT_ORDER_MAX; order++)
        for (u32 vocab = VOCAB; vocab < 1000000; vocab *= 20000) { /* ids of 2 bytes and of 4 */
            reference_text(ids, TOKENS, vocab, (vocab - 1) / 30, order);
            reference_text(other, OTHER, vocab, (vocab - 1) / 30, 100 + order);
            struct w_counts *counts = counts_of(ids, TOKENS, order, vocab);
            const struct w_count_facts *facts = w_counts_facts(counts);
            reference_count(&reference, order, vocab, texts, lengths, 1, 0, 0);
            assert_int_equal(facts->id_bytes, vocab > 65536 ? 4 : 2);
            for (u32 n = 1; n <= order; n++) {
                assert_int_equal(facts->grams[n], reference.count[n]);
                assert_memory_equal(facts->discount[n], reference.discount[n],
                                    sizeof reference.discount[n]);
            }
            w_counts_walk(counts, ids, 0, TOKENS, walk);
            for (u32 i = 0; i < TOKENS; i += i < 20 ? 1 : 7)
                assert_near(w_count_p(counts, facts->discount, &walk[i]),
                            reference_p(&reference, reference.discount, ids, i, totals, followers));
            w_counts_walk(counts, other, 0, OTHER, walk);
            for (u32 i = 0; i < OTHER; i++)
                assert_near(
                    w_count_p(counts, facts->discount, &walk[i]),
                    reference_p(&reference, reference.discount, other, i, totals, followers));
            w_counts_free(counts);
        }
}

/* Contexts whose sums are kept in a table, and counts above 254. */
static void many_followers_and_large_counts_are_counted(void **state)
{
    (void)state;
    static u32 ids[TOKENS];
    const u32 *texts[] = {ids};
    const u32 lengths[] = {TOKENS};
    u32 totals[W_COUNT_ORDER_MAX + 1], followers[W_COUNT_ORDER_MAX + 1];
    struct w_count_walk walk[TOKENS];
    struct w_rng rng = {.seed = 8};

    for (u32 i = 0; i < TOKENS; i++)
        ids[i] = i < 400 ? 7 : i % 2 ? i % 3 : (u32)w_rng_below(&rng, 120);
    struct w_counts *counts = counts_of(ids, TOKENS, 3, 200);
    reference_count(&reference, 3, 200, texts, lengths, 1, 0, 0);
    w_counts_walk(counts, ids, 0, TOKENS, walk);
    for (u32 i = 0; i < TOKENS; i++)
        assert_near(w_count_p(counts, w_counts_facts(counts)->discount, &walk[i]),
                    reference_p(&reference, reference.discount, ids, i, totals, followers));
    assert_true(walk[399].node[2].count > 254);
    reference_p(&reference, reference.discount, ids, TOKENS - 2, totals, followers);
    assert_true(followers[2] > 60);
    w_counts_free(counts);
}

/* The arrays are the same bytes for any number of threads, and the keys may have 64 or 128 bits. */
static void counts_do_not_depend_on_threads(void **state)
{
    (void)state;
    static u32 ids[TOKENS * 100];

    reference_text(ids, W_COUNTOF(ids), 3000, 70, 5);
    for (u32 order = 2; order <= W_COUNT_ORDER_MAX; order++) {
        struct w_count_image one, three;
        learn(&one, ids, W_COUNTOF(ids), order, 3000, 1);
        learn(&three, ids, W_COUNTOF(ids), order, 3000, 3);
        assert_memory_equal(one.spectrum, three.spectrum, sizeof one.spectrum);
        assert_memory_equal(one.unigrams, three.unigrams, 3000 * sizeof *one.unigrams);
        for (u32 n = 2; n <= order; n++)
            for (u32 a = 0; a < W_COUNT_ARRAYS; a++) {
                assert_int_equal(one.part[n][a].size, three.part[n][a].size);
                if (one.part[n][a].size)
                    assert_memory_equal(one.part[n][a].at, three.part[n][a].at,
                                        one.part[n][a].size);
            }
        w_count_image_release(&one);
        w_count_image_release(&three);
    }
}

/* Leave out every document of a text, on one thread and on two: as counting all other positions
 * again, discounts and all. */
static void check_left_out(const u32 *ids, u32 count, u32 order, u32 vocab, u32 eot)
{
    static float lp[TOKENS], lp_one[TOKENS];
    static u8 ctx[TOKENS][W_COUNT_FEATURES], ctx_one[TOKENS][W_COUNT_FEATURES];
    u32 totals[W_COUNT_ORDER_MAX + 1], followers[W_COUNT_ORDER_MAX + 1];
    u64 spectrum[W_COUNT_ORDER_MAX + 1][W_COUNT_SPECTRUM];
    u64 ends[TOKENS], documents = 0;
    struct w_err err = {0};

    for (u32 i = 0; i < count; i++)
        if (ids[i] == eot || i == count - 1)
            ends[documents++] = i + 1;
    const struct w_count_leave_out text = {ids, count, ends, documents, order, vocab};
    memset(ctx, 9, sizeof ctx); /* nothing may be left as it was */
    memset(ctx_one, 9, sizeof ctx_one);
    struct w_team *two = team_of(2), *one = team_of(1);
    assert_int_equal(
        w_count_leave_out(&text, one, &(struct w_count_said){lp_one, ctx_one[0]}, spectrum, &err),
        W_DONE);
    assert_int_equal(
        w_count_leave_out(&text, two, &(struct w_count_said){lp, ctx[0]}, spectrum, &err), W_DONE);
    assert_memory_equal(lp, lp_one, count * sizeof *lp);
    assert_memory_equal(ctx, ctx_one, count * sizeof *ctx);
    struct w_counts *counts = counts_of(ids, count, order, vocab);
    assert_memory_equal(spectrum, w_counts_facts(counts)->spectrum, sizeof spectrum);
    w_counts_free(counts);
    for (u64 d = 0, begin = 0; d < documents; begin = ends[d++]) {
        reference_count(&reference, order, vocab, &ids, &count, 1, (u32)begin, (u32)ends[d]);
        for (u64 i = begin; i < ends[d]; i++) {
            double p = reference_p(&reference, reference.discount, ids, (u32)i, totals, followers);
            assert_true(lp[i] <= 0 && fabs(lp[i] - log(p)) < 1e-6 * fabs(log(p)) + 2e-7);
            check_features(ctx[i], order, totals, followers);
        }
    }
    w_team_free(one);
    w_team_free(two);
}

/* Ids of 2 bytes and of 4, keys of 64 bits and of 128. */
static void a_document_is_left_out_exactly(void **state)
{
    (void)state;
    static u32 ids[TOKENS];

    for (u32 order = 2; order <= W_COUNT_ORDER_MAX; order++) {
        const u32 vocab = order % 2 ? VOCAB : 80000;
        reference_text(ids, TOKENS, vocab, (vocab - 1) / 30, 7 * order);
        check_left_out(ids, TOKENS, order, vocab, vocab - 1);
        check_left_out(ids, TOKENS, order, vocab, vocab); /* one document: nothing is left */
    }
}

/* What is said of a text is the same bytes, however threads share its groups. */
static void leaving_out_does_not_depend_on_threads(void **state)
{
    (void)state;
    enum { MANY = TOKENS * 100 };
    static u32 ids[MANY];
    static float lp[2][MANY];
    static u8 ctx[2][MANY][W_COUNT_FEATURES];
    u64 ends[MANY / 1000], spectrum[2][W_COUNT_ORDER_MAX + 1][W_COUNT_SPECTRUM];
    struct w_err err = {0};

    reference_text(ids, MANY, 3000, 70, 5);
    for (u32 d = 0; d < W_COUNTOF(ends); d++)
        ends[d] = (d + 1) * 1000;
    const struct w_count_leave_out text = {ids, MANY, ends, W_COUNTOF(ends), 5, 3000};
    for (u32 k = 0; k < 2; k++) {
        struct w_team *team = team_of(1 + 2 * k);
        assert_int_equal(w_count_leave_out(&text, team, &(struct w_count_said){lp[k], ctx[k][0]},
                                           spectrum[k], &err),
                         W_DONE);
        w_team_free(team);
    }
    assert_memory_equal(spectrum[0], spectrum[1], sizeof spectrum[0]);
    assert_memory_equal(lp[0], lp[1], sizeof lp[0]);
    assert_memory_equal(ctx[0], ctx[1], sizeof ctx[0]);
}

/* Fewer tokens than the text is cut into parts, and documents of one token. */
static void a_document_of_a_short_text_is_left_out(void **state)
{
    (void)state;
    static const u32 ids[] = {3, 3, 1, 4, 4, 4, 3, 3, 1, 4, 2, 4, 3, 3, 1, 2, 4, 3, 3, 1};

    for (u32 count = 1; count <= W_COUNTOF(ids); count++)
        for (u32 order = 2; order <= W_COUNT_ORDER_MAX; order++)
            check_left_out(ids, count, order, 5, 4);
}

/* Each token from the counted text and all tokens before it, with the discounts of the counts. */
static void counting_on_is_counting_more_text(void **state)
{
    (void)state;
    static u32 ids[TOKENS], other[OTHER];
    static float lp[OTHER];
    static u8 ctx[OTHER][W_COUNT_FEATURES];
    static double discount[W_COUNT_ORDER_MAX + 1][4];
    const u32 *texts[] = {ids, other};
    u32 totals[W_COUNT_ORDER_MAX + 1], followers[W_COUNT_ORDER_MAX + 1];
    struct w_count_delta *delta;
    struct w_err err = {0};

    reference_text(ids, TOKENS, VOCAB, 1, 3);
    reference_text(other, OTHER, VOCAB, 1, 4);
    other[60] = other[80] = 33; /* new contexts */
    struct w_counts *counts = counts_of(ids, TOKENS, 4, VOCAB);
    memcpy(discount, w_counts_facts(counts)->discount, sizeof discount);
    assert_int_equal(w_count_delta_new(&delta, counts, &err), W_DONE);
    for (u32 from = 0; from < OTHER; from += OTHER / 2) { /* in two parts */
        const struct w_count_text text = {other, from, OTHER / 2};
        assert_int_equal(w_count_score_on(counts, delta, &text,
                                          &(struct w_count_said){lp + from, ctx[from]}, &err),
                         W_DONE);
    }
    for (u32 i = 0; i < OTHER; i++) {
        reference_count(&reference, 4, VOCAB, texts, (u32[]){TOKENS, i}, 2, 0, 0);
        double p = reference_p(&reference, discount, other, i, totals, followers);
        assert_true(fabs(lp[i] - log(p)) < 1e-6 * fabs(log(p)));
        check_features(ctx[i], 4, totals, followers);
    }
    w_count_delta_free(delta);
    w_counts_free(counts);
}

/* The probabilities of all tokens: those of one at a time, and 1 together; with a delta, too. */
static void a_distribution_is_all_tokens_at_once(void **state)
{
    (void)state;
    static u32 ids[TOKENS], other[OTHER];
    static float lp[OTHER];
    double p[VOCAB];
    struct w_count_delta *delta;
    struct w_count_walk walk;
    struct w_err err = {0};

    reference_text(ids, TOKENS, VOCAB, 1, 13);
    reference_text(other, OTHER, VOCAB, 1, 14);
    struct w_counts *counts = counts_of(ids, TOKENS, 5, VOCAB);
    assert_int_equal(w_count_delta_new(&delta, counts, &err), W_DONE);
    for (u32 turn = 0; turn < 2; turn++) {
        for (u32 at = 0; at < OTHER; at++) {
            const u32 token = other[at];
            double sum = 0;
            w_count_distribution(counts, turn ? delta : NULL, other, at, p, NULL);
            for (u32 word = 0; word < VOCAB; word++) {
                other[at] = word;
                w_counts_walk(counts, other, at, 1, &walk);
                if (turn)
                    w_count_delta_walk(delta, other, at, &walk);
                assert_near(p[word], w_count_p(counts, w_counts_facts(counts)->discount, &walk));
                sum += p[word];
            }
            assert_true(fabs(sum - 1) < 1e-12);
            other[at] = token;
        }
        const struct w_count_text text = {other, 0, OTHER};
        assert_int_equal(
            w_count_score_on(counts, delta, &text, &(struct w_count_said){lp, NULL}, &err), W_DONE);
    }
    w_count_delta_free(delta);
    w_counts_free(counts);
}

/* Pruned by count: the mass of what is left out goes to the shorter context. */
static void pruned_mass_goes_to_the_shorter_context(void **state)
{
    (void)state;
    static u32 ids[TOKENS], other[OTHER];
    const u32 *texts[] = {ids};
    const u32 lengths[] = {TOKENS};
    const struct w_count_prune wanted = {.min_count = {0, 0, 2, 1, 3, 2}};
    u32 totals[W_COUNT_ORDER_MAX + 1], followers[W_COUNT_ORDER_MAX + 1];
    struct w_count_walk walk[OTHER];
    struct w_count_image image, again;
    struct w_err err = {0};

    reference_text(ids, TOKENS, VOCAB, 1, 31);
    reference_text(other, OTHER, VOCAB, 1, 32);
    struct w_counts *whole = counts_of(ids, TOKENS, 5, VOCAB), *counts;
    struct w_team *one = team_of(1), *two = team_of(2);
    assert_int_equal(w_counts_prune(whole, two, &wanted, &image, &err), W_DONE);
    assert_int_equal(w_counts_prune(whole, one, &wanted, &again, &err), W_DONE);
    assert_int_equal(w_count_image_bytes(&image), w_count_image_bytes(&again));
    w_count_image_release(&again);
    assert_int_equal(w_counts_open(&counts, &image, &err), W_DONE);
    reference_count(&reference, 5, VOCAB, texts, lengths, 1, 0, 0);
    memcpy(reference.min_count, wanted.min_count, sizeof reference.min_count);
    w_counts_walk(counts, other, 0, OTHER, walk);
    for (u32 i = 0; i < OTHER; i++)
        assert_near(w_count_p(counts, w_counts_facts(counts)->discount, &walk[i]),
                    reference_p(&reference, reference.discount, other, i, totals, followers));
    memset(reference.min_count, 0, sizeof reference.min_count);
    assert_int_equal(w_counts_prune(counts, one, &wanted, &again, &err), W_MISMATCH);
    w_counts_free(whole);
    w_counts_free(counts);
    w_team_free(one);
    w_team_free(two);
}

/* Any size: no more than was asked for, less where less was, and probabilities that sum to 1. */
static void a_size_is_kept(void **state)
{
    (void)state;
    static u32 ids[TOKENS * 4];
    double p[VOCAB];
    struct w_count_image image;
    struct w_err err = {0};
    u64 before = UINT64_MAX;

    reference_text(ids, W_COUNTOF(ids), VOCAB, 1, 33);
    struct w_counts *whole = counts_of(ids, W_COUNTOF(ids), 5, VOCAB);
    struct w_team *team = team_of(2);
    for (u64 bytes = 40000; bytes > 1000; bytes = bytes * 3 / 4) {
        struct w_counts *counts;
        assert_int_equal(
            w_counts_prune(whole, team, &(struct w_count_prune){.bytes = bytes}, &image, &err),
            W_DONE);
        const u64 got = w_count_image_bytes(&image);
        assert_true(got <= bytes && got <= before && got > bytes / 3);
        before = got;
        assert_int_equal(w_counts_open(&counts, &image, &err), W_DONE);
        for (u32 at = 0; at < W_COUNTOF(ids); at += 97) {
            double sum = 0;
            w_count_distribution(counts, NULL, ids, at, p, NULL);
            for (u32 word = 0; word < VOCAB; word++)
                sum += p[word];
            assert_true(fabs(sum - 1) < 1e-12);
        }
        w_counts_free(counts);
    }
    assert_int_equal(
        w_counts_prune(whole, team, &(struct w_count_prune){.bytes = 100}, &image, &err), W_LIMIT);
    w_count_image_release(&image);
    w_counts_free(whole);
    w_team_free(team);
}

static void what_cannot_be_counted_is_refused(void **state)
{
    (void)state;
    static u32 ids[10];
    struct w_count_image image;
    struct w_count_learn_options options = {.order = 7, .vocab = 10, .threads = 1};
    struct w_err err = {0};

    assert_int_equal(w_count_learn(&image, ids, 10, &options, &err), W_USAGE);
    options.order = 1;
    assert_int_equal(w_count_learn(&image, ids, 10, &options, &err), W_USAGE);
    options.order = 2;
    assert_int_equal(w_count_learn(&image, ids, 0, &options, &err), W_CORRUPT);
    options.vocab = W_COUNT_VOCAB_MAX + 1;
    assert_int_equal(w_count_learn(&image, ids, 10, &options, &err), W_USAGE);
}

/* The shortest texts: one token, two. */
static void the_shortest_texts_have_counts(void **state)
{
    (void)state;
    const u32 ids[] = {3, 3, 1};
    const u32 *texts[] = {ids};
    u32 totals[W_COUNT_ORDER_MAX + 1], followers[W_COUNT_ORDER_MAX + 1];
    struct w_count_walk walk[3];

    for (u32 count = 1; count <= 3; count++)
        for (u32 order = 2; order <= W_COUNT_ORDER_MAX; order++) {
            struct w_counts *counts = counts_of(ids, count, order, 5);
            reference_count(&reference, order, 5, texts, &count, 1, 0, 0);
            w_counts_walk(counts, ids, 0, 3, walk);
            for (u32 i = 0; i < 3; i++)
                assert_near(w_count_p(counts, w_counts_facts(counts)->discount, &walk[i]),
                            reference_p(&reference, reference.discount, ids, i, totals, followers));
            w_counts_free(counts);
        }
}

static void a_file_gives_back_the_counts(void **state)
{
    (void)state;
    static u32 ids[TOKENS * 20];
    char path[64];
    struct w_count_image image, read;
    struct w_header header;
    struct w_err err = {0};

    reference_text(ids, W_COUNTOF(ids), 300, 7, 21);
    learn(&image, ids, W_COUNTOF(ids), 4, 300, 2);
    assert_true(image.part[4][W_GRAM_COUNT_LARGE].size > 0);
    struct w_output out = {.fd = memfd_create("counts", 0), .name = "memory"};
    assert_int_equal(
        w_count_image_write(&image, &out, &(struct w_count_write){.by = "test 1"}, &err), W_DONE);
    snprintf(path, sizeof path, "/proc/self/fd/%d", out.fd);
    assert_int_equal(w_count_image_read(&read, &header, path, &err), W_DONE);
    assert_int_equal(read.tokens, image.tokens);
    assert_int_equal(read.eot, 299);
    assert_memory_equal(read.spectrum, image.spectrum, sizeof read.spectrum);
    assert_memory_equal(read.unigrams, image.unigrams, 300 * sizeof *read.unigrams);
    for (u32 n = 2; n <= 4; n++)
        for (u32 a = 0; a < W_COUNT_ARRAYS; a++) {
            assert_int_equal(read.part[n][a].size, image.part[n][a].size);
            if (read.part[n][a].size)
                assert_memory_equal(read.part[n][a].at, image.part[n][a].at, read.part[n][a].size);
        }
    w_header_free(&header);
    w_count_image_release(&read);
    assert_int_equal(w_count_facts_read(&read, &header, path, &err), W_DONE);
    assert_int_equal(read.order, 4);
    assert_int_equal(read.tokens, image.tokens);
    assert_memory_equal(read.spectrum, image.spectrum, sizeof read.spectrum);
    assert_null(read.unigrams);
    w_header_free(&header);
    w_count_image_release(&image);
    w_count_image_release(&read);
    close(out.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_are_those_of_the_definition),
        cmocka_unit_test(many_followers_and_large_counts_are_counted),
        cmocka_unit_test(counts_do_not_depend_on_threads),
        cmocka_unit_test(a_document_is_left_out_exactly),
        cmocka_unit_test(leaving_out_does_not_depend_on_threads),
        cmocka_unit_test(a_document_of_a_short_text_is_left_out),
        cmocka_unit_test(counting_on_is_counting_more_text),
        cmocka_unit_test(a_distribution_is_all_tokens_at_once),
        cmocka_unit_test(pruned_mass_goes_to_the_shorter_context),
        cmocka_unit_test(a_size_is_kept),
        cmocka_unit_test(what_cannot_be_counted_is_refused),
        cmocka_unit_test(the_shortest_texts_have_counts),
        cmocka_unit_test(a_file_gives_back_the_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
