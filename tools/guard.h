/* guard.h - a process between a launcher and a rank (tools/launcher.h). A rank that is killed can
 * say nothing, and its launcher ends the others before one of them could; so a rank works in a
 * child of the process that the launcher has started. That process, its guard, hands on signals
 * and ends as the rank ends: with its exit status, or by the SIGINT, SIGTERM or SIGHUP that has
 * stopped it. If any other signal has killed the rank, the guard names it, and status 4 is that of
 * the run.
 *
 * A launcher signals the process that it has started (Slurm) or the group of that (Open MPI,
 * MPICH). The rank has a group of its own, so that a signal reaches it once, from its guard. A
 * guard that is killed takes its rank along; SIGSTOP, which nobody can hand on, stops the guard
 * alone and does no harm. */
#ifndef W_GUARD_H
#define W_GUARD_H

#include "base/status.h"

/* Go on in a child of this process, which becomes its guard and does not return. To be called by
 * one of several ranks, before it has threads, open files or anything to say. W_IO, W_NOMEM: the
 * system gives no such child. */
enum w_status guard_begin(struct w_err *) W_MUST_CHECK;

#endif
