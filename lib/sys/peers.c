/* The thread that carries messages is the only one that calls the engine. It takes exchanges from a
 * ring, in which they stay in the order in which they were started: counters that only rise say how
 * many were submitted, and how many are done; up to W_PEERS_AT_A_TIME of them are under way
 * together. Beside them it gives signs of life, and listens for those of others. */
#include "sys/peers.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/peers_exchange.h"
#include "sys/peers_relay.h"
#include "sys/peers_signs.h"
#include "sys/thread.h"

#define STOP_GRACE_S 0.3 /* after a signal: a launcher may kill what has not ended a second later */
#define ABORT_WAIT_S 60  /* that another rank than 0 waits for what rank 0 saves */
/* Between two looks at exchanges under way: while the caller waits for them, where the thread does
 * not sleep until the last progress is SPIN_S ago; and while the caller computes, perhaps on the
 * same core, where each look costs two switches of threads. */
#define SPIN_S 0.001
#define WAIT_LOOK_S 0.00005
#define WORK_LOOK_S 0.0005
#define IDLE_S 0.01  /* without exchanges under way */
#define FIRST_TAG 16 /* of exchanges */

struct exchange_slot {
    struct w_exchange exchange;
    struct w_peers_time time;
    bool begun, done;
};

/* QUIET: no further signs; exchanges go on once the last one has arrived. */
enum order { GO_ON, QUIET, CLOSE, ABORT };

struct w_peers {
    struct w_peers_options options;
    const struct w_peers_engine *engine;
    u32 rank, size;
    char (*hosts)[W_PEERS_HOST];
    struct w_relay *relay;
    pthread_t thread;

    pthread_mutex_t mutex;
    pthread_cond_t wanted, done_one; /* wanted: an exchange, the end of a rest, an order */
    /* with the mutex */
    bool is_open, greeted;
    u64 submitted, done, before; /* before: those whose time is in times */
    bool waits;                  /* the caller, in w_peers_wait() */
    enum order order;
    int exit_status;
    struct w_err failure; /* status W_DONE: none */
    u32 lost;             /* the rank that it is about; W_PEERS_ANY: none */
    struct exchange_slot *slots;
    struct w_peers_time *times;
    u32 time_count;

    /* the thread's own */
    struct w_signs signs;
    double progress_s;
};

/* ---- failures ---- */

/* Keep the first failure. */
static void fail(struct w_peers *p, enum w_status status, u32 about, const char *text)
{
    pthread_mutex_lock(&p->mutex);
    if (!p->failure.status) {
        p->lost = about;
        w_fail(&p->failure, status, "%s", text);
        pthread_cond_broadcast(&p->done_one);
    }
    pthread_mutex_unlock(&p->mutex);
}

static void fail_engine(struct w_peers *p, int error)
{
    char why[256] = "", text[512];

    p->engine->text(error, why);
    snprintf(text, sizeof text, "%s: %s", p->engine->name, why);
    fail(p, W_IO, p->rank, text);
}

/* Heed what other ranks say. */
static int listen(struct w_peers *p, double now_s)
{
    struct w_sign news;
    int error = w_signs_listen(&p->signs, now_s, &news);

    if (news.status)
        fail(p, (enum w_status)news.status, news.about, news.text);
    return error;
}

static void tell(struct w_peers *p)
{
    struct w_sign news = {.rank = p->rank};

    pthread_mutex_lock(&p->mutex);
    news.about = p->lost;
    news.status = p->failure.status;
    snprintf(news.text, sizeof news.text, "%.255s", p->failure.text);
    pthread_mutex_unlock(&p->mutex);
    w_signs_tell(&p->signs, &news);
}

static void judge_silence(struct w_peers *p, double now_s)
{
    const u32 before = w_signs_before(&p->signs);
    char name[W_PEERS_HOST + 24], text[256];

    if (!w_signs_silent(&p->signs, now_s, p->options.silence_s))
        return;
    snprintf(text, sizeof text,
             "%s has not been heard for %g s: it is stopped, or its machine or the network hangs",
             w_peers_name(p, before, name), p->options.silence_s);
    fail(p, W_IO, before, text);
}

/* ---- exchanges ---- */

static int advance_slot(struct w_peers *p, struct exchange_slot *slot)
{
    if (!slot->begun)
        slot->time.began_s = w_now_s();
    slot->begun = true;
    const u32 stage = slot->exchange.stage;
    int error = w_exchange_advance(&slot->exchange, p->engine, p->rank, p->size, &slot->done);
    if (slot->exchange.stage != stage)
        p->progress_s = w_now_s();
    if (slot->done)
        slot->time.ended_s = w_now_s();
    return error;
}

