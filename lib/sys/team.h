/* team.h - a team of threads that runs the same function on every worker.
 *
 * What is added to what, and in which order, never depends on the number of threads: w_team_for() hands
 * out items 0 to n - 1, each of which writes its own part of the result, so that results have the same
 * bits for any number of threads. (More threads may be given more items, as long as no sum is divided.)
 * Items that follow each other go to the same worker, and the first ones always to the first: what a
 * worker has written is still in its core's cache when the next call's items read the same rows. A worker
 * that is done takes over from those who are not (work stealing; Blumofe and Leiserson, 1999). Members
 * spin for a moment between two calls and then sleep. */
#ifndef W_TEAM_H
#define W_TEAM_H

#include "base/status.h"

struct w_team;

/* threads includes the caller; 1 starts none. */
enum w_status w_team_new(struct w_team **, u32 threads, struct w_err *) W_MUST_CHECK;
void w_team_free(struct w_team *); /* accepts NULL */
u32 w_team_size(const struct w_team *);

/* Call work(context, item, worker) for every item in [0, items), each once, from any worker; returns
 * when all are done. `worker` in [0, size) says which scratch memory is free to use. */
void w_team_for(struct w_team *, u64 items, void (*work)(void *context, u64 item, u32 worker),
                void *context);

#endif
