/* The learning rate of each step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
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
                          .cooldown = 1,
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
    struct w_conf conf = {.learning_rate = 1, .schedule = W_SCHEDULE_COSINE, .cooldown = 1};
    expect(w_schedule_rate(&conf, 7, 0), 1);
    expect(w_schedule_rate(&conf, 70, 0.5), 0.5);
    expect(w_schedule_rate(&conf, 700, 1.5), 0);
}

static void lines_and_square_roots_end_at_zero(void **state)
{
    (void)state;
    struct w_conf conf = {.learning_rate = 2,
                          .schedule = W_SCHEDULE_LINEAR,
                          .cooldown = 1,
                          .steps = 110,
                          .warmup_steps = 10};
    expect(w_schedule_rate(&conf, 10, 0), 2);
    expect(w_schedule_rate(&conf, 35, 0), 1.5);
    expect(w_schedule_rate(&conf, 110, 0), 0);
    conf.schedule = W_SCHEDULE_SQRT;
    expect(w_schedule_rate(&conf, 35, 0), 1);
    expect(w_schedule_rate(&conf, 46, 0), 0.8);
    expect(w_schedule_rate(&conf, 110, 0), 0);
    conf.min_lr_ratio = 0.25;
    expect(w_schedule_rate(&conf, 35, 0), 1.25);
    expect(w_schedule_rate(&conf, 110, 0), 0.5);
}

static void a_cooldown_is_the_last_part_of_the_run(void **state)
{
    (void)state;
    static const u32 falling[] = {W_SCHEDULE_COSINE, W_SCHEDULE_LINEAR, W_SCHEDULE_SQRT};
    for (u32 i = 0; i < W_COUNTOF(falling); i++) {
        struct w_conf conf = {.learning_rate = 1,
                              .schedule = falling[i],
                              .cooldown = 0.25,
                              .steps = 110,
                              .warmup_steps = 10};
        expect(w_schedule_rate(&conf, 5, 0), 0.5);
        expect(w_schedule_rate(&conf, 50, 0), 1);
        expect(w_schedule_rate(&conf, 85, 0), 1);
        assert_true(w_schedule_rate(&conf, 86, 0) < 1);
        expect(w_schedule_rate(&conf, 110, 0), 0);
        conf.steps = 0;
        expect(w_schedule_rate(&conf, 50, 0.75), 1);
        expect(w_schedule_rate(&conf, 50, 0.875),
               falling[i] == W_SCHEDULE_SQRT ? 1 - sqrt(0.5) : 0.5);
        expect(w_schedule_rate(&conf, 50, 1), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_is_the_rate_from_the_first_step),
        cmocka_unit_test(warm_up_is_a_straight_line),
        cmocka_unit_test(cosine_ends_at_its_floor_and_stays),
        cmocka_unit_test(cosine_follows_time_where_steps_are_not_known),
        cmocka_unit_test(lines_and_square_roots_end_at_zero),
        cmocka_unit_test(a_cooldown_is_the_last_part_of_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