/* All that are under way; *left: some are not done. */
static int advance(struct w_peers *p, bool *left)
{
    pthread_mutex_lock(&p->mutex);
    u64 first = p->done, end = W_MIN(p->submitted, p->done + W_PEERS_AT_A_TIME);
    pthread_mutex_unlock(&p->mutex);
    int error = 0;

    for (u64 i = first; i < end && !error; i++)
        if (!p->slots[i % W_PEERS_JOBS].done)
            error = advance_slot(p, &p->slots[i % W_PEERS_JOBS]);
    while (first < end && p->slots[first % W_PEERS_JOBS].done)
        first++;
    pthread_mutex_lock(&p->mutex);
    p->done = first;
    *left = p->done < p->submitted;
    if (!*left)
        pthread_cond_broadcast(&p->done_one);
    pthread_mutex_unlock(&p->mutex);
    return error;
}

/* ---- the thread ---- */

/* The time of the monotonic clock after so many seconds. */
static struct timespec after(double seconds)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    const u64 nanoseconds = (u64)t.tv_nsec + (u64)(seconds * 1e9);
    t.tv_sec += (time_t)(nanoseconds / 1000000000);
    t.tv_nsec = (long)(nanoseconds % 1000000000);
    return t;
}

/* Until there may be something to do. */
static void rest(struct w_peers *p, bool busy)
{
    pthread_mutex_lock(&p->mutex);
    const bool spins = busy && p->waits && w_now_s() < p->progress_s + SPIN_S;
    const bool idles = !busy && p->done == p->submitted && p->order == GO_ON;
    const struct timespec until = after(!busy ? IDLE_S : p->waits ? WAIT_LOOK_S : WORK_LOOK_S);
    if ((busy && !spins) || idles)
        pthread_cond_timedwait(&p->wanted, &p->mutex, &until);
    pthread_mutex_unlock(&p->mutex);
    if (spins)
        sched_yield();
}

/* What the caller wants, at one moment. */
struct wish {
    enum order order;
    bool failed, greeted;
};

static struct wish wish_of(struct w_peers *p)
{
    pthread_mutex_lock(&p->mutex);
    const struct wish wish = {p->order, p->failure.status != W_DONE, p->greeted};
    pthread_mutex_unlock(&p->mutex);
    return wish;
}

/* Everything once. *busy: there is more to come soon. */
static int carry_once(struct w_peers *p, struct wish wish, bool *busy)
{
    const double now_s = w_now_s();
    const bool quiet = wish.order != GO_ON;
    bool left = false, relays = false;
    int error = listen(p, now_s);

    if (!error)
        error = w_signs_give(&p->signs, now_s, wish.greeted && !quiet);
    if (!wish.greeted)
        p->signs.heard_s = now_s; /* silence counts from then on */
    else if (!quiet)
        judge_silence(p, now_s);
    if (p->relay && quiet)
        w_relay_stop(p->relay);
    if (!error && p->relay)
        error = w_relay_advance(p->relay, p->engine, &relays);
    if (!error && !(quiet && (p->signs.sends || (p->relay && p->relay->on))))
        error = advance(p, &left);
    *busy = left || relays || quiet;
    return error;
}

static void carry(struct w_peers *p)
{
    struct wish wish;

    while ((wish = wish_of(p)).order < CLOSE) {
        bool busy = false;
        int error = 0;
        if (wish.failed) {
            error = listen(p, 0);
            tell(p);
        } else {
            error = carry_once(p, wish, &busy);
        }
        if (error)
            fail_engine(p, error);
        rest(p, busy);
    }
    if (wish.order == ABORT)
        p->engine->abort(p->exit_status);
}

static void *run(void *argument)
{
    struct w_peers *p = argument;
    u32 rank = 0, size = 1;

    int error = p->engine->open(&rank, &size);
    if (!error && size <= W_PEERS_MAX)
        error = w_signs_open(&p->signs, p->engine, rank, size);
    p->rank = rank;
    p->size = size;
    if (error)
        fail_engine(p, error);
    else if (size > W_PEERS_MAX)
        fail(p, W_USAGE, rank, "more ranks than 1024");
    pthread_mutex_lock(&p->mutex);
    p->is_open = true;
    pthread_cond_broadcast(&p->done_one);
    pthread_mutex_unlock(&p->mutex);
    if (error || size > W_PEERS_MAX)
        return NULL;
    carry(p);
    if (!w_signs_close(&p->signs))
        p->engine->close();
    return NULL;
}

