/* runlog.h - rate, loss and memory of a training run, from the JSON Lines of wtrain --log. */
#ifndef W_RUNLOG_H
#define W_RUNLOG_H

#include "conf/conf.h"
#include "kern/bf16.h"

struct w_runlog {
    u64 steps;      /* lines of steps */
    double tok_s;   /* median of the steps, which a few slow ones (a checkpoint) do not change */
    double loss;    /* of the last step, nats per token; 0: not known */
    u64 peak_bytes; /* the largest resident memory; 0: not known */

    /* of the header line, if there is one */
    bool has_header;
    struct w_conf conf;
    u32 threads;
    enum w_type type; /* compute type */
    char kernel[16], cpu[128];
    u64 plan_bytes;
    u64 began; /* seconds since 1970; 0: not known */
};

/* "-" is standard input. Of several runs in one file the last counts. Lines of other kinds, and a
 * last line that a killed run left unfinished, are skipped. W_CORRUPT: no line of a step; W_LIMIT:
 * larger than 1 GiB; W_IO; W_NOMEM. */
enum w_status w_runlog_read(struct w_runlog *, const char *path, struct w_err *) W_MUST_CHECK;

#endif
