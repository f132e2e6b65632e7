#include "sys/team.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How often a waiting thread looks before it goes to sleep: some 50 microseconds, longer than the
 * serial pieces between the kernels of a step, shorter than anybody notices. */
#define SPINS 4000

struct member {
    struct w_team *team;
    u32 number;
    pthread_t thread;
};

struct w_team {
    u32 size;
    u32 started; /* threads that run, besides the caller's */
    struct member *members;
    /* the job, written by the caller before `round` moves on */
    void (*work)(void *context, u64 item, u32 member);
    void *context;
    u64 items;
    bool quit;
    /* each on a cache line of its own: they are written by different threads */
    _Alignas(64) _Atomic u64 next;  /* item to hand out */
    _Alignas(64) _Atomic u32 round; /* number of the job; members sleep on it */
    _Atomic u32 sleepers;
    _Alignas(
        64) _Atomic u32 busy; /* members that have not finished the job; the caller sleeps on it */
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

/* Look at a word until it differs from value: first awake, then asleep. `sleeping` tells the writer
 * that a wake-up is needed; it is set before the last look, so that none is missed. */
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

static void take_items(struct w_team *team, u32 member)
{
    for (;;) {
        u64 item = atomic_fetch_add_explicit(&team->next, 1, memory_order_relaxed);
        if (item >= team->items)
            return;
        team->work(team->context, item, member);
    }
}

static void *run_member(void *argument)
{
    struct member *self = argument;
    struct w_team *team = self->team;

    for (u32 round = 0;;) {
        round = wait_while_equal(&team->round, round, &team->sleepers);
        if (team->quit)
            return NULL;
        take_items(team, self->number);
        if (atomic_fetch_sub(&team->busy, 1) == 1 && atomic_load(&team->caller_sleeps))
            futex_wake(&team->busy);
    }
}

static void start_round(struct w_team *team)
{
    atomic_fetch_add(&team->round, 1);
    if (atomic_load(&team->sleepers))
        futex_wake(&team->round);
}

enum w_status w_team_new(struct w_team **out, u32 threads, struct w_err *err)
{
    *out = NULL;
    if (threads == 0)
        return w_fail(err, W_USAGE, "a team needs at least one thread");
    struct w_team *team = aligned_alloc(64, w_round_up(sizeof *team, 64));
    struct member *members = calloc(threads, sizeof *members);
    if (!team || !members) {
        free(team);
        free(members);
        return w_fail(err, W_NOMEM, "no memory for %u threads", threads);
    }
    memset(team, 0, sizeof *team);
    team->size = threads;
    team->members = members;
    for (u32 i = 1; i < threads; i++) {
        members[i] = (struct member){.team = team, .number = i};
        int error = pthread_create(&members[i].thread, NULL, run_member, &members[i]);
        if (error) {
            w_team_free(team);
            errno = error;
            return w_fail_errno(err, "cannot start thread %u of %u", i + 1, threads);
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
    team->quit = true;
    start_round(team);
    for (u32 i = 1; i <= team->started; i++)
        pthread_join(team->members[i].thread, NULL);
    free(team->members);
    free(team);
}

u32 w_team_size(const struct w_team *team)
{
    return team->size;
}

void w_team_for(struct w_team *team, u64 items, void (*work)(void *context, u64 item, u32 member),
                void *context)
{
    if (team->size == 1 || items <= 1) {
        for (u64 item = 0; item < items; item++)
            work(context, item, 0);
        return;
    }
    team->work = work;
    team->context = context;
    team->items = items;
    atomic_store_explicit(&team->next, 0, memory_order_relaxed);
    atomic_store_explicit(&team->busy, team->started, memory_order_relaxed);
    start_round(team);
    take_items(team, 0);
    for (u32 busy; (busy = atomic_load_explicit(&team->busy, memory_order_acquire)) > 0;)
        wait_while_equal(&team->busy, busy, &team->caller_sleeps);
}
