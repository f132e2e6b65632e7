/* A parallel loop with work stealing, without locks.
 *
 * A call of w_team_for() is a round. Each worker owns a contiguous part of the items and has a
 * ticket: the round's number (upper 32 bits) and the next of its items to take (lower 32 bits). A
 * worker takes an item by a compare-and-swap that adds 1 to a ticket, first to its own, then to
 * those of the others; the round's number in it makes the swap of a worker that is late by a round
 * fail. A round costs two atomic writes a worker and two atomic operations an item, and a wake-up
 * only where a worker has fallen asleep: steps of milliseconds are cut into rounds of tens of
 * microseconds. */
#include "sys/team.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/thread.h"

/* How often a waiting thread looks before it goes to sleep: 50 to 200 microseconds, longer than
 * the serial code between the kernels of a step, too short to matter as CPU time. */
#define SPINS 4000

/* Items of one round: the item's number has 32 bits of the ticket. */
#define ROUND_ITEMS_MAX (UINT32_MAX / 2)
#define NO_ITEM UINT32_MAX /* in a ticket: no item can be taken */

struct worker {
    struct w_team *team;
    u32 number;
    pthread_t thread;
    /* On a cache line of its own: other workers read it when their own items are done. */
    _Alignas(64) _Atomic u64 ticket; /* round << 32 | next of its items to take */
};

typedef void (*work_function)(void *context, u64 item, u32 worker);

/* A round has one job. It ends when its items are done, even if some worker has not seen it: a
 * worker that is not scheduled delays nobody. Such a worker may read a job while the next one is
 * being written. That is harmless: tickets are withdrawn before a job is written and issued after,
 * so that what was read of a job is used only if the ticket that was read before it can still be
 * taken. */
struct w_team {
    u32 size;
    u32 started; /* threads that run, besides the caller's */
    struct worker *workers;
    /* the job, written by the caller between two rounds */
    _Atomic(work_function) work;
    _Atomic(void *) context;
    _Atomic u64 first; /* item of this round's number 0 */
    _Atomic u32 items;
    /* each on a cache line of its own: they are written by different threads */
    _Alignas(64) _Atomic u32 round; /* the tickets' round; workers sleep on it */
    _Atomic u32 sleepers;
    _Atomic bool quit;
    _Alignas(64) _Atomic u32 left; /* items of the round not yet done; the caller sleeps on it */
    _Atomic u32 caller_sleeps;
};

