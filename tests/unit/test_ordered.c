/* Jobs on threads come back in the order in which they were given, each done once. */
#include <setjmp.h>
#include <signal.h>
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
    bool worker_is_wrong;
};

static void work(void *context, u32 slot, u32 worker)
{
    struct ring *ring = context;
    u64 job = ring->jobs[slot];
    if (job % 7 == 0)
        w_sleep_s(0.0002); /* let others overtake */
    ring->results[slot] = job * job;
    if (worker >= ring->threads)
        ring->worker_is_wrong = true;
}

static void results_come_in_order(void **state)
{
    (void)state;
    for (u32 threads = 1; threads <= 8; threads++) {
        struct ring ring = {.threads = threads};
        struct w_ordered *o = NULL;
        u64 given = 0, taken = 0;
        u32 slot;
        assert_int_equal(w_ordered_new(&o, threads, w_ordered_slots(threads), work, &ring, NULL),
                         W_DONE);
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
            w_ordered_return(o);
        }
        assert_int_equal(taken, 1000);
        assert_false(ring.worker_is_wrong);
        w_ordered_free(o);
    }
}

static void jobs_may_be_left_undone(void **state)
{
    (void)state;
    struct ring ring = {.threads = 4};
    struct w_ordered *o = NULL;
    u32 slot;
    assert_int_equal(w_ordered_new(&o, 4, w_ordered_slots(4), work, &ring, NULL), W_DONE);
    while (w_ordered_next(o, &slot))
        w_ordered_submit(o);
    w_ordered_free(o);
    w_ordered_free(NULL);
}

struct calm {
    u32 order[8], count, worker; /* of the last job */
    bool signals_come;
};

static void note(void *context, u32 slot, u32 worker)
{
    struct calm *calm = context;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (calm->count == 0)
        w_sleep_s(0.05);
    calm->order[calm->count++] = slot;
    calm->worker = worker;
    calm->signals_come = !sigismember(&blocked, SIGTERM);
}

/* As for reading ahead: one worker, which does the jobs in order and gets no signals, and a caller
 * that only polls. */
static void a_poll_does_no_jobs(void **state)
{
    (void)state;
    struct calm calm = {0};
    struct w_ordered *o = NULL;
    u32 slot, again;
    assert_int_equal(w_ordered_new(&o, 2, 8, note, &calm, NULL), W_DONE);
    assert_false(w_ordered_poll(o, 0, &slot));
    for (u32 i = 0; i < 8; i++)
        w_ordered_submit(o);
    assert_false(w_ordered_next(o, &slot));
    assert_false(w_ordered_poll(o, 0, &slot)); /* the first job takes its time */
    for (u32 i = 0; i < 8; i++) {
        assert_true(w_ordered_poll(o, 60, &slot));
        assert_int_equal(slot, i);
        assert_true(w_ordered_poll(o, 0, &again)); /* the same until it is returned */
        assert_int_equal(again, i);
        w_ordered_return(o);
    }
    assert_false(w_ordered_poll(o, 0, &slot));
    w_ordered_free(o);
    for (u32 i = 0; i < 8; i++)
        assert_int_equal(calm.order[i], i);
    assert_int_equal(calm.worker, 1);
    assert_false(calm.signals_come);

    /* without a worker nothing is done, and a wait ends */
    double began_s = w_now_s();
    calm = (struct calm){0};
    assert_int_equal(w_ordered_new(&o, 1, 1, note, &calm, NULL), W_DONE);
    w_ordered_submit(o);
    assert_false(w_ordered_poll(o, 0.01, &slot));
    assert_true(w_now_s() - began_s >= 0.01);
    assert_int_equal(calm.count, 0);
    assert_true(w_ordered_take(o, &slot));
    assert_int_equal(calm.count, 1);
    assert_true(calm.signals_come);
    w_ordered_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_come_in_order),
        cmocka_unit_test(jobs_may_be_left_undone),
        cmocka_unit_test(a_poll_does_no_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
