/* Statistics of samples: spread, quantiles, costs, and which shapes are measured again. Needs no
 * clock. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/calibration.h"

static void samples_that_differ_are_noisy(void **state)
{
    (void)state;
    double calm[] = {1.02, 1, 1.01, 1.03}, wild[] = {1, 3, 1.1, 2};
    assert_false(w_probe_of(calm, 4).noisy);
    struct w_probe p = w_probe_of(wild, 4);
    assert_true(p.noisy && p.seconds > 1 && p.seconds < 1.1); /* disturbances only add */
    assert_true(isnan(w_quantile(calm, 0, 0.5)));
    assert_true(w_quantile(calm, 4, 1) == 1.03 && w_quantile(calm, 4, 0) == 1);
}

/* Costs from which times follow, from which the costs follow. */
static void times_give_the_costs_they_were_made_of(void **state)
{
    (void)state;
    const double tokens = 1024, units = 3e6, token_s = 2e-12, call_s = 5e-10;
    struct w_probe all = {.seconds = units * (call_s + tokens * token_s), .spread = 0.07};
    struct w_probe quarter = {.seconds = units * (call_s + tokens / 4 * token_s)};

    for (enum w_phase phase = 0; phase < W_PHASES; phase++) {
        struct w_phase_cost cost = w_phase_cost_of(phase, all, quarter, tokens, units);
        const bool update = phase == W_PHASE_UPDATE;
        assert_true(fabs(cost.token_s - (update ? 0 : token_s)) < 1e-9 * token_s);
        assert_true(fabs(cost.call_s - (update ? all.seconds / units : call_s)) < 1e-9 * call_s);
        assert_true(cost.spread == all.spread);
    }
}

/* Whatever noise makes of the smaller time: no cost is negative, and all tokens take theirs. */
static void noise_gives_no_impossible_costs(void **state)
{
    (void)state;
    const double tokens = 512, units = 10;
    const struct w_probe all = {.seconds = 0.1};

    for (double part = 0; part < 1.5; part += 0.01) {
        const struct w_probe quarter = {.seconds = part * all.seconds};
        struct w_phase_cost cost = w_phase_cost_of(W_PHASE_LINEAR, all, quarter, tokens, units);
        assert_true(cost.token_s > 0 && cost.call_s >= 0);
        assert_true(fabs(units * (cost.call_s + tokens * cost.token_s) - all.seconds) < 1e-12);
    }
}

/* ---- slow shapes ---- */

static const enum w_phase gemms[] = {W_PHASE_LINEAR, W_PHASE_LINEAR_BACK, W_PHASE_HEAD};

/* Shapes differ in one of the three phases, so that each of these counts. */
static struct w_step_probe shape_that_takes(u32 width, double seconds)
{
    struct w_step_probe p = {.shape.d_model = width};

    for (size_t i = 0; i < W_COUNTOF(gemms); i++)
        p.phases[gemms[i]].token_s = 0.3;
    p.phases[gemms[width == 1 ? 1 : width >= 5 ? 2 : 0]].token_s = seconds - 0.6;
    p.phases[W_PHASE_NORM].token_s = 100 - seconds; /* no GEMM */
    return p;
}

static double gemm_s(const struct w_step_probe *p)
{
    double sum = 0;

    for (size_t i = 0; i < W_COUNTOF(gemms); i++)
        sum += p->phases[gemms[i]].token_s;
    return sum;
}

struct repeated {
    u32 widths[8], count;
    u32 enough; /* repetitions for which there is time */
    double seconds;
    enum w_status status;
};

static enum w_status take_again(void *context, const struct w_step_probe *slow,
                                struct w_step_probe *again, struct w_err *err)
{
    struct repeated *r = context;

    (void)err;
    if (r->count == r->enough)
        return r->status;
    r->widths[r->count++] = slow->shape.d_model;
    *again = shape_that_takes(slow->shape.d_model, r->seconds);
    return W_DONE;
}

/* The usual time is 1.1: slow is what takes 1.43 or more, the second and the sixth. */
static void shapes_that_were_slow_are_repeated(void **state)
{
    (void)state;
    static const double seconds[] = {1, 2, 1.1, 0.9, 1.05, 1.44, 1.42};
    static const struct {
        double again;              /* what a slow shape takes then */
        u32 enough;                /* repetitions for which there is time */
        enum w_status end, result; /* what run() returns then */
        u32 count;                 /* repetitions that are made */
        double second, sixth;      /* times afterwards: the faster ones */
    } rows[] = {
        {1.2, 8, W_END, W_DONE, 2, 1.2, 1.2},  {1.5, 8, W_END, W_DONE, 2, 1.5, 1.44},
        {1.2, 1, W_END, W_DONE, 1, 1.2, 1.44}, {1.2, 0, W_END, W_DONE, 0, 2, 1.44},
        {1.2, 1, W_IO, W_IO, 1, 1.2, 1.44},
    };

    for (size_t i = 0; i < W_COUNTOF(rows); i++) {
        struct w_step_probe probes[W_COUNTOF(seconds)];
        struct repeated r = {
            .seconds = rows[i].again, .enough = rows[i].enough, .status = rows[i].end};
        for (u32 k = 0; k < W_COUNTOF(seconds); k++)
            probes[k] = shape_that_takes(k, seconds[k]);
        assert_int_equal(w_calibration_repeat(probes, W_COUNTOF(probes), take_again, &r, NULL),
                         rows[i].result);
        assert_int_equal(r.count, rows[i].count);
        for (u32 k = 0; k < r.count; k++)
            assert_int_equal(r.widths[k], k == 0 ? 1 : 5);
        for (u32 k = 0; k < W_COUNTOF(seconds); k++) {
            double after = k == 1 ? rows[i].second : k == 5 ? rows[i].sixth : seconds[k];
            assert_true(fabs(gemm_s(&probes[k]) - after) < 1e-12);
            assert_int_equal(probes[k].shape.d_model, k);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_that_differ_are_noisy),
        cmocka_unit_test(times_give_the_costs_they_were_made_of),
        cmocka_unit_test(noise_gives_no_impossible_costs),
        cmocka_unit_test(shapes_that_were_slow_are_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
