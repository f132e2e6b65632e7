/* ordered.h - jobs done on several threads and taken back in the order in which they were given.
 *
 * A ring of numbered slots between one caller and the workers. All functions here are for the caller,
 * who is one thread. n threads are n - 1 workers and the caller.
 *
 *     while (w_ordered_next(o, &slot) && fill(&jobs[slot]))
 *         w_ordered_submit(o);
 *     if (w_ordered_take(o, &slot))         // false: nothing was submitted
 *         use(&jobs[slot]), w_ordered_return(o);
 *
 * What a slot holds is the caller's affair, the status of its job too. It is the caller's until it is
 * submitted, then its job's, and the caller's again from when it was taken. Jobs begin in the order in
 * which they were submitted, each once; one worker therefore does them one after the other.
 *
 * The caller has two ways to wait for the oldest job. w_ordered_take() works meanwhile: it begins jobs
 * that nobody has begun. So one thread needs no worker, and jobs must not wait for anything but a
 * processor. w_ordered_poll() only looks, or waits for a moment: for a caller who has other things to
 * heed, and jobs that read. What comes out is the same for any number of threads if a job depends on
 * nothing but its slot and on jobs before it in the same thread. */
#ifndef W_ORDERED_H
#define W_ORDERED_H

#include "base/status.h"

struct w_ordered;

/* work(context, slot, worker) does a job; worker in [0, threads), 0 is the caller, says which scratch
 * memory is free to use. `slots` is how many jobs may be in hand, the one that was taken included;
 * w_ordered_slots(threads) keeps threads busy. W_NOMEM without memory; as w_thread_start() if a thread
 * does not start. */
enum w_status w_ordered_new(struct w_ordered **, u32 threads, u32 slots,
                            void (*work)(void *context, u32 slot, u32 worker), void *context,
                            struct w_err *) W_MUST_CHECK;
/* Waits for the jobs that are being done and forgets the others; accepts NULL. */
void w_ordered_free(struct w_ordered *);

u32 w_ordered_slots(u32 threads);

/* The slot to fill next; false if all are in use. */
bool w_ordered_next(const struct w_ordered *, u32 *slot);
void w_ordered_submit(struct w_ordered *);
/* Wait for the oldest job, and work meanwhile; false if there is none. It stays the oldest, and its slot
 * in use, until it is returned. */
bool w_ordered_take(struct w_ordered *, u32 *slot);
/* The same without work: false as well if it is not done within wait_s seconds; 0 only looks. */
bool w_ordered_poll(struct w_ordered *, double wait_s, u32 *slot);
/* The slot that was taken is free again. */
void w_ordered_return(struct w_ordered *);

#endif