/* ---- opening ---- */

static enum w_status load(struct w_peers *p, struct w_err *err)
{
    /* Plugins of an MPI find its symbols only if they are global. */
    void *library = dlopen(p->options.engine, RTLD_NOW | RTLD_GLOBAL);
    if (!library)
        return w_fail(err, W_IO, "cannot load what carries messages between ranks: %s", dlerror());
    p->engine = dlsym(library, W_PEERS_ENGINE_SYMBOL);
    if (!p->engine || p->engine->version != W_PEERS_ENGINE_VERSION)
        return w_fail(err, W_IO, "%s: belongs to another version of wtools", p->options.engine);
    return W_DONE;
}

static void release(struct w_peers *p)
{
    if (p->relay)
        w_relay_close(p->relay);
    pthread_cond_destroy(&p->wanted);
    pthread_cond_destroy(&p->done_one);
    pthread_mutex_destroy(&p->mutex);
    free(p->relay);
    free(p->slots);
    free(p->times);
    free(p->hosts);
    free(p);
}

enum w_status w_peers_open(struct w_peers **out, const struct w_peers_options *options,
                           struct w_err *err)
{
    struct w_peers *p = calloc(1, sizeof *p);
    pthread_condattr_t monotonic;

    *out = NULL;
    if (!p)
        return w_fail(err, W_NOMEM, "no memory for ranks");
    p->options = *options;
    p->lost = W_PEERS_ANY;
    p->slots = calloc(W_PEERS_JOBS, sizeof *p->slots);
    p->times = calloc(W_PEERS_JOBS, sizeof *p->times);
    p->hosts = calloc((size_t)2 * W_PEERS_MAX, sizeof *p->hosts); /* and scratch */
    pthread_mutex_init(&p->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->wanted, &monotonic);
    pthread_cond_init(&p->done_one, &monotonic);
    pthread_condattr_destroy(&monotonic);
    enum w_status status =
        p->slots && p->times && p->hosts ? W_DONE : w_fail(err, W_NOMEM, "no memory for ranks");
    if (!status)
        status = load(p, err);
    if (!status)
        status = w_thread_start(&p->thread, 2, 2, run, p, err);
    if (!status) {
        pthread_mutex_lock(&p->mutex);
        while (!p->is_open)
            pthread_cond_wait(&p->done_one, &p->mutex);
        status = p->failure.status;
        pthread_mutex_unlock(&p->mutex);
        if (status) {
            pthread_join(p->thread, NULL);
            w_fail(err, status, "%s", p->failure.text);
        }
    }
    if (status)
        release(p);
    else
        *out = p;
    return status;
}

u32 w_peers_rank(const struct w_peers *p)
{
    return p ? p->rank : 0;
}

u32 w_peers_size(const struct w_peers *p)
{
    return p ? p->size : 1;
}

const char *w_peers_name(const struct w_peers *p, u32 rank, char text[W_PEERS_HOST + 24])
{
    const char *host = p->hosts[rank];

    snprintf(text, W_PEERS_HOST + 24, "rank %u%s%s", rank, host[0] ? " on " : "", host);
    return text;
}

/* Every byte is set by one rank and zero in the others. */
static void join(const void *context, void *x, const void *other, u64 items)
{
    u8 *to = x;
    const u8 *from = other;

    (void)context;
    for (u64 i = 0; i < items; i++)
        to[i] |= from[i];
}

enum w_status w_peers_greet(struct w_peers *p, struct w_err *err)
{
    struct utsname system;

    if (!p)
        return W_DONE;
    pthread_mutex_lock(&p->mutex);
    p->greeted = true;
    pthread_mutex_unlock(&p->mutex);
    if (!uname(&system))
        snprintf(p->hosts[p->rank], W_PEERS_HOST, "%.*s", W_PEERS_HOST - 1, system.nodename);
    w_peers_combine(p, &(struct w_peers_job){.x = p->hosts,
                                             .scratch = p->hosts + W_PEERS_MAX,
                                             .items = (u64)p->size * W_PEERS_HOST,
                                             .item_bytes = 1,
                                             .operation = join});
    return w_peers_wait(p, err);
}

enum w_status w_peers_share_input(struct w_peers *p, const char *path, struct w_err *err)
{
    struct w_relay *relay = p ? calloc(1, sizeof *relay) : NULL;

