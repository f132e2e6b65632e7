/* The seconds of a step's parts: each part has its own, and together they are not more than the step. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "model_fixture.h"
#include "sys/clock.h"

static void every_part_of_a_step_is_timed(void **state)
{
    (void)state;
    static const struct shape shape = {128, 2, 2, 512, 500, 4, 64};
    struct w_conf conf = conf_of(&shape);
    const struct w_kern *kern;
    const struct w_part_time *times;
    struct w_err err;
    double gradient_s[16], sum = 0;

    assert_int_equal(w_kern_choose(&kern, NULL, &err), W_DONE);
    struct run run = start(&conf, W_PLAN_TRAIN, 1, W_TYPE_F32, kern);
    w_model_gradient(run.model, run.ids, 1);
    w_model_times_reset(run.model);
    double begin = w_now_s();
    w_model_gradient(run.model, run.ids, 1);
    u32 count = w_model_times(run.model, &times), updated = 0;
    assert_in_range(count, 2, W_COUNTOF(gradient_s));
    for (u32 i = 0; i < count; i++)
        gradient_s[i] = times[i].seconds;
    w_model_update(run.model, 1, 1e-3);
    double whole = w_now_s() - begin;
    w_model_times(run.model, &times);
    for (u32 i = 0; i < count; i++) {
        assert_true(times[i].seconds > 0);
        sum += times[i].seconds;
        updated += times[i].seconds != gradient_s[i]; /* one part is the update */
        for (u32 k = 0; k < i; k++)
            assert_string_not_equal(times[i].name, times[k].name);
    }
    assert_int_equal(updated, 1);
    assert_true(sum <= whole);
    w_model_times_reset(run.model);
    for (u32 i = 0; i < count; i++)
        assert_true(times[i].seconds == 0);
    finish(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_of_a_step_is_timed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
