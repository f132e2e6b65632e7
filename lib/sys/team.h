/* team.h - a team of threads for parallel loops.
 *
 * The order of every sum is independent of the number of threads: w_team_for() hands out items 0 to
 * n - 1, each of which writes its own part of the result, so that results have the same bits for
 * any number of threads. (The number of items may depend on it, as long as no sum is divided.)
 * Neighbouring items go to the same worker, and the first ones always to the first: what a worker
 * has written is still in its core's cache when the next call's items read the same rows. A worker
 * without items left takes those of others (work stealing; Blumofe and Leiserson, 1999). Between
 * two calls workers spin for a moment and then sleep. */
#ifndef W_TEAM_H
#define W_TEAM_H

#include "base/status.h"

struct w_team;

/* threads includes the caller; 1 starts none. W_USAGE: 0 threads; W_NOMEM; as w_thread_start(). */
enum w_status w_team_new(struct w_team **, u32 threads, struct w_err *) W_MUST_CHECK;
void w_team_free(struct w_team *);      /* accepts NULL */
u32 w_team_size(const struct w_team *); /* NULL: 1 */

/* Call work(context, item, worker) for every item in [0, items), each once, from any worker;
 * returns when all are done. `worker` in [0, size) identifies the scratch memory that may be
 * used; 0 is the caller. One thread at a time may call this for a team, and work() may not. Without
 * a team (NULL) the caller does all of them. */
void w_team_for(struct w_team *, u64 items, void (*work)(void *context, u64 item, u32 worker),
                void *context);

#endif