static void futex_wait(_Atomic u32 *word, u32 value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic u32 *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static void relax(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#endif
}

/* Wait until a word differs from value: first spinning, then asleep. `sleeping` tells the writer
 * that a wake-up is needed; it is set before the last check, so that no wake-up is missed. */
static u32 wait_while_equal(_Atomic u32 *word, u32 value, _Atomic u32 *sleeping)
{
    for (int spin = 0; spin < SPINS; spin++) {
        u32 now = atomic_load_explicit(word, memory_order_acquire);
        if (now != value)
            return now;
        relax();
    }
    atomic_fetch_add(sleeping, 1);
    while (atomic_load(word) == value)
        futex_wait(word, value);
    atomic_fetch_sub(sleeping, 1);
    return atomic_load(word);
}

/* The first of the items that are a worker's own. */
static u32 first_own(const struct w_team *team, u32 items, u32 worker)
{
    return (u32)((u64)items * worker / team->size);
}

/* Take and do items of a round that `owner` owns until none is left. */
static void take_items_of(struct w_team *team, u32 round, u32 owner, u32 worker)
{
    _Atomic u64 *const next = &team->workers[owner].ticket;
    u64 ticket = atomic_load_explicit(next, memory_order_acquire);

    while (ticket >> 32 == round) {
        work_function work = atomic_load_explicit(&team->work, memory_order_acquire);
        void *context = atomic_load_explicit(&team->context, memory_order_acquire);
        u64 first = atomic_load_explicit(&team->first, memory_order_acquire);
        u32 items = atomic_load_explicit(&team->items, memory_order_acquire);
        u32 item = (u32)ticket;
        if (item >= first_own(team, items, owner + 1))
            return;
        if (!atomic_compare_exchange_weak(next, &ticket, ticket + 1))
            continue;
        work(context, first + item, worker);
        if (atomic_fetch_sub(&team->left, 1) == 1 && atomic_load(&team->caller_sleeps))
            futex_wake(&team->left);
        ticket = atomic_load_explicit(next, memory_order_acquire);
    }
}

/* First a worker's own items, then those that the others have not begun. */
static void take_items(struct w_team *team, u32 round, u32 worker)
{
    for (u32 i = 0; i < team->size; i++)
        take_items_of(team, round, (worker + i) % team->size, worker);
}

static void *run_worker(void *argument)
{
    struct worker *self = argument;
    struct w_team *team = self->team;

    /* Round 0 has no items, so that a worker may look before there is any. */
    for (u32 round = 0; !atomic_load(&team->quit);) {
        take_items(team, round, self->number);
        round = wait_while_equal(&team->round, round, &team->sleepers);
    }
    return NULL;
}

static void run_round(struct w_team *team, u64 first, u32 items, work_function work, void *context)
{
    u32 round = atomic_load_explicit(&team->round, memory_order_relaxed) + 1;

    for (u32 i = 0; i < team->size; i++)
        atomic_exchange(&team->workers[i].ticket, (u64)round << 32 | NO_ITEM);
    atomic_store_explicit(&team->work, work, memory_order_release);
    atomic_store_explicit(&team->context, context, memory_order_release);
    atomic_store_explicit(&team->first, first, memory_order_release);
    atomic_store_explicit(&team->left, items, memory_order_release);
    atomic_store_explicit(&team->items, items, memory_order_release);
    for (u32 i = 0; i < team->size; i++)
        atomic_store_explicit(&team->workers[i].ticket,
                              (u64)round << 32 | first_own(team, items, i), memory_order_release);
    atomic_store(&team->round, round);
    if (atomic_load(&team->sleepers))
        futex_wake(&team->round);
    take_items(team, round, 0);
    for (u32 left; (left = atomic_load_explicit(&team->left, memory_order_acquire)) > 0;)
        wait_while_equal(&team->left, left, &team->caller_sleeps);
}

enum w_status w_team_new(struct w_team **out, u32 threads, struct w_err *err)
{
    *out = NULL;
    if (threads == 0)
        return w_fail(err, W_USAGE, "a team needs at least one thread");
    struct w_team *team = aligned_alloc(64, w_round_up(sizeof *team, 64));
    struct worker *workers = aligned_alloc(64, threads * sizeof *workers);
    if (!team || !workers) {
        free(team);
        free(workers);
        return w_fail(err, W_NOMEM, "no memory for %u threads", threads);
    }
    memset(team, 0, sizeof *team);
    memset(workers, 0, threads * sizeof *workers);
    team->size = threads;
    team->workers = workers;
    for (u32 i = 1; i < threads; i++) {
        workers[i].team = team;
        workers[i].number = i;
        enum w_status status =
            w_thread_start(&workers[i].thread, i + 1, threads, run_worker, &workers[i], err);
        if (status) {
            w_team_free(team);
            return status;
        }
        team->started++;
    }
    *out = team;
    return W_DONE;
}

void w_team_free(struct w_team *team)
{
    if (!team)
        return;
    atomic_store(&team->quit, true);
    run_round(team, 0, 0, NULL, NULL); /* a round without items: it wakes those who sleep */
    for (u32 i = 1; i <= team->started; i++)
        pthread_join(team->workers[i].thread, NULL);
    free(team->workers);
    free(team);
}

u32 w_team_size(const struct w_team *team)
{
    return team ? team->size : 1;
}

void w_team_for(struct w_team *team, u64 items, void (*work)(void *context, u64 item, u32 worker),
                void *context)
{
    if (!team || team->size == 1 || items <= 1) {
        for (u64 item = 0; item < items; item++)
            work(context, item, 0);
        return;
    }
    for (u64 first = 0; first < items; first += ROUND_ITEMS_MAX)
        run_round(team, first, (u32)W_MIN(items - first, ROUND_ITEMS_MAX), work, context);
}
