/* network_probe.h - the network between two ranks (sys/peers.h), as their own exchanges find it:
 * few bytes alone for the latency, and as many as in a step of training, several exchanges
 * together, for the bandwidth. Whatever the engine, its thread and the system add to the network is
 * measured too. */
#ifndef W_NETWORK_PROBE_H
#define W_NETWORK_PROBE_H

#include "sys/peers.h"

#define W_NETWORK_PROBES 5

struct w_network_probe {
    struct {
        u32 exchanges;  /* started together */
        u64 bytes;      /* of each, in both directions at once */
        double seconds; /* until all are done: lower quartile, since others only make it longer */
    } rows[W_NETWORK_PROBES];
    double latency_s; /* of an exchange of a byte */
    double bytes_s;   /* in each direction at once */
};

/* Both of two ranks call it, after w_peers_greet(). Takes 4 seconds with 1 Gbit/s, and a minute
 * with 5 Mbit/s. W_NOMEM; status of w_peers_wait(). */
enum w_status w_network_probe_run(struct w_network_probe *, struct w_peers *,
                                  struct w_err *) W_MUST_CHECK;

#endif
