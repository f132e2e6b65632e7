/* The learning rate of each step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/schedule.h"

static void expect(double got, double want)
{
    double difference = got > want ? got - want : want - got;
    if (difference > 1e-12)
        fail_msg("got %.17g instead of %.17g", got, want);
}

static void constant_is_the_rate_from_the_first_step(void **state)
{
    (void)state;
    struct w_conf conf = {.learning_rate = 1e-4};
    expect(w_schedule_rate(&conf, 1, 0), 1e-4);
    expect(w_schedule_rate(&conf, 1000000, 1), 1e-4);
}

static void warm_up_is_a_straight_line(void **state)
{
    (void)state;
    struct w_conf conf = {.learning_rate = 0.5, .warmup_steps = 10};
    expect(w_schedule_rate(&conf, 1, 0), 0.05);
    expect(w_schedule_rate(&conf, 10, 0), 0.5);
    expect(w_schedule_rate(&conf, 11, 0), 0.5);
}

static void cosine_ends_at_its_floor_and_stays(void **state)
{
    (void)state;
    struct w_conf conf = {.learning_rate = 1,
                          .schedule = W_SCHEDULE_COSINE,
                          .min_lr_ratio = 0.1,
                          .steps = 110,
                          .warmup_steps = 10};
    expect(w_schedule_rate(&conf, 10, 0), 1);
    expect(w_schedule_rate(&conf, 60, 0), 0.55);
    expect(w_schedule_rate(&conf, 110, 0), 0.1);
    expect(w_schedule_rate(&conf, 500, 0), 0.1);
}

static void cosine_follows_time_where_steps_are_not_known(void **state)
{
    (void)state;
    struct w_conf conf = {.learning_rate = 1, .schedule = W_SCHEDULE_COSINE, .min_lr_ratio = 0};
    expect(w_schedule_rate(&conf, 7, 0), 1);
    expect(w_schedule_rate(&conf, 70, 0.5), 0.5);
    expect(w_schedule_rate(&conf, 700, 1.5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_is_the_rate_from_the_first_step),
        cmocka_unit_test(warm_up_is_a_straight_line),
        cmocka_unit_test(cosine_ends_at_its_floor_and_stays),
        cmocka_unit_test(cosine_follows_time_where_steps_are_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
