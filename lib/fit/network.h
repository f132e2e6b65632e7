/* network.h - what connects the ranks of a run (sys/peers.h): by name, or as a file says. */
#ifndef W_NETWORK_H
#define W_NETWORK_H

#include "base/status.h"

struct w_network {
    double bytes_s;   /* of one rank, in each direction at once */
    double latency_s; /* of a message that is not large, there and acknowledged */
};

#define W_NETWORK_NAMES "1GbE, 2.5GbE, 10GbE, 25GbE, 100GbE"

/* name: one of W_NETWORK_NAMES, or a file of JSON, {"bytes_s": N, "latency_s": X}. W_USAGE: no such
 * name, or no such numbers; W_IO, W_NOMEM. */
enum w_status w_network_find(struct w_network *, const char *name_or_path,
                             struct w_err *) W_MUST_CHECK;

#endif
