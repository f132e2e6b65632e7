#include "tools/launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"
#include "tools/cli.h"

#define SETTLE_S 0.2

/* A launcher of ranks: variables that it sets, and the engine of its MPI. abort_fd: a variable with
 * the number of a descriptor, on which it takes PMI-1's command to abort; NULL: none. */
static const struct launcher {
    const char *size, *rank, *local_size, *engine, *packages, *abort_fd;
} launchers[] = {
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE", "openmpi",
     "libopenmpi-dev", NULL},
    {"PMI_SIZE", "PMI_RANK", "MPI_LOCALNRANKS", "mpich", "libmpich-dev", "PMI_FD"},
    /* srun --mpi=pmix */
    {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_STEP_TASKS_PER_NODE", "openmpi",
     "libopenmpi-dev", NULL},
};

static u64 number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : 0;
}

static const struct launcher *find_launcher(void)
{
    for (size_t i = 0; i < W_COUNTOF(launchers); i++)
        if (number_of(launchers[i].size) > 1)
            return &launchers[i];
    return NULL;
}

u64 launcher_ranks(void)
{
    const struct launcher *launcher = find_launcher();
    return launcher ? number_of(launcher->size) : 1;
}

u64 launcher_rank(void)
{
    const struct launcher *launcher = find_launcher();
    return launcher ? number_of(launcher->rank) : 0;
}

u64 launcher_ranks_here(void)
{
    const struct launcher *launcher = find_launcher();
    return launcher ? W_MAX(number_of(launcher->local_size), 1) : 1;
}

/* The engine is beside the program where it was built, else where it is installed. */
static enum w_status find_engine(const struct launcher *launcher, char path[4096],
                                 struct w_err *err)
{
    static const char *const folders[] = {"", "../lib/wtools/"};
    char program[3072] = "";
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);

    program[W_MAX(length, 0)] = 0;
    char *slash = strrchr(program, '/');
    if (slash)
        slash[1] = 0;
    for (size_t i = 0; i < W_COUNTOF(folders); i++) {
        snprintf(path, 4096, "%s%speers_%s.so", program, folders[i], launcher->engine);
        if (access(path, R_OK) == 0)
            return W_DONE;
    }
    return w_fail(err, W_IO,
                  "started as one of %llu ranks, but peers_%s.so, which carries messages between "
                  "them, is not installed: build wtools where %s is",
                  (unsigned long long)number_of(launcher->size), launcher->engine,
                  launcher->packages);
}

enum w_status launcher_connect(struct w_peers **peers, double silence_s, struct w_err *err)
{
    const struct launcher *launcher = find_launcher();
    const u64 expected = launcher_ranks();
    char path[4096];

    if (!launcher)
        return w_fail(err, W_USAGE, "this process is no rank of several");
    enum w_status status = find_engine(launcher, path, err);
    if (!status)
        status = w_peers_open(peers,
                              &(struct w_peers_options){
                                  .engine = path, .silence_s = silence_s, .stop = &w_signal_stop},
                              err);
    if (!status && w_peers_size(*peers) != expected)
        status = w_fail(err, W_IO,
                        "started as one of %llu ranks, but its MPI knows of %u: start it by the "
                        "mpirun of %s, or by srun --mpi=pmix",
                        (unsigned long long)expected, w_peers_size(*peers), launcher->packages);
    return status;
}

void launcher_settle(void)
{
    w_sleep_s(SETTLE_S);
}

void launcher_abort(int status)
{
    const struct launcher *launcher = find_launcher();
    /* Slurm sets PMI_FD for PMI-2, and no number of ranks on this machine beside it. */
    const bool takes = launcher && launcher->abort_fd && getenv(launcher->local_size);
    const u64 fd = takes ? number_of(launcher->abort_fd) : 0;

    if (!fd)
        return;
    launcher_settle();
    if (dprintf((int)fd, "cmd=abort exitcode=%d\n", status) < 0)
        w_warn("the launcher may report another status than %d", status);
}
