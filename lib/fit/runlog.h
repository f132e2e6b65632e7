/* runlog.h - what a training run measured, from the JSON Lines that wtrain --log wrote. */
#ifndef W_RUNLOG_H
#define W_RUNLOG_H

#include "conf/conf.h"
#include "bench/probe.h"
#include "kern/bf16.h"

struct w_runlog {
    u64 steps;    /* step lines */
    double tok_s; /* median of the steps: one slow step (a checkpoint, a laptop's lid) is no rate */
    struct w_states states; /* of the steps' rates */
    double loss;            /* of the last step, nats per token; 0 if it says none */
    u64 peak_bytes;         /* the largest resident memory; 0 if it says none */

    /* from the header; a log whose beginning is lost has none */
    bool has_header;
    struct w_conf conf;
    u32 threads;
    enum w_type type; /* of operands: the precision */
    char kernel[16], cpu[128];
    u64 plan_bytes;
    u64 began; /* seconds since 1970; 0: it does not say */
};

/* "-" is standard input. Of several runs in one file the last counts. A file without a step line is
 * W_CORRUPT. Lines of other kinds, and a last
 * line that a killed run left unfinished, are passed over. */
enum w_status w_runlog_read(struct w_runlog *, const char *path, struct w_err *) W_MUST_CHECK;

#endif
