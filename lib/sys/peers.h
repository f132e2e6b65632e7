/* peers.h - this process among others that do a run together, on one machine or several: its ranks,
 * numbered from 0, started by mpirun or srun. A NULL peers is one process alone.
 *
 *     w_peers_open(&peers, &options, &err)    // as every rank does
 *     w_peers_greet(peers, &err)
 *     w_peers_combine(peers, &job)            // starts: job.x becomes the sum over the ranks
 *     ...                                     // other work
 *     w_peers_wait(peers, &err)               // until all that was started is done
 *     w_peers_close(&peers)                   // or w_peers_abort()
 *
 * A combination is made in a fixed binary tree: of ranks 0 and 1, of 2 and 3, then of these
 * results. Both sides of a pair compute a op b or b op a, which is the same for what is
 * commutative, as the addition of IEEE numbers is. (The reductions of MPI promise no order.) A
 * combination has two halves, which can also be had alone: its result comes to be at one rank, and
 * goes from there to the others.
 *
 * Messages are carried by a thread of its own, so that exchanges go on while the others compute,
 * and so that each rank hears from its neighbour once a second whatever that one does: a process
 * that was stopped, or a network that hangs, is found by its silence. */
#ifndef W_PEERS_H
#define W_PEERS_H

#include <signal.h>

#include "base/status.h"

struct w_peers;

#define W_PEERS_HOST 64   /* bytes of a host's name, cut if it is longer */
#define W_PEERS_MAX 1024  /* ranks */
#define W_PEERS_JOBS 4096 /* exchanges between two calls of w_peers_wait() */
/* Exchanges under way, the first of those that are not done: one adds while another's bytes are on
 * their way. */
#define W_PEERS_AT_A_TIME 8

struct w_peers_options {
    const char *engine;                /* path of the shared object (peers_engine.h) */
    double silence_s;                  /* after which a rank is taken for lost; 0: never */
    const volatile sig_atomic_t *stop; /* once it is set, waiting ends soon; may be NULL */
};

/* W_IO: the engine cannot be loaded, or does not start; W_NOMEM. */
enum w_status w_peers_open(struct w_peers **, const struct w_peers_options *,
                           struct w_err *) W_MUST_CHECK;
u32 w_peers_rank(const struct w_peers *); /* 0 alone */
u32 w_peers_size(const struct w_peers *); /* 1 alone */
/* For messages: "rank 2 on node7", once w_peers_greet() was called; text is the caller's. */
const char *w_peers_name(const struct w_peers *, u32 rank, char text[W_PEERS_HOST + 24]);

/* Learn the names of the hosts. The number of ranks has to be a power of two, here and below.
 * Status as of w_peers_wait(). */
enum w_status w_peers_greet(struct w_peers *, struct w_err *) W_MUST_CHECK;

/* What rank 0 reads from a path (NULL and "-": its standard input) becomes the standard input of
 * every rank: rank 0 reads it, and each hands the bytes on to the next. Before anything has read
 * it. W_IO. */
enum w_status w_peers_share_input(struct w_peers *, const char *path, struct w_err *) W_MUST_CHECK;

/* other is as many items; x op= other. Called by the thread that carries messages. */
typedef void w_peers_operation(const void *context, void *x, const void *other, u64 items);

enum w_peers_way {
    W_PEERS_ALL,  /* x of all ranks becomes the result */
    W_PEERS_TO,   /* that of the owner alone does; the others' x is lost */
    W_PEERS_FROM, /* x of all ranks becomes that of the owner; without scratch, operation */
};

/* Start to combine n items of x with those of the other ranks, in place; they all start the same in
 * the same order. x and scratch (of the same size) are left alone until w_peers_wait(). Alone:
 * nothing. */
struct w_peers_job {
    void *x, *scratch;
    u64 items, item_bytes;
    w_peers_operation *operation;
    const void *context;
    bool by_one; /* of a pair of ranks one alone calls the operation, however few items there are */
    enum w_peers_way way;
    u32 owner; /* a rank; but for W_PEERS_ALL */
};
void w_peers_combine(struct w_peers *, const struct w_peers_job *);

/* Until all that was started is done. W_IO: a rank is lost, or the engine fails; W_SIGNAL: the stop
 * flag is set, and it was not done shortly after. After a failure later calls return the same, and
 * the run can only be ended, by w_peers_abort(). */
enum w_status w_peers_wait(struct w_peers *, struct w_err *) W_MUST_CHECK;
/* From now on waiting does not end for the stop flag: for what the ranks do at the end of a run. */
void w_peers_ignore_stop(struct w_peers *);
bool w_peers_failed(struct w_peers *);
bool w_peers_lost(struct w_peers *, u32 rank); /* it is the one that was not heard */

/* Of the exchanges that were waited for since the last call, W_PEERS_JOBS at most: when each began
 * and ended, in seconds of w_now_s(). Valid until the next wait. */
struct w_peers_time {
    double began_s, ended_s;
    u64 bytes; /* of x */
};
u32 w_peers_times(struct w_peers *, const struct w_peers_time **);

/* The end, which all ranks come to; returns when they have. Accepts NULL. */
void w_peers_close(struct w_peers **);
/* The end after a failure: all processes end, and their launcher reports this exit status. Rank 0
 * does it, once it has saved what it has; another waits for that, unless rank 0 is the one that is
 * lost. Does not return. */
void w_peers_abort(struct w_peers *, int exit_status);

#endif
