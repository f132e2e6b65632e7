/* The seconds of a step's phases: every phase has some, and their sum is not more than the step. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "model_fixture.h"
#include "sys/clock.h"

static void every_phase_of_a_step_is_timed(void **state)
{
    (void)state;
    static const struct shape shape = {128, 2, 2, 512, 500, 4, 64};
    struct w_conf conf = conf_of(&shape);
    const struct w_kern *kern;
    conf.optimizer = W_OPTIMIZER_MUON;
    struct w_err err;
    double gradient_s[W_PHASES], sum = 0;
    u32 updated = 0;

    assert_int_equal(w_kern_choose(&kern, NULL, &err), W_DONE);
    struct run run = start(&conf, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    w_model_gradient(run.model, &run.batch, 1);
    w_model_seconds_reset(run.model);
    double begin = w_now_s();
    w_model_gradient(run.model, &run.batch, 1);
    const double *seconds = w_model_seconds(run.model);
    memcpy(gradient_s, seconds, sizeof gradient_s);
    w_model_update(run.model, 1, 1e-3);
    double whole = w_now_s() - begin;
    for (u32 i = 0; i < W_PHASES; i++) {
        assert_true(seconds[i] > 0);
        sum += seconds[i];
        updated += seconds[i] != gradient_s[i]; /* two phases are of the update */
        for (u32 k = 0; k < i; k++) {
            assert_string_not_equal(w_phases[i].key, w_phases[k].key);
            assert_string_not_equal(w_phases[i].title, w_phases[k].title);
        }
    }
    assert_int_equal(updated, 2);
    assert_true(sum <= whole);
    w_model_seconds_reset(run.model);
    for (u32 i = 0; i < W_PHASES; i++)
        assert_true(seconds[i] == 0);
    finish(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_phase_of_a_step_is_timed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
