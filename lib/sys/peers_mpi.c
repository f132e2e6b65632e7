/* The engine of peers.h by MPI. Not a part of the library: compiled by mpicc of each MPI into a
 * shared object of its own (peers_engine.h). */
#include "sys/peers_engine.h"

#include <limits.h>
#include <mpi.h>
#include <string.h>

#pragma GCC visibility push(default)
extern const struct w_peers_engine w_peers_engine;
#pragma GCC visibility pop

_Static_assert(sizeof(MPI_Request) <= sizeof(struct w_peers_request), "a request has room");

static MPI_Request request_of(const struct w_peers_request *from)
{
    MPI_Request request;
    memcpy(&request, from, sizeof request);
    return request;
}

static void keep(struct w_peers_request *to, MPI_Request request)
{
    memcpy(to, &request, sizeof request);
}

static int open_mpi(u32 *rank, u32 *size)
{
    int level = 0, number = 0, count = 0;
    int error = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);

    if (!error)
        error = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (!error)
        error = MPI_Comm_rank(MPI_COMM_WORLD, &number);
    if (!error)
        error = MPI_Comm_size(MPI_COMM_WORLD, &count);
    *rank = (u32)number;
    *size = (u32)count;
    return error;
}

static int send_mpi(u32 to, u32 tag, const void *bytes, u64 count, struct w_peers_request *out)
{
    MPI_Request request = MPI_REQUEST_NULL;
    int error = count > INT_MAX ? MPI_ERR_COUNT
                                : MPI_Issend(bytes, (int)count, MPI_BYTE, (int)to, (int)tag,
                                             MPI_COMM_WORLD, &request);

    keep(out, request);
    return error;
}

static int receive_mpi(u32 from, u32 tag, void *bytes, u64 count, struct w_peers_request *out)
{
    MPI_Request request = MPI_REQUEST_NULL;
    const int source = from == W_PEERS_ANY ? MPI_ANY_SOURCE : (int)from;
    int error = count > INT_MAX ? MPI_ERR_COUNT
                                : MPI_Irecv(bytes, (int)count, MPI_BYTE, source, (int)tag,
                                            MPI_COMM_WORLD, &request);

    keep(out, request);
    return error;
}

static int test_mpi(struct w_peers_request *at, bool *done, u64 *got)
{
    MPI_Request request = request_of(at);
    MPI_Status status;
    int flag = 0, count = 0;
    int error = MPI_Test(&request, &flag, &status);

    if (!error && flag && got)
        error = MPI_Get_count(&status, MPI_BYTE, &count);
    if (got)
        *got = (u64)count;
    *done = flag != 0;
    keep(at, request);
    return error;
}

static int cancel_mpi(struct w_peers_request *at)
{
    MPI_Request request = request_of(at);
    int error = MPI_Cancel(&request);

    if (!error)
        error = MPI_Wait(&request, MPI_STATUS_IGNORE);
    keep(at, request);
    return error;
}

static int close_mpi(void)
{
    return MPI_Finalize();
}

static void abort_mpi(int status)
{
    MPI_Abort(MPI_COMM_WORLD, status);
}

static void text_mpi(int error, char text[256])
{
    char whole[MPI_MAX_ERROR_STRING + 1] = "";
    int length = 0;

    if (MPI_Error_string(error, whole, &length))
        length = 0;
    memcpy(text, whole, W_MIN((size_t)length, 255));
    text[W_MIN(length, 255)] = 0;
}

const struct w_peers_engine w_peers_engine = {
    .version = W_PEERS_ENGINE_VERSION,
#ifdef OPEN_MPI
    .name = "Open MPI",
#else
    .name = "MPICH",
#endif
    .open = open_mpi,
    .send = send_mpi,
    .receive = receive_mpi,
    .test = test_mpi,
    .cancel = cancel_mpi,
    .close = close_mpi,
    .abort = abort_mpi,
    .text = text_mpi,
};
