/* A team: every item once, for any number of threads and items; many short jobs in a row. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "sys/clock.h"
#include "sys/team.h"

#define ITEMS 1000

struct seen {
    _Atomic u32 count[ITEMS];
    _Atomic u32 at_once[8]; /* a worker works on one item at a time */
    u32 size;
};

static void see(void *context, u64 item, u32 worker)
{
    struct seen *seen = context;
    if (worker >= seen->size || atomic_fetch_add(&seen->at_once[worker], 1) > 0)
        atomic_fetch_add(&seen->count[0], 100); /* shows as a wrong count */
    atomic_fetch_add(&seen->count[item], 1);
    atomic_fetch_sub(&seen->at_once[worker], 1);
}

static void every_item_is_done_once(void **state)
{
    (void)state;
    static const u64 items[] = {0, 1, 2, 3, 7, 100, ITEMS};
    for (u32 threads = 1; threads <= 8; threads++) {
        struct w_team *team;
        assert_int_equal(w_team_new(&team, threads, NULL), W_DONE);
        assert_int_equal(w_team_size(team), threads);
        for (u32 i = 0; i < W_COUNTOF(items); i++) {
            struct seen seen;
            memset(&seen, 0, sizeof seen);
            seen.size = threads;
            w_team_for(team, items[i], see, &seen);
            for (u64 j = 0; j < ITEMS; j++)
                assert_int_equal(seen.count[j], j < items[i] ? 1 : 0);
        }
        w_team_free(team);
    }
}

static void write_plainly(void *context, u64 item, u32 worker)
{
    (void)worker;
    u64 *slots = context;
    slots[item] += item; /* not atomic: a job's writes are seen by the caller and the next job */
}

static void jobs_follow_each_other(void **state)
{
    (void)state;
    struct w_team *team;
    u64 slots[5] = {0};
    assert_int_equal(w_team_new(&team, 3, NULL), W_DONE);
    for (u32 round = 0; round < 3000; round++) {
        if (round % 1000 == 0)
            w_sleep_s(0.01); /* long enough for the workers to fall asleep */
        w_team_for(team, W_COUNTOF(slots), write_plainly, slots);
    }
    for (u64 i = 0; i < W_COUNTOF(slots); i++)
        assert_int_equal(slots[i], 3000 * i);
    w_team_free(team);
}

#define TEAM 4
#define EACH 5

struct shares {
    _Atomic u32 begun, done;
    u32 worker[TEAM * EACH];
};

/* No item ends before every worker has begun one: then each has begun with its own first item. */
static void begin_together(void *context, u64 item, u32 worker)
{
    struct shares *s = context;

    s->worker[item] = worker;
    atomic_fetch_add(&s->begun, 1);
    while (atomic_load(&s->begun) < TEAM)
        w_sleep_s(0.0001);
}

static void a_worker_begins_with_its_own_items(void **state)
{
    (void)state;
    struct w_team *team;

    assert_int_equal(w_team_new(&team, TEAM, NULL), W_DONE);
    for (u32 round = 0; round < 100; round++) {
        struct shares s = {0};
        w_team_for(team, TEAM * EACH, begin_together, &s);
        for (u32 i = 0; i < TEAM; i++)
            assert_int_equal(s.worker[i * EACH], i);
    }
    w_team_free(team);
}

/* The last worker waits in its first item until all others are done. */
static void hold_the_last_one_up(void *context, u64 item, u32 worker)
{
    struct shares *s = context;

    begin_together(s, item, worker);
    while (worker == TEAM - 1 && atomic_load(&s->done) < TEAM * EACH - 1)
        w_sleep_s(0.0001);
    atomic_fetch_add(&s->done, 1);
}

static void others_take_the_items_of_a_slow_worker(void **state)
{
    (void)state;
    struct w_team *team;
    struct shares s = {0};

    assert_int_equal(w_team_new(&team, TEAM, NULL), W_DONE);
    w_team_for(team, TEAM * EACH, hold_the_last_one_up, &s);
    assert_int_equal(s.worker[(TEAM - 1) * EACH], TEAM - 1);
    for (u32 i = (TEAM - 1) * EACH + 1; i < TEAM * EACH; i++)
        assert_true(s.worker[i] < TEAM - 1);
    w_team_free(team);
}

/* Wait until both items have begun, or give up. */
static void meet(void *context, u64 item, u32 member)
{
    _Atomic u32 *begun = context;
    double end = w_now_s() + 20;

    (void)item, (void)member;
    atomic_fetch_add(begun, 1);
    while (atomic_load(begun) % 2 && w_now_s() < end)
        w_sleep_s(0.0001);
    if (atomic_load(begun) % 2)
        atomic_fetch_add(begun, 100);
}

static void two_items_are_done_at_once(void **state)
{
    (void)state;
    struct w_team *team;
    _Atomic u32 begun = 0;

    assert_int_equal(w_team_new(&team, 2, NULL), W_DONE);
    w_team_for(team, 2, meet, &begun);
    assert_int_equal(begun, 2);
    w_team_free(team);
}

static void a_team_without_work_ends(void **state)
{
    (void)state;
    struct w_team *team;
    struct w_err err;
    assert_int_equal(w_team_new(&team, 4, NULL), W_DONE);
    w_team_free(team);
    w_team_free(NULL);
    assert_int_equal(w_team_new(&team, 0, &err), W_USAGE);
    assert_null(team);
}

static void look_at_signals(void *context, u64 item, u32 worker)
{
    _Atomic u32 *heard = context; /* by workers that are not the caller, by the caller */
    sigset_t blocked;
    (void)item;
    w_sleep_s(0.0005); /* so that others get some */
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (!sigismember(&blocked, SIGINT))
        atomic_fetch_add(&heard[worker == 0], 1);
}

static void signals_are_for_the_caller(void **state)
{
    (void)state;
    struct w_team *team;
    _Atomic u32 heard[2] = {0};
    assert_int_equal(w_team_new(&team, 3, NULL), W_DONE);
    w_team_for(team, 60, look_at_signals, heard);
    w_team_free(team);
    assert_int_equal(heard[0], 0);
    assert_true(heard[1] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_done_once),
        cmocka_unit_test(jobs_follow_each_other),
        cmocka_unit_test(a_worker_begins_with_its_own_items),
        cmocka_unit_test(others_take_the_items_of_a_slow_worker),
        cmocka_unit_test(two_items_are_done_at_once),
        cmocka_unit_test(a_team_without_work_ends),
        cmocka_unit_test(signals_are_for_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
