/* A ring of slots under one mutex.
 *
 * Three counters only rise: taken <= begun <= submitted. Job j is in slot j % slots, so that
 * submitting, beginning and taking are each one increment, and the order of taking is that of
 * submitting without any sorting. A worker holds the mutex only to begin a job and to mark it done;
 * the caller, while it waits for the oldest one, begins jobs itself. */
#include "sys/ordered.h"

#include <stdlib.h>
#include <time.h>

#include "sys/thread.h"

struct worker {
    struct w_ordered *owner;
    u32 number;
    pthread_t thread;
};

struct w_ordered {
    void (*work)(void *context, u32 slot, u32 worker);
    void *context;
    u32 slots;
    u64 submitted, begun, taken;
    bool *done; /* by slot */
    bool stop;
    pthread_mutex_t mutex;
    pthread_cond_t submitted_one, done_one;
    struct worker *workers; /* threads - 1 of them are started */
    u32 started;
};

u32 w_ordered_slots(u32 threads)
{
    return threads == 1 ? 1 : 2 * threads + 1;
}

/* Do the next job that no thread has begun. The mutex is held before and after, not during the
 * job. */
static void do_one(struct w_ordered *o, u32 worker)
{
    u32 slot = (u32)(o->begun++ % o->slots);

    pthread_mutex_unlock(&o->mutex);
    o->work(o->context, slot, worker);
    pthread_mutex_lock(&o->mutex);
    o->done[slot] = true;
    pthread_cond_signal(&o->done_one);
}

static void *worker(void *argument)
{
    struct worker *self = argument;
    struct w_ordered *o = self->owner;

    pthread_mutex_lock(&o->mutex);
    while (!o->stop)
        if (o->begun < o->submitted)
            do_one(o, self->number);
        else
            pthread_cond_wait(&o->submitted_one, &o->mutex);
    pthread_mutex_unlock(&o->mutex);
    return NULL;
}

enum w_status w_ordered_new(struct w_ordered **ordered, u32 threads, u32 slots,
                            void (*work)(void *context, u32 slot, u32 worker), void *context,
                            struct w_err *err)
{
    struct w_ordered *o = calloc(1, sizeof *o);
    pthread_condattr_t monotonic;

    *ordered = NULL;
    if (!o)
        return w_fail(err, W_NOMEM, "no memory for threads");
    o->work = work;
    o->context = context;
    o->slots = slots;
    pthread_mutex_init(&o->mutex, NULL);
    pthread_cond_init(&o->submitted_one, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&o->done_one, &monotonic);
    pthread_condattr_destroy(&monotonic);
    o->done = calloc(slots, sizeof *o->done);
    o->workers = calloc(threads, sizeof *o->workers);
    enum w_status status =
        o->done && o->workers ? W_DONE : w_fail(err, W_NOMEM, "no memory for %u threads", threads);
    for (u32 i = 1; i < threads && !status; i++) {
        struct worker *next = &o->workers[i];
        *next = (struct worker){.owner = o, .number = i};
        status = w_thread_start(&next->thread, i + 1, threads, worker, next, err);
        o->started += !status;
    }
    if (status)
        w_ordered_free(o);
    else
        *ordered = o;
    return status;
}

void w_ordered_free(struct w_ordered *o)
{
    if (!o)
        return;
    pthread_mutex_lock(&o->mutex);
    o->stop = true;
    pthread_cond_broadcast(&o->submitted_one);
    pthread_mutex_unlock(&o->mutex);
    for (u32 i = 1; i <= o->started; i++)
        pthread_join(o->workers[i].thread, NULL);
    pthread_cond_destroy(&o->submitted_one);
    pthread_cond_destroy(&o->done_one);
    pthread_mutex_destroy(&o->mutex);
    free(o->workers);
    free(o->done);
    free(o);
}

bool w_ordered_next(const struct w_ordered *o, u32 *slot)
{
    *slot = (u32)(o->submitted % o->slots);
    return o->submitted - o->taken < o->slots;
}

void w_ordered_submit(struct w_ordered *o)
{
    pthread_mutex_lock(&o->mutex);
    o->done[o->submitted++ % o->slots] = false;
    pthread_cond_signal(&o->submitted_one);
    pthread_mutex_unlock(&o->mutex);
}

bool w_ordered_take(struct w_ordered *o, u32 *slot)
{
    if (o->taken == o->submitted)
        return false;
    *slot = (u32)(o->taken % o->slots);
    pthread_mutex_lock(&o->mutex);
    while (!o->done[*slot])
        if (o->begun < o->submitted)
            do_one(o, 0);
        else
            pthread_cond_wait(&o->done_one, &o->mutex);
    pthread_mutex_unlock(&o->mutex);
    return true;
}

bool w_ordered_poll(struct w_ordered *o, double wait_s, u32 *slot)
{
    struct timespec until;

    if (o->taken == o->submitted)
        return false;
    *slot = (u32)(o->taken % o->slots);
    clock_gettime(CLOCK_MONOTONIC, &until);
    u64 nanoseconds = (u64)until.tv_nsec + (u64)(wait_s * 1e9);
    until.tv_sec += (time_t)(nanoseconds / 1000000000);
    until.tv_nsec = (long)(nanoseconds % 1000000000);
    pthread_mutex_lock(&o->mutex);
    bool late = wait_s <= 0;
    while (!o->done[*slot] && !late)
        late = pthread_cond_timedwait(&o->done_one, &o->mutex, &until) != 0;
    bool done = o->done[*slot];
    pthread_mutex_unlock(&o->mutex);
    return done;
}

void w_ordered_return(struct w_ordered *o)
{
    o->taken++;
}
