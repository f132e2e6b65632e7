/* peers_relay.h - an input of rank 0 for every rank: rank 0 reads it in chunks; each rank writes
 * a chunk to a pipe, which is its own standard input, and sends it to the next rank. An empty chunk
 * is the end.
 *
 * Once the program has enough and has closed its standard input, chunks are only sent on. */
#ifndef W_PEERS_RELAY_H
#define W_PEERS_RELAY_H

#include "sys/peers_engine.h"
#include "base/status.h"

#define W_RELAY_BYTES 65536
#define W_RELAY_TAG 1 /* of its messages */

struct w_relay {
    u32 rank, size;
    int in;        /* rank 0: what is read; -1: it is at its end */
    int out;       /* the pipe's end for writing; -1: nobody reads, or the end */
    bool on, last; /* there may be more; the chunk at hand is the end */
    bool has, receives, sends, sent;
    u64 count, written;
    struct w_peers_request receive, send;
    u8 chunk[W_RELAY_BYTES];
};

/* path: of rank 0; NULL and "-": standard input. W_IO. The descriptor 0 becomes the pipe. */
enum w_status w_relay_open(struct w_relay *, const char *path, u32 rank, u32 size,
                           struct w_err *) W_MUST_CHECK;
/* Go on without waiting. Returns an error of the engine, or 0. *busy: it moved something. */
int w_relay_advance(struct w_relay *, const struct w_peers_engine *, bool *busy);
/* Rank 0: what is not read yet stays unread. */
void w_relay_stop(struct w_relay *);
void w_relay_close(struct w_relay *);

#endif
