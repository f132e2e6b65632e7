/* wcachefit calibrate: measure this host, keep the calibration, and show it. */
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tools/host_cache.h"
#include "tools/wcachefit/commands.h"

static const struct w_option options[] = {
    {"seconds", 0, W_OPT_REAL, AT(seconds), .arg = "X", .dflt = "10", .min = 0.01, .max = 3600,
     .help = "Begin no new shape after so many seconds; the whole takes half as long again."},
    {"network", 0, W_OPT_FLAG, AT(measure_network),
     .help = "Measure the network between two ranks instead, which mpirun -n 2 starts, and write a "
             "file for --network of report and plot."},
    {THREADS_OPTION},
    {PRECISION_OPTION},
    {SET_OPTION},
    {JSON_OPTION("Write machine and calibration as a JSON object.")},
    {OUTPUT_OPTION},
    {0},
};

static const char *const examples[] = {
    "Measure this machine",
    "wcachefit calibrate",
    "With the shapes of what will be trained",
    "wcachefit calibrate configs/autoregressive_fast.json",
    "What connects this machine with another",
    "mpirun -n 2 --host here,there wcachefit calibrate --network -o lan.json",
    NULL,
};

static void show_progress(void *context, const char *what, double part)
{
    (void)context;
    w_progress(false, "calibrating: %3.0f %%, %s", 100 * part, what);
}

static void write_capacities(FILE *f, const struct w_calibration *c)
{
    static const char *const names[] = {"L1 data", "L2", "L3"};

    for (u32 i = 0; i < W_CALIBRATION_LEVELS; i++) {
        char claimed[W_FIGURE_TEXT], found[W_FIGURE_TEXT];
        bool known = c->capacity[i] > 0;
        fprintf(f, "  %-8s %10s measured, %10s claimed%s\n", names[i],
                w_figure_text(found, W_UNIT_BYTES, known ? c->capacity[i] : NAN),
                w_figure_text(claimed, W_UNIT_BYTES, c->claimed[i] ? (double)c->claimed[i] : NAN),
                known ? "" : " (its end was not found)");
    }
}

static void write_calibration(FILE *f, const struct w_calibration *c)
{
    char one[W_FIGURE_TEXT], all[W_FIGURE_TEXT], size[W_FIGURE_TEXT], when[32];
    time_t seconds = (time_t)c->time;
    struct tm tm;

    strftime(when, sizeof when, "%Y-%m-%d %H:%M", localtime_r(&seconds, &tm));
    fprintf(f, "CALIBRATION of %s, %s, version %s, %u threads, in %.1f s\n", c->host, when,
            c->version, (unsigned)c->threads, c->took_s);
    for (u32 type = 0; type < W_COMPUTE_TYPES; type++) {
        if (!c->kernel[type][0])
            continue;
        const struct w_peak *peak = &c->peak[type];
        fprintf(f,
                "  %s     %s kernels: %s with one thread, %s with all (at the slowest %.0f %% of "
                "that)\n",
                w_compute_type_name(type), c->kernel[type],
                w_figure_text(one, W_UNIT_FLOP_S, peak->one),
                w_figure_text(all, W_UNIT_FLOP_S, peak->all), 100 * peak->slowest_part);
    }
    write_capacities(f, c);
    fprintf(f, "  %10s %12s %14s %14s\n", "size", "latency", "one thread", "all threads");
    for (u32 i = 0; i < c->latency.count; i += 2) {
        double bytes = (double)c->latency.points[i].bytes;
        fprintf(f, "  %10s %9.1f ns %14s %14s\n", w_figure_text(size, W_UNIT_BYTES, bytes),
                1e9 * c->latency.points[i].value,
                w_figure_text(one, W_UNIT_BYTES_S, w_curve_at(&c->bandwidth_one, bytes)),
                w_figure_text(all, W_UNIT_BYTES_S, w_curve_at(&c->bandwidth_all, bytes)));
    }
    fprintf(f, "  %u shapes of a step; %u of %u measurements are noisy\n", (unsigned)c->probe_count,
            (unsigned)c->noisy, (unsigned)c->measurements);
}

