/* calibration.h - measurements of a host, kept in a file: memory curves, the peak of the trainer's
 * arithmetic, and the time of its kernels at many shapes.
 *
 *     w_calibration_run(&c, &machine, &(struct w_calibrating){.threads = 2, ...}, &err)
 *     w_calibration_save(&c, path, &err)
 *     ...
 *     w_calibration_load(&c, path, &err)              // W_NO: there is none
 *     w_calibration_doubt(&c, &machine, now, text)    // of another host, too old, noisy?
 *
 * Every number is of one host, one version of this library and one choice of kernels; the file says
 * which. */
#ifndef W_CALIBRATION_H
#define W_CALIBRATION_H

#include "bench/decode_probe.h"
#include "bench/memory_curve.h"
#include "bench/step_probe.h"
#include "sys/machine.h"

#define W_CALIBRATION_PROBES 48
#define W_CALIBRATION_DECODES 8
#define W_CALIBRATION_LEVELS 3

/* The arithmetic's peak: the GEMM micro-kernel over and over, on operands in L1. */
struct w_peak {
    double one, all;     /* FLOP/s of one thread and of all together: median over the calibration */
    double slowest_part; /* 5th percentile of these, relative to their median */
};

struct w_calibration {
    char cpu[128], host[64], version[16];
    char kernel[W_COMPUTE_TYPES][16]; /* for operands of each precision; "": not measured */
    u32 logical_cpus;
    u64 time; /* when it began, in seconds since 1970 */
    double took_s;
    u32 threads; /* "all" */
    struct w_peak peak[W_COMPUTE_TYPES];
    struct w_curve latency, bandwidth_one, bandwidth_all;
    u64 claimed[W_CALIBRATION_LEVELS];     /* L1, L2, L3 in bytes, as the system reports them */
    double capacity[W_CALIBRATION_LEVELS]; /* in bytes, as measured; 0: no knee was found */
    double disk_bytes_s;                   /* of writing and syncing; 0: not measured */
    struct w_decode_cost decodes[W_CALIBRATION_DECODES];
    struct w_step_probe probes[W_CALIBRATION_PROBES];
    double draw_s; /* to sample a token, divided by the ids of the vocabulary */
    u32 decode_count, probe_count;
    u32 measurements, noisy; /* how many there were, and how many of them varied too much */
};

struct w_calibrating {
    u32 threads;
    const struct w_kern *kern[W_COMPUTE_TYPES]; /* for each precision; NULL: not measured */
    enum w_type type;                           /* measured first, and also with one thread */
    double seconds;                             /* approximate duration; less gives fewer shapes */
    const struct w_shape *more;                 /* further shapes, before the usual ones; or NULL */
    u32 more_count;
    const char *host;    /* its name, for the file */
    const char *scratch; /* a file name that may be written and removed, or NULL */
    u64 time;
    /* what comes next, and the part of all measurements that is done; or NULL */
    void (*progress)(void *context, const char *what, double part);
    void *context;
};

/* Measure; nothing else should run meanwhile. W_NOMEM, or the status of w_team_new(). */
enum w_status w_calibration_run(struct w_calibration *, const struct w_machine *,
                                const struct w_calibrating *, struct w_err *) W_MUST_CHECK;

/* Repeat those of `count` <= W_CALIBRATION_PROBES shapes at which GEMM took much longer than at the
 * others: something else was running. Another program that takes a core for a second halves the
 * rate of one shape evenly, so that nothing is noisy; but it can only slow a shape down, so run()
 * measures it again, and the faster of the two counts. Returns the status of run(); its W_END, the
 * time is over, ends the repetition. */
typedef enum w_status w_shape_run(void *context, const struct w_step_probe *slow,
                                  struct w_step_probe *again, struct w_err *);
enum w_status w_calibration_repeat(struct w_step_probe *, u32 count, w_shape_run *run,
                                   void *context, struct w_err *) W_MUST_CHECK;

/* The name of a host's file in a folder: FOLDER/host-0123456789ab.json */
void w_calibration_path(char *path, size_t size, const char *folder, const struct w_machine *);

/* W_IO, W_NOMEM. The file is replaced as a whole or not at all. */
enum w_status w_calibration_save(const struct w_calibration *, const char *path,
                                 struct w_err *) W_MUST_CHECK;
/* W_NO: no such file. W_CORRUPT: damaged, W_NEWER: of another version; calibrate again. Also W_IO,
 * W_LIMIT, W_NOMEM. */
enum w_status w_calibration_load(struct w_calibration *, const char *path,
                                 struct w_err *) W_MUST_CHECK;
/* The same from the text of such a file, which errors do not name. */
enum w_status w_calibration_parse(struct w_calibration *, const char *text, size_t size,
                                  struct w_err *) W_MUST_CHECK;
/* As written to the file; the caller owns it. */
struct w_json *w_calibration_json(const struct w_calibration *);

/* A reason not to trust it, as one line; false: there is none. */
#define W_DOUBT_TEXT 256
bool w_calibration_doubt(const struct w_calibration *, const struct w_machine *, u64 now,
                         char text[W_DOUBT_TEXT]);

/* A noisy one does not replace one that is in no doubt. */
bool w_calibration_replaces(const struct w_calibration *new, const struct w_calibration *old,
                            const struct w_machine *);

/* Whether steps of a precision were measured. */
bool w_calibration_knows(const struct w_calibration *, enum w_type);

/* Write its measurements into the description of the machine: peaks, bandwidths and
 * latencies. */
void w_calibration_apply(const struct w_calibration *, struct w_machine *);

#endif
