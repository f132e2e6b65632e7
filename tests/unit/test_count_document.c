/* What a document repeats, beside the formula of count_document.h over the text itself. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "count/count_document.h"
#include "count/count_documents.h"

enum { VOCAB = 12, EOT = VOCAB - 1, TOKENS = 3000 };

/* Documents of 1 to 200 tokens, each with its own few favourites. */
static void make_text(u32 *ids, u32 count)
{
    u32 state = 7, left = 0, favourite = 0;

    for (u32 i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        if (left == 0) {
            left = 1 + (state >> 16) % 200;
            favourite = (state >> 8) % EOT;
        }
        ids[i] = --left == 0         ? EOT
                 : (state >> 20) % 3 ? (favourite + (state >> 24) % 4) % EOT
                                     : (state >> 24) % EOT;
    }
}

/* p of a token after ids[from] to ids[at - 1], all of one document, by counting through them. */
static double by_the_formula(const u32 *ids, u32 from, u32 at, u32 id, double p)
{
    for (u32 n = 0; n <= W_COUNT_DOCUMENT_DEPTH && n <= at - from; n++) {
        u32 after[VOCAB] = {0}, total = 0, different = 0;
        for (u32 i = from + n; i < at; i++)
            if (!memcmp(ids + i - n, ids + at - n, n * sizeof *ids)) {
                different += after[ids[i]]++ == 0;
                total++;
            }
        if (total) {
            const double ratio = (double)different / total;
            const double w = w_count_document_weights[n] / (1 + 9 * ratio * ratio);
            p = (1 - w) * p + w * after[id] / total;
        }
    }
    return p;
}

static double other(u32 id) /* probabilities by other means: they sum to 1 */
{
    return (id + 1) * 2.0 / (VOCAB * (VOCAB + 1));
}

static struct w_count_document *new_document(void)
{
    struct w_count_document *d;

    assert_int_equal(w_count_document_new(&d, EOT, NULL), W_DONE);
    return d;
}

static void follows_the_formula(void **state)
{
    (void)state;
    static u32 ids[TOKENS];
    struct w_count_document *d = new_document();
    double p[VOCAB];
    u32 from = 0;

    make_text(ids, TOKENS);
    for (u32 at = 0; at < TOKENS; at++) {
        double sum = 0, next = other(ids[at]);
        for (u32 id = 0; id < VOCAB; id++)
            p[id] = other(id);
        w_count_document_mix(d, p, VOCAB);
        for (u32 id = 0; id < VOCAB; id++) {
            if (fabs(p[id] - by_the_formula(ids, from, at, id, other(id))) > 1e-14)
                fail_msg("token %u of a document, id %u: %.17g", at - from, id, p[id]);
            sum += p[id];
        }
        assert_true(fabs(sum - 1) < 1e-14);
        assert_int_equal(w_count_document_next(d, ids[at], &next, NULL), W_DONE);
        assert_true(fabs(next - p[ids[at]]) < 1e-14);
        from = ids[at] == EOT ? at + 1 : from;
    }
    w_count_document_free(d);
}

/* What a text is said to be does not depend on threads, nor on the parts in which it comes. */
static void documents_side_by_side(void **state)
{
    (void)state;
    static u32 ids[TOKENS];
    static float one[TOKENS], lp[TOKENS];

    make_text(ids, TOKENS);
    for (u32 threads = 1; threads <= 3; threads++)
        for (u32 part = 1; part <= TOKENS; part = part * 7 + threads) {
            struct w_count_documents *documents;
            struct w_team *team;
            assert_int_equal(w_team_new(&team, threads, NULL), W_DONE);
            assert_int_equal(w_count_documents_new(&documents, EOT, threads, NULL), W_DONE);
            for (u32 i = 0; i < TOKENS; i++)
                lp[i] = (float)log(other(ids[i]));
            for (u64 from = 0; from < TOKENS; from += part) {
                const struct w_count_text text = {ids, from, W_MIN((u64)part, TOKENS - from)};
                assert_int_equal(w_count_documents_say(documents, team, &text, lp + from, NULL),
                                 W_DONE);
            }
            if (threads == 1 && part == 1)
                memcpy(one, lp, sizeof one);
            assert_memory_equal(lp, one, sizeof one);
            w_count_documents_free(documents);
            w_team_free(team);
        }
    for (u32 at = 0, from = 0; at < TOKENS; at++) {
        const double p = by_the_formula(ids, from, at, ids[at], other(ids[at]));
        assert_true(fabs(one[at] - log(p)) < 1e-6);
        from = ids[at] == EOT ? at + 1 : from;
    }
}

static void a_document_without_end_is_forgotten_in_parts(void **state)
{
    (void)state;
    struct w_count_document *d = new_document();
    double p = 0.5;

    for (u32 i = 0; i + 1 < W_COUNT_DOCUMENT_TOKENS; i++)
        assert_int_equal(w_count_document_next(d, 1, NULL, NULL), W_DONE);
    assert_int_equal(w_count_document_next(d, 1, &p, NULL), W_DONE);
    assert_true(p > 0.99);
    p = 0.5;
    assert_int_equal(w_count_document_next(d, 1, &p, NULL), W_DONE);
    assert_true(p == 0.5);
    w_count_document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_formula),
        cmocka_unit_test(documents_side_by_side),
        cmocka_unit_test(a_document_without_end_is_forgotten_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