/* The shape of a configuration, with as many tokens as the usual shapes have. */
static struct w_shape shape_of(const struct w_conf *conf)
{
    u64 batch = W_MAX(1024 / conf->max_length, 4);

    return (struct w_shape){(u32)conf->d_model,       (u32)conf->num_heads,  (u32)conf->d_ff,
                            (u32)conf->vocab_size,    (u32)conf->max_length, (u32)batch,
                            (u32)conf->softmax_sample};
}

static enum w_status calibrate(struct w_calibration *c, const struct report *r, double seconds,
                               struct w_err *err)
{
    static struct w_calibration before;
    struct w_shape more[8];
    char path[HOST_CACHE_PATH], scratch[HOST_CACHE_PATH], host[64] = "", doubt[W_DOUBT_TEXT];
    enum w_type type = r->type;
    struct w_calibrating how = {.threads = r->threads,
                                .type = type,
                                .seconds = seconds,
                                .more = more,
                                .more_count = (u32)r->count,
                                .host = host,
                                .scratch = scratch,
                                .time = (u64)time(NULL),
                                .progress = show_progress};
    enum w_status status = W_DONE;

    if (r->count > W_COUNTOF(more))
        return w_fail(err, W_USAGE, "takes at most %zu configurations", W_COUNTOF(more));
    for (size_t i = 0; i < r->count; i++)
        more[i] = shape_of(&r->confs[i]);
    gethostname(host, sizeof host - 1);
    for (u32 kind = W_PRECISION_FP32; kind <= W_PRECISION_BF16 && !status; kind++) {
        const struct w_kern *kern;
        status = w_kern_choose_precision(&kern, &type, NULL, kind, err);
        if (!status)
            how.kern[type] = kern;
    }
    if (!status)
        status = host_cache_make(err);
    if (!status)
        status = host_calibration_path(path, &r->machine, err);
    if (!status)
        status = host_cache_path(scratch, "scratch", err);
    if (!status)
        status = w_calibration_run(c, &r->machine, &how, err);
    if (status)
        return status;
    const bool kept =
        w_calibration_load(&before, path, NULL) || w_calibration_replaces(c, &before, &r->machine);
    if (kept)
        status = w_calibration_save(c, path, err);
    if (status)
        return status;
    if (w_calibration_doubt(c, &r->machine, how.time, doubt))
        w_warn("%s", doubt);
    if (kept)
        w_say("calibrated in %.1f s, kept in %s", c->took_s, path);
    else
        w_warn("not kept in place of a better one: calibrate again while nothing else runs, or "
               "remove %s",
               path);
    return W_DONE;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    static struct w_calibration calibration;
    struct report r = {.calibrated = true};

    if (set->measure_network && argc > 0)
        return w_fail(err, W_USAGE, "--network takes no configuration");
    if (set->measure_network)
        return calibrate_network(set, err);
    set->no_calibration = true; /* an earlier calibration does not matter */
    enum w_status status = report_open(&r, set, argc, argv, err);
    if (!status)
        status = calibrate(&calibration, &r, set->seconds, err);
    if (!status)
        report_calibrate(&r, set, &calibration);
    r.count = 0; /* configurations gave their shapes: no figures of them are shown */
    if (!status && set->json) {
        status = write_json(r.text.file, &r, err);
    } else if (!status) {
        write_machine(r.text.file, &r);
        write_calibration(r.text.file, &calibration);
    }
    return report_close(&r, set, status, err);
}

const struct w_program calibrate_command = {
    .name = "wcachefit calibrate",
    .summary = "measure this machine for all later predictions",
    .operands = "[CONFIG.json ...]",
    .about = "Measures memory, peak, and the trainer's kernels at many shapes and at those of the "
             "configurations; kept under ~/.cache/wtools (XDG_CACHE_HOME). Takes about 15 seconds.",
    .options = options,
    .examples = examples,
    .settings_bytes = sizeof(struct settings),
    .run = run,
};
