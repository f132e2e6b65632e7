/* ordered.h - jobs done on several threads and taken back in the order in which they were given.
 *
 * A ring of numbered slots between one caller and the workers. What a slot holds is the caller's
 * affair. All reading and writing stays with the caller, who also works while the job that it waits
 * for is not done: one thread needs no worker, n threads are n - 1 workers and the caller. What comes
 * out is the same for any number of threads if a job depends on nothing but its slot.
 *
 *     while (w_ordered_next(o, &slot) && fill(&jobs[slot]))
 *         w_ordered_submit(o);
 *     if (w_ordered_take(o, &slot))         // false: nothing was submitted
 *         use(&jobs[slot]), w_ordered_release(o);
 */
#ifndef W_ORDERED_H
#define W_ORDERED_H

#include "base/status.h"

struct w_ordered;

/* work(context, slot, member) does a job; member in [0, threads) says which scratch memory is free to
 * use. There will be w_ordered_slots(threads) slots. */
enum w_status w_ordered_new(struct w_ordered **, u32 threads,
                            void (*work)(void *context, u32 slot, u32 member), void *context,
                            struct w_err *) W_MUST_CHECK;
/* Waits for the jobs that are being done and forgets the others; accepts NULL. */
void w_ordered_free(struct w_ordered *);

u32 w_ordered_slots(u32 threads);

/* The slot to fill next; false if all are in use. */
bool w_ordered_next(const struct w_ordered *, u32 *slot);
void w_ordered_submit(struct w_ordered *);
/* Wait for the oldest job; false if there is none. Its slot is in use until it is released. */
bool w_ordered_take(struct w_ordered *, u32 *slot);
void w_ordered_release(struct w_ordered *);

#endif
