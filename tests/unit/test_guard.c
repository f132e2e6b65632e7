/* The guard of a rank (tools/guard.h): how it ends, for each way in which its rank ends, and what
 * reaches the rank. The rank is this program, without an MPI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "sys/clock.h"
#include "tools/guard.h"
#include "tools/messages.h"

#define PATIENCE_S 20 /* on a machine that is busy */

/* ---- what a rank does, after it has told the test that it is there ---- */

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    (void)number;
    caught++;
}

static void say_ready(void)
{
    if (write(STDERR_FILENO, "R", 1) != 1)
        _exit(98);
}

static void end_with(int status)
{
    say_ready();
    _exit(status);
}

static void die_by(int number)
{
    say_ready();
    signal(number, SIG_DFL);
    kill(getpid(), number);
    w_sleep_s(PATIENCE_S);
}

/* End with the number of signals that have come, half a second after the first. */
static void count_signals(int number)
{
    signal(number, on_signal);
    say_ready();
    for (int i = 0; i < 100 * PATIENCE_S && !caught; i++)
        w_sleep_s(0.01);
    w_sleep_s(0.5);
    _exit(caught);
}

static void close_and_wait(int fd)
{
    close(fd);
    say_ready();
    w_sleep_s(PATIENCE_S);
}

/* ---- a guard and its rank ---- */

struct guarded {
    pid_t pid;     /* of the guard */
    int in, heard; /* the other ends of its standard input and, for both processes, error */
};

static struct guarded start(void (*work)(int), int argument)
{
    int in[2], out[2];
    char byte = 0;

    assert_int_equal(pipe(in) | pipe(out), 0);
    const struct guarded g = {fork(), in[1], out[0]};
    if (g.pid == 0) {
        struct w_err err;
        setpgid(0, 0);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDERR_FILENO);
        for (int i = 0; i < 2; i++) {
            close(in[i]);
            close(out[i]);
        }
        if (guard_begin(&err))
            _exit(99);
        work(argument);
        _exit(97);
    }
    assert_true(g.pid > 0);
    close(in[0]);
    close(out[1]);
    assert_int_equal(read(g.heard, &byte, 1), 1);
    assert_int_equal(byte, 'R');
    return g;
}

/* Until both processes have ended. Returns the status of the guard as waitpid() does; *said: what
 * came from both. */
static int wait_for(struct guarded *g, char said[512])
{
    const double end_s = w_now_s() + PATIENCE_S / 2.0;
    size_t used = 0;
    int status = 0;
    bool open = true;

    while (open && w_now_s() < end_s) {
        struct pollfd end = {.fd = g->heard, .events = POLLIN};
        if (poll(&end, 1, 100) > 0) {
            const ssize_t got = read(g->heard, said + used, 511 - used);
            open = got > 0;
            used += open ? (size_t)got : 0;
        }
    }
    said[used] = 0;
    assert_false(open); /* one of them lives on */
    assert_int_equal(waitpid(g->pid, &status, 0), g->pid);
    close(g->heard);
    close(g->in);
    return status;
}

static int by_open_mpi(void **state)
{
    (void)state;
    w_messages_from("wtrain");
    return setenv("OMPI_COMM_WORLD_SIZE", "4", 1) | setenv("OMPI_COMM_WORLD_RANK", "3", 1) |
           unsetenv("PMI_SIZE");
}

/* ---- tests ---- */

static void a_guard_ends_as_its_rank_does(void **state)
{
    (void)state;
    for (int status = 0; status <= 4; status++) {
        char said[512];
        struct guarded g = start(end_with, status);
        const int ended = wait_for(&g, said);
        assert_true(WIFEXITED(ended));
        assert_int_equal(WEXITSTATUS(ended), status);
        assert_string_equal(said, "");
    }
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < W_COUNTOF(stops); i++) {
        char said[512];
        struct guarded g = start(die_by, stops[i]);
        const int ended = wait_for(&g, said);
        assert_true(WIFSIGNALED(ended));
        assert_int_equal(WTERMSIG(ended), stops[i]);
        assert_string_equal(said, "");
    }
}

