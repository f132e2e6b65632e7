/* peer.h - another trainer to compare with: a process that runs one step for each line that it
 * reads: "COMMAND serve CONFIG --precision fp32|bf16 --threads N" prints {"ready": true}, then
 * {"step_s": seconds} for each step. */
#ifndef W_PEER_H
#define W_PEER_H

#include <sys/types.h>

#include "base/status.h"

struct peer {
    pid_t pid; /* 0: none */
    int to, from;
    char text[4096]; /* read and not yet used */
    size_t held;
};

/* W_IO, W_CORRUPT, W_LIMIT: it does not start or does not answer so. Stop it in any case. */
enum w_status peer_start(struct peer *, const char *command, const char *config,
                         const char *precision, u32 threads, struct w_err *) W_MUST_CHECK;
/* Run one step; *seconds as the peer reports. Status as above. */
enum w_status peer_step(struct peer *, double *seconds, struct w_err *) W_MUST_CHECK;
void peer_stop(struct peer *); /* harmless when not started */

#endif
