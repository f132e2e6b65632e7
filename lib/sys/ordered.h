/* ordered.h - jobs done on several threads and taken back in the order in which they were given.
 *
 * A ring of numbered slots between one caller and the workers. All functions here are for the
 * caller, who is one thread. n threads are n - 1 workers and the caller.
 *
 *     while (w_ordered_next(o, &slot) && fill(&jobs[slot]))
 *         w_ordered_submit(o);
 *     if (w_ordered_take(o, &slot))         // false: nothing was submitted
 *         use(&jobs[slot]), w_ordered_return(o);
 *
 * The contents of a slot, and the status of its job, are defined by the caller. A slot belongs to
 * the caller until it is submitted, then to its job, and to the caller again once it was taken.
 * Jobs begin in the order in which they were submitted, each once; a single worker does them one
 * after the other.
 *
 * The caller has two ways to wait for the oldest job. w_ordered_take() does jobs that no worker has
 * begun while it waits: so one thread needs no worker, but jobs must not block. w_ordered_poll()
 * only looks, or waits for a limited time: for a caller that has to check other things too, and for
 * jobs that read. The results are the same for any number of threads if a job depends only on its
 * slot. */
#ifndef W_ORDERED_H
#define W_ORDERED_H

#include "base/status.h"

struct w_ordered;

/* work(context, slot, worker) does a job; worker in [0, threads), where 0 is the caller, identifies
 * the scratch memory that it may use. `slots` is the most jobs at a time, including the one that
 * was taken; w_ordered_slots(threads) keeps threads busy. W_NOMEM; as w_thread_start() if a thread
 * does not start. */
enum w_status w_ordered_new(struct w_ordered **, u32 threads, u32 slots,
                            void (*work)(void *context, u32 slot, u32 worker), void *context,
                            struct w_err *) W_MUST_CHECK;
/* Waits for the jobs that have begun and drops the others; accepts NULL. */
void w_ordered_free(struct w_ordered *);

u32 w_ordered_slots(u32 threads);

/* The slot to fill next; false if all are in use. */
bool w_ordered_next(const struct w_ordered *, u32 *slot);
void w_ordered_submit(struct w_ordered *);
/* Wait for the oldest job, doing others meanwhile; false if there is none. It stays the oldest, and
 * its slot in use, until it is returned. */
bool w_ordered_take(struct w_ordered *, u32 *slot);
/* The same without doing jobs: false also if it is not done within wait_s seconds; 0 only looks. */
bool w_ordered_poll(struct w_ordered *, double wait_s, u32 *slot);
/* The slot that was taken is free again. */
void w_ordered_return(struct w_ordered *);

#endif