static void a_rank_that_is_killed_is_named_with_status_4(void **state)
{
    (void)state;
    static const struct {
        int number;
        const char *cause;
    } rows[] = {{SIGKILL, "(Killed), as where memory runs out"},
                {SIGUSR2, "(User defined signal 2)"}};
    for (size_t i = 0; i < W_COUNTOF(rows); i++) {
        char said[512], want[512];
        struct utsname system;
        struct guarded g = start(die_by, rows[i].number);
        const int ended = wait_for(&g, said);
        assert_true(WIFEXITED(ended));
        assert_int_equal(WEXITSTATUS(ended), 4);
        assert_int_equal(uname(&system), 0);
        snprintf(want, sizeof want,
                 "wtrain: rank 3 on %s was killed by signal %d %s: --resume goes on from the "
                 "newest checkpoint\n",
                 system.nodename, rows[i].number, rows[i].cause);
        assert_string_equal(said, want);
    }
}

static void a_signal_to_the_guard_or_its_group_comes_once(void **state)
{
    (void)state;
    static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1, SIGCONT};
    for (size_t i = 0; i < W_COUNTOF(numbers); i++)
        for (int group = 0; group < 2; group++) {
            char said[512];
            struct guarded g = start(count_signals, numbers[i]);
            assert_int_equal(kill(group ? -g.pid : g.pid, numbers[i]), 0);
            const int ended = wait_for(&g, said);
            assert_true(WIFEXITED(ended));
            assert_int_equal(WEXITSTATUS(ended), 1);
        }
}

static void a_guard_that_is_killed_takes_its_rank_along(void **state)
{
    (void)state;
    char said[512];
    struct guarded g = start(count_signals, SIGUSR1);
    assert_int_equal(kill(g.pid, SIGKILL), 0);
    const int ended = wait_for(&g, said);
    assert_true(WIFSIGNALED(ended));
    assert_int_equal(WTERMSIG(ended), SIGKILL);
}

static void what_a_rank_closes_is_closed(void **state)
{
    (void)state;
    char said[512];
    struct guarded g = start(close_and_wait, STDIN_FILENO);
    struct pollfd end = {.fd = g.in};
    assert_int_equal(poll(&end, 1, 1000 * PATIENCE_S / 2), 1);
    assert_true(end.revents & POLLERR);
    assert_int_equal(kill(g.pid, SIGKILL), 0);
    wait_for(&g, said);
}

/* Hydra, the launcher of MPICH, is told the status. */
static void hydra_is_told(void **state)
{
    (void)state;
    char said[512], number[16], told[64] = "";
    int fd[2];

    assert_int_equal(pipe(fd), 0);
    snprintf(number, sizeof number, "%d", fd[1]);
    assert_int_equal(unsetenv("OMPI_COMM_WORLD_SIZE") | setenv("PMI_SIZE", "4", 1) |
                         setenv("PMI_RANK", "3", 1) | setenv("MPI_LOCALNRANKS", "4", 1) |
                         setenv("PMI_FD", number, 1),
                     0);
    struct guarded g = start(die_by, SIGKILL);
    assert_int_equal(WEXITSTATUS(wait_for(&g, said)), 4);
    g = start(end_with, 3);
    assert_int_equal(WEXITSTATUS(wait_for(&g, said)), 3);
    close(fd[1]);
    assert_true(read(fd[0], told, sizeof told - 1) > 0);
    assert_string_equal(told, "cmd=abort exitcode=4\n");
    close(fd[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_guard_ends_as_its_rank_does, by_open_mpi),
        cmocka_unit_test_setup(a_rank_that_is_killed_is_named_with_status_4, by_open_mpi),
        cmocka_unit_test_setup(a_signal_to_the_guard_or_its_group_comes_once, by_open_mpi),
        cmocka_unit_test_setup(a_guard_that_is_killed_takes_its_rank_along, by_open_mpi),
        cmocka_unit_test_setup(what_a_rank_closes_is_closed, by_open_mpi),
        cmocka_unit_test(hydra_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
