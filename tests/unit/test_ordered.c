/* Jobs on threads come back in the order in which they were given, each done once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sys/clock.h"
#include "sys/ordered.h"

struct ring {
    u64 jobs[64], results[64];
    u32 threads;
    bool member_is_wrong;
};

static void work(void *context, u32 slot, u32 member)
{
    struct ring *ring = context;
    u64 job = ring->jobs[slot];
    if (job % 7 == 0)
        w_sleep_s(0.0002); /* let others overtake */
    ring->results[slot] = job * job;
    if (member >= ring->threads)
        ring->member_is_wrong = true;
}

static void results_come_in_order(void **state)
{
    (void)state;
    for (u32 threads = 1; threads <= 8; threads++) {
        struct ring ring = {.threads = threads};
        struct w_ordered *o = NULL;
        u64 given = 0, taken = 0;
        u32 slot;
        assert_int_equal(w_ordered_new(&o, threads, work, &ring, NULL), W_DONE);
        assert_false(w_ordered_take(o, &slot));
        for (;;) {
            while (given < 1000 && w_ordered_next(o, &slot)) {
                assert_true(slot < w_ordered_slots(threads));
                ring.jobs[slot] = given++;
                w_ordered_submit(o);
            }
            if (!w_ordered_take(o, &slot))
                break;
            assert_int_equal(ring.results[slot], taken * taken);
            taken++;
            w_ordered_release(o);
        }
        assert_int_equal(taken, 1000);
        assert_false(ring.member_is_wrong);
        w_ordered_free(o);
    }
}

static void jobs_may_be_left_behind(void **state)
{
    (void)state;
    struct ring ring = {.threads = 4};
    struct w_ordered *o = NULL;
    u32 slot;
    assert_int_equal(w_ordered_new(&o, 4, work, &ring, NULL), W_DONE);
    while (w_ordered_next(o, &slot))
        w_ordered_submit(o);
    w_ordered_free(o);
    w_ordered_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_come_in_order),
        cmocka_unit_test(jobs_may_be_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
