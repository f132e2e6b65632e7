/* launcher.h - whether this process is one of several ranks (sys/peers.h): what the variables of
 * the launcher say that started it, and the connection with the others. */
#ifndef W_LAUNCHER_H
#define W_LAUNCHER_H

#include "sys/peers.h"

u64 launcher_ranks(void);      /* 1: none, or this process alone */
u64 launcher_rank(void);       /* of this process, from 0 */
u64 launcher_ranks_here(void); /* on this machine */

/* Connect with the other ranks, by the engine of their MPI. A signal (w_signal_stop) ends waiting.
 * silence_s: as in sys/peers.h. W_IO: there is no engine, or it knows of other ranks. */
enum w_status launcher_connect(struct w_peers **, double silence_s, struct w_err *) W_MUST_CHECK;

/* Wait until the launcher has passed on what this rank has said: Hydra loses it if an abort follows
 * at once. */
void launcher_settle(void);

/* Make this exit status that of the launcher, where it is not enough that this process ends with
 * it: Hydra, the launcher of MPICH, mixes it with those of the ranks that it kills then. */
void launcher_abort(int status);

#endif
