#include "tools/guard.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/launcher.h"
#include "tools/messages.h"
#include "tools/signals.h"

/* Until the rank has ended, hand on what arrives: all signals are blocked, so none is lost. Returns
 * how the rank ended, as waitpid() does. */
static int watch(pid_t rank, const sigset_t *all)
{
    int ended = SIGKILL, number; /* killed, should it not be known */

    while (!waitpid(rank, &ended, WNOHANG))
        if (!sigwait(all, &number) && number != SIGCHLD)
            kill(rank, number); /* there until it is waited for, alive or not */
    return ended;
}

/* The rank was stopped by a signal, and has saved its state: its launcher is to see that. */
static void end_by(int number)
{
    sigset_t one;

    sigemptyset(&one);
    sigaddset(&one, number);
    signal(number, SIG_DFL);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
}

static void report(int number)
{
    struct utsname system;

    w_problem("rank %llu on %s was killed by signal %d (%s)%s: --resume goes on from the newest "
              "checkpoint",
              (unsigned long long)launcher_rank(), uname(&system) ? "?" : system.nodename, number,
              strsignal(number), number == SIGKILL ? ", as where memory runs out" : "");
}

static _Noreturn void end_as(int ended)
{
    if (WIFEXITED(ended))
        _exit(WEXITSTATUS(ended));
    if (w_signal_is_stop(WTERMSIG(ended)))
        end_by(WTERMSIG(ended));
    report(WTERMSIG(ended));
    launcher_abort(w_exit_code(W_IO));
    _exit(w_exit_code(W_IO));
}

enum w_status guard_begin(struct w_err *err)
{
    const pid_t guard = getpid();
    enum w_status status = W_DONE;
    sigset_t all, before;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    signal(SIGCHLD, SIG_DFL); /* if it is ignored, a child leaves no status */
    const pid_t rank = fork();
    if (rank > 0) {
        /* those at the other ends see when the rank closes them; nothing was written */
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        end_as(watch(rank, &all));
    }
    if (rank < 0)
        status = w_fail_errno(err, "cannot start a process for this rank");
    else if (prctl(PR_SET_PDEATHSIG, SIGKILL) || setpgid(0, 0))
        status = w_fail_errno(err, "cannot tie this rank to its guard");
    else if (getppid() != guard)
        raise(SIGKILL); /* its guard was killed before it was tied to it */
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}
