/* peers_engine.h - what peers.c asks of the library that carries messages between the processes of
 * a run. Each MPI has its own types, so each gets a shared object, made from peers_mpi.c by its own
 * compiler and loaded when a program finds itself started by that MPI: the program itself needs
 * none.
 *
 * One thread calls these functions. int: 0, or an error that text() describes. */
#ifndef W_PEERS_ENGINE_H
#define W_PEERS_ENGINE_H

#include "base/base.h"

#define W_PEERS_ENGINE_VERSION 1
#define W_PEERS_ENGINE_SYMBOL "w_peers_engine" /* of the shared object: a struct w_peers_engine */

#define W_PEERS_ANY UINT32_MAX /* as the rank to receive from */
#define W_PEERS_TAGS 16384     /* tags are below it */

/* Room for whatever the library calls a request. */
struct w_peers_request {
    u64 handle;
};

struct w_peers_engine {
    u32 version;
    const char *name; /* "Open MPI" */
    int (*open)(u32 *rank, u32 *size);
    /* Bytes that stay where they are until the request is done. A send is done once the other side
     * has begun to receive it. */
    int (*send)(u32 to, u32 tag, const void *bytes, u64 count, struct w_peers_request *);
    int (*receive)(u32 from, u32 tag, void *bytes, u64 count, struct w_peers_request *);
    /* Is it done? It is then gone. *got, unless NULL: bytes that were received. */
    int (*test)(struct w_peers_request *, bool *done, u64 *got);
    /* A receive that is not wanted any more. */
    int (*cancel)(struct w_peers_request *);
    int (*close)(void);
    /* Ends all processes; their launcher reports this exit status. */
    void (*abort)(int status);
    void (*text)(int error, char text[256]);
};

#endif
