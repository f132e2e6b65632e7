/* calibration.h - what was measured on a host, and is kept: memory curves, the peak of the trainer's
 * arithmetic, and what its kernels take at many shapes.
 *
 *     w_calibration_run(&c, &machine, &(struct w_calibrating){.threads = 2, .seconds = 15, ...}, &err)
 *     w_calibration_save(&c, path, &err)
 *     ...
 *     w_calibration_load(&c, path, &err)              // W_NO: there is none
 *     w_calibration_doubt(&c, &machine, now, text)    // of another host, too old, noisy?
 *
 * Every number is of one host, one version of this library and one choice of kernels; the file says
 * which. */
#ifndef W_CALIBRATION_H
#define W_CALIBRATION_H

#include "bench/memory_curve.h"
#include "bench/step_probe.h"
#include "sys/machine.h"

#define W_CALIBRATION_PROBES 48
#define W_CALIBRATION_DECODES 8
#define W_CALIBRATION_LEVELS 3

/* The arithmetic's peak: the tile of a product, again and again, out of L1. */
struct w_peak {
    double one, all; /* FLOP/s of one thread and of all together: median over the calibration */
    double half;     /* of all in the slower of two states, see w_states_of(); 0: there was one */
    double slowest_part; /* of the slowest moment to the median: what the machine's moods take */
};

/* Generation with weights of a size. */
struct w_decode_cost {
    u64 bytes; /* read for a token */
    double seconds;
};

struct w_calibration {
    char cpu[128], host[64], version[16];
    char kernel[W_TYPES][16]; /* for operands of each precision; "": not measured */
    u32 logical_cpus;
    u64 time; /* of the measurement, seconds since 1970 */
    double took_s;
    u32 threads; /* "all" */
    struct w_peak peak[W_TYPES];
    struct w_curve latency, bandwidth_one, bandwidth_all;
    u64 claimed[W_CALIBRATION_LEVELS];     /* L1, L2, L3 as the system says */
    double capacity[W_CALIBRATION_LEVELS]; /* as measured: bytes; 0: no knee was seen */
    double disk_bytes_s;                   /* of writing and syncing; 0: not measured */
    struct w_decode_cost decodes[W_CALIBRATION_DECODES];
    struct w_step_probe probes[W_CALIBRATION_PROBES];
    double draw_s; /* to draw a token, for each id of the vocabulary */
    u32 decode_count, probe_count;
    u32 noisy; /* measurements that doubt themselves, of */
    u32 measurements;
};

struct w_calibrating {
    u32 threads;
    const struct w_kern *kern[W_TYPES]; /* for each precision; NULL: do not measure it */
    enum w_type type;                   /* the one that is measured first, and with one thread */
    double seconds;                     /* about how long; less gives fewer shapes */
    const struct w_shape *more;         /* shapes of interest beside the usual ones, or NULL */
    u32 more_count;
    const char *host;    /* a name for it */
    const char *scratch; /* a file name that may be written and removed, or NULL */
    u64 time;
    void (*progress)(void *context, const char *what, double part); /* or NULL */
    void *context;
};

enum w_status w_calibration_run(struct w_calibration *, const struct w_machine *,
                                const struct w_calibrating *, struct w_err *) W_MUST_CHECK;

/* The name of a host's file within a folder of the caller's: FOLDER/host-0123456789ab.json */
void w_calibration_path(char *path, size_t size, const char *folder, const struct w_machine *);

enum w_status w_calibration_save(const struct w_calibration *, const char *path,
                                 struct w_err *) W_MUST_CHECK;
/* W_NO: no such file. W_CORRUPT, W_NEWER: not to be used; run it again. */
enum w_status w_calibration_load(struct w_calibration *, const char *path,
                                 struct w_err *) W_MUST_CHECK;
/* From the text of such a file; errors do not name it. */
enum w_status w_calibration_parse(struct w_calibration *, const char *text, size_t size,
                                  struct w_err *) W_MUST_CHECK;
struct w_json *w_calibration_json(const struct w_calibration *);

/* Why not to trust it, as one line; false: no reason. */
#define W_DOUBT_TEXT 256
bool w_calibration_doubt(const struct w_calibration *, const struct w_machine *, u64 now,
                         char text[W_DOUBT_TEXT]);

/* A machine may run in two states, and a calibration is then of both. */
enum w_state { W_STATE_FULL, W_STATE_HALF };
/* The state in which a shape was measured: full, unless the peak beside it was that of the other. */
enum w_state w_calibration_state(const struct w_calibration *, const struct w_step_probe *);

/* Whether steps of a precision were measured. */
bool w_calibration_knows(const struct w_calibration *, enum w_type);

/* What it knows of a machine put into its description: peaks, bandwidths. */
void w_calibration_apply(const struct w_calibration *, struct w_machine *);

#endif
