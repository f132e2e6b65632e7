/* Who updates what: each weight has one owner, and owners have equally much to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "model_fixture.h"
#include "net/deal.h"

#define RANKS 16

static const struct shape large = {256, 4, 4, 1024, 16000, 1, 128};

static struct w_tensors tensors_of(u32 optimizer)
{
    struct w_conf conf = conf_of(&large);
    struct w_tensors tensors;
    struct w_err err;

    conf.optimizer = optimizer;
    assert_int_equal(w_tensors_make(&tensors, &conf, &err), W_DONE);
    return tensors;
}

static struct w_deal deal_of(const struct w_tensors *tensors, const struct w_lazy_rows *lazy,
                             u32 rank, u32 ranks)
{
    struct w_deal deal;
    struct w_err err;

    assert_int_equal(w_deal_make(&deal, tensors, lazy, rank, ranks, &err), W_DONE);
    assert_int_equal(deal.rank, rank);
    return deal;
}

/* From the last weight to the first each is in one span, and w_deal_owner() finds it. */
static void check_cover(const struct w_deal *deal, const struct w_tensors *tensors)
{
    u32 t = tensors->count;
    u64 left = 0; /* of tensor t */

    for (u32 i = 0; i < deal->count; i++) {
        const struct w_deal_span *s = &deal->spans[i];
        const u64 width = s->tensor->count / w_tensor_rows(s->tensor);
        if (left == 0)
            left = tensors->rows[--t].count;
        assert_ptr_equal(s->tensor, &tensors->rows[t]);
        assert_int_equal(s->end, left);
        assert_true(s->begin < s->end);
        assert_int_equal(s->begin % (W_STRIPE_ROWS * width), 0);
        left = s->begin;
        assert_int_equal(w_deal_owner(deal, s->tensor->offset + s->begin), s->owner);
        assert_int_equal(w_deal_owner(deal, s->tensor->offset + s->end - 1), s->owner);
    }
    assert_int_equal(t, 0);
    assert_int_equal(left, 0);
}

/* The largest share of a rank beside the mean one, of what follows a rule. */
static double unfairness(const struct w_deal *deal, const struct w_tensors *tensors, u32 rule,
                         u32 ranks)
{
    double loads[RANKS] = {0}, sum = 0, most = 0;

    for (u32 i = 0; i < deal->count; i++) {
        const struct w_deal_span *s = &deal->spans[i];
        if (s->tensor->rule != rule)
            continue;
        const double cost = tensors->optimizer->rules[rule]->prepare
                                ? tensors->optimizer->rules[rule]->prepare_flops(s->tensor)
                                : (double)(s->end - s->begin);
        assert_true(s->owner < ranks);
        loads[s->owner] += cost;
        sum += cost;
    }
    for (u32 r = 0; r < ranks; r++)
        most = W_MAX(most, loads[r]);
    return most * ranks / sum;
}

static void each_weight_has_an_owner_and_each_owner_as_much(void **state)
{
    (void)state;
    for (u32 optimizer = W_OPTIMIZER_ADAMW; optimizer <= W_OPTIMIZER_MUON; optimizer++) {
        struct w_tensors tensors = tensors_of(optimizer);
        for (u32 ranks = 1; ranks <= RANKS; ranks *= 2) {
            struct w_deal deal = deal_of(&tensors, NULL, ranks - 1, ranks);
            check_cover(&deal, &tensors);
            assert_true(unfairness(&deal, &tensors, 0, ranks) < 1.15);
            /* 16 matrices, of which a few are the most of it */
            if (optimizer == W_OPTIMIZER_MUON && ranks <= 4)
                assert_true(unfairness(&deal, &tensors, 1, ranks) < 1.15);
            w_deal_free(&deal);
        }
        w_tensors_free(&tensors);
    }
}

static void a_matrix_of_muon_has_one_owner(void **state)
{
    struct w_tensors tensors = tensors_of(W_OPTIMIZER_MUON);
    struct w_deal deal = deal_of(&tensors, NULL, 0, 4);

    (void)state;
    for (u32 i = 0; i < deal.count; i++)
        if (deal.spans[i].tensor->parts > 0)
            assert_int_equal(deal.spans[i].end - deal.spans[i].begin, deal.spans[i].tensor->count);
    w_deal_free(&deal);
    w_tensors_free(&tensors);
}

static void lazy_rows_are_for_all(void **state)
{
    struct w_tensors tensors = tensors_of(W_OPTIMIZER_ADAMW);
    const struct w_lazy_rows lazy = {.tensor = w_tensors_find_table(&tensors)};
    struct w_deal deal = deal_of(&tensors, &lazy, 1, 2);

    (void)state;
    check_cover(&deal, &tensors);
    for (u32 i = 0; i < deal.count; i++)
        assert_true((deal.spans[i].owner == W_DEAL_ALL) == (deal.spans[i].tensor == lazy.tensor));
    w_deal_free(&deal);
    w_tensors_free(&tensors);
}

/* More tensors than there is room for exchanges. */
static void too_many_tensors_are_not_dealt_out(void **state)
{
    struct w_tensors tensors = tensors_of(W_OPTIMIZER_ADAMW), many = tensors;
    struct w_deal deal;
    struct w_err err;

    (void)state;
    many.count = W_DEAL_SPANS + 1;
    many.rows = calloc(many.count, sizeof *many.rows);
    for (u32 i = 0; i < many.count; i++)
        many.rows[i] = tensors.rows[i % tensors.count];
    assert_int_equal(w_deal_make(&deal, &many, NULL, 0, 2, &err), W_DONE);
    assert_int_equal(deal.count, 0);
    free(many.rows);
    w_tensors_free(&tensors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_weight_has_an_owner_and_each_owner_as_much),
        cmocka_unit_test(a_matrix_of_muon_has_one_owner),
        cmocka_unit_test(lazy_rows_are_for_all),
        cmocka_unit_test(too_many_tensors_are_not_dealt_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