    if (!p)
        return W_DONE;
    if (!relay)
        return w_fail(err, W_NOMEM, "no memory to hand on standard input");
    enum w_status status = w_relay_open(relay, path, p->rank, p->size, err);
    pthread_mutex_lock(&p->mutex);
    p->relay = relay;
    pthread_mutex_unlock(&p->mutex);
    if (status) /* the next rank would wait for it */
        fail(p, status, W_PEERS_ANY, err->text);
    return status;
}

/* ---- the caller's side ---- */

void w_peers_combine(struct w_peers *p, const struct w_peers_job *job)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->mutex);
    struct exchange_slot *slot = &p->slots[p->submitted % W_PEERS_JOBS];
    *slot = (struct exchange_slot){
        .exchange = {.job = *job,
                     .tag = FIRST_TAG + (u32)(p->submitted % (W_PEERS_TAGS - FIRST_TAG))},
        .time.bytes = job->items * job->item_bytes};
    p->submitted++;
    pthread_cond_signal(&p->wanted);
    pthread_mutex_unlock(&p->mutex);
}

void w_peers_ignore_stop(struct w_peers *p)
{
    if (p)
        p->options.stop = NULL;
}

static bool stop_asked(const struct w_peers *p)
{
    return p->options.stop && *p->options.stop;
}

enum w_status w_peers_wait(struct w_peers *p, struct w_err *err)
{
    double stop_s = 0; /* when the flag was seen */

    if (!p)
        return W_DONE;
    pthread_mutex_lock(&p->mutex);
    p->waits = true;
    pthread_cond_signal(&p->wanted);
    while (p->done < p->submitted && !p->failure.status) {
        const struct timespec until = after(0.05);
        pthread_cond_timedwait(&p->done_one, &p->mutex, &until);
        if (stop_s <= 0 && stop_asked(p))
            stop_s = w_now_s();
        if (stop_s > 0 && p->done < p->submitted && w_now_s() > stop_s + STOP_GRACE_S &&
            !p->failure.status)
            w_fail(&p->failure, W_SIGNAL, "stopped by a signal while waiting for other ranks");
    }
    p->waits = false;
    enum w_status status = p->failure.status;
    if (status && err)
        *err = p->failure;
    for (; !status && p->before < p->done; p->before++)
        if (p->time_count < W_PEERS_JOBS)
            p->times[p->time_count++] = p->slots[p->before % W_PEERS_JOBS].time;
    pthread_mutex_unlock(&p->mutex);
    return status;
}

bool w_peers_failed(struct w_peers *p)
{
    return p && wish_of(p).failed;
}

bool w_peers_lost(struct w_peers *p, u32 rank)
{
    pthread_mutex_lock(&p->mutex);
    const bool lost = p->lost == rank;
    pthread_mutex_unlock(&p->mutex);
    return lost;
}

u32 w_peers_times(struct w_peers *p, const struct w_peers_time **times)
{
    const u32 count = p ? p->time_count : 0;

    *times = p ? p->times : NULL;
    if (p)
        p->time_count = 0;
    return count;
}

static void give_order(struct w_peers *p, enum order order, int exit_status)
{
    pthread_mutex_lock(&p->mutex);
    p->order = order;
    p->exit_status = exit_status;
    pthread_cond_signal(&p->wanted);
    pthread_mutex_unlock(&p->mutex);
}

void w_peers_close(struct w_peers **out)
{
    struct w_peers *p = *out;
    u8 nothing[2] = {0};
    struct w_err err;

    if (!p)
        return;
    w_peers_ignore_stop(p);
    if (p->greeted) { /* an exchange that no rank begins before its signs have arrived */
        give_order(p, QUIET, 0);
        w_peers_combine(p, &(struct w_peers_job){.x = nothing,
                                                 .scratch = nothing + 1,
                                                 .items = 1,
                                                 .item_bytes = 1,
                                                 .operation = join});
        if (w_peers_wait(p, &err))
            w_peers_abort(p, w_exit_code(W_IO));
    }
    give_order(p, CLOSE, 0);
    pthread_join(p->thread, NULL);
    release(p);
    *out = NULL;
}

void w_peers_abort(struct w_peers *p, int exit_status)
{
    const double waits_s = p->rank == 0 || w_peers_lost(p, 0) ? 0 : ABORT_WAIT_S;

    for (double end_s = w_now_s() + waits_s; w_now_s() < end_s;)
        w_sleep_s(0.1);
    give_order(p, ABORT, exit_status);
    pthread_join(p->thread, NULL); /* the engine ends this process, too */
}
