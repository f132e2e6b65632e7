/* wcachefit verify: predicted rates and memory beside those of runs; --learn keeps the ratios. */
#include <math.h>
#include <stdlib.h>

#include "base/strnum.h"
#include "fit/runlog.h"
#include "tools/host_cache.h"
#include "tools/wcachefit/commands.h"

static const struct w_option options[] = {
    {"tolerance", 0, W_OPT_TEXT, AT(tolerance), .arg = "PART",
     .help = "How far a rate may be off, like 10%. Default: the prediction's interval."},
    {"learn", 0, W_OPT_FLAG, AT(learn),
     .help = "Keep the ratios: later predictions are corrected by them and take their interval "
             "from them."},
    {CALIBRATION_OPTION},
    {JSON_OPTION("Write one JSON object: a member of \"runs\" for each log.")},
    {OUTPUT_OPTION},
    {0},
};

static const char *const examples[] = {
    "Was the prediction right? Remember it for the next",
    "wcachefit verify run.log --learn",
    NULL,
};

/* One run as it was and as it was predicted. */
struct verdict {
    struct w_runlog log;
    double measured, predicted; /* tok/s */
    double factor, ratio;       /* correction within the prediction; measured / predicted */
    double tolerance;           /* of the rate, relative to the prediction */
    double resident;            /* predicted, bytes */
    bool rate_holds, plan_holds, resident_holds;
};

#define RESIDENT_PART 0.03
#define RESIDENT_BYTES (8.0 * 1024 * 1024)

static enum w_status judge(struct verdict *v, const struct report *r, const char *path,
                           double tolerance, struct w_err *err)
{
    struct w_fit *fit = r->fits;
    enum w_status status = w_runlog_read(&v->log, path, err);

    if (status)
        return status;
    if (!v->log.has_header)
        return w_fail(err, W_CORRUPT,
                      "%.500s: has no header line, so the configuration is not known", path);
    if (v->log.cpu[0] && strcmp(v->log.cpu, r->calibration->cpu))
        return w_fail(err, W_MISMATCH, "%.500s: is the log of a run on another machine (%.100s)",
                      path, v->log.cpu);
    const enum w_type type = v->log.type; /* perhaps another one than the report's */
    struct w_residuals residuals;
    if (!w_calibration_knows(r->calibration, type))
        return w_fail(err, W_USAGE, "the calibration has no %s: wcachefit calibrate",
                      w_compute_type_name(type));
    status = host_residuals_read(&residuals, &r->machine, r->calibration, type, err);
    if (status)
        return status;
    struct w_fit_ask ask = report_ask(r);
    ask.threads = v->log.threads;
    ask.type = type;
    ask.residuals = &residuals;
    status = w_fit_make(fit, &v->log.conf, &r->machine, &ask, err);
    if (status)
        return w_fail_at(err, status, "%.500s", path);
    v->measured = v->log.tok_s;
    v->predicted = w_fit_value(fit, "predict.tok_s");
    v->ratio = v->measured / v->predicted;
    v->factor = w_fit_value(fit, "predict.factor");
    v->tolerance = tolerance > 0 ? tolerance : w_fit_value(fit, "predict.interval");
    v->resident = w_fit_value(fit, "memory.resident");
    v->rate_holds = fabs(v->ratio - 1) <= v->tolerance;
    v->plan_holds = fit->plan.bytes == v->log.plan_bytes;
    double off = fabs(v->resident - (double)v->log.peak_bytes);
    v->resident_holds = off <= RESIDENT_PART * (double)v->log.peak_bytes + RESIDENT_BYTES;
    return W_DONE;
}

static bool holds(const struct verdict *v)
{
    return v->rate_holds && v->plan_holds && v->resident_holds;
}

static void write_verdict(FILE *f, const struct verdict *v)
{
    char planned[W_FIGURE_TEXT], resident[W_FIGURE_TEXT], peak[W_FIGURE_TEXT];

    fprintf(f, "%s, %u threads, %s, %llu steps\n", v->log.conf.name, (unsigned)v->log.threads,
            w_compute_type_name(v->log.type), (unsigned long long)v->log.steps);
    fprintf(f, "  tok/s     %12.0f predicted  %12.0f measured  %6.3f of it, within %.1f %%: %s\n",
            v->predicted, v->measured, v->ratio, 100 * v->tolerance, v->rate_holds ? "yes" : "NO");
    fprintf(f, "  plan      %12s allocated, as predicted to the byte: %s\n",
            w_figure_text(planned, W_UNIT_BYTES, (double)v->log.plan_bytes),
            v->plan_holds ? "yes" : "NO");
    fprintf(f, "  resident  %12s predicted  %12s measured  within 3 %% + 8 MiB: %s\n",
            w_figure_text(resident, W_UNIT_BYTES, v->resident),
            w_figure_text(peak, W_UNIT_BYTES, (double)v->log.peak_bytes),
            v->resident_holds ? "yes" : "NO");
}

static struct w_json *verdict_json(const struct verdict *v)
{
    struct w_json *j = w_json_object();

    w_json_set_string(j, "name", v->log.conf.name);
    w_json_set_u64(j, "threads", v->log.threads);
    w_json_set_string(j, "precision", w_compute_type_name(v->log.type));
    w_json_set_u64(j, "steps", v->log.steps);
    w_json_set_real(j, "predicted_tok_s", v->predicted);
    w_json_set_real(j, "measured_tok_s", v->measured);
    w_json_set_real(j, "ratio", v->ratio);
    w_json_set_real(j, "tolerance", v->tolerance);
    w_json_set_bool(j, "rate_holds", v->rate_holds);
    w_json_set_u64(j, "plan_bytes", v->log.plan_bytes);
    w_json_set_bool(j, "plan_holds", v->plan_holds);
    w_json_set_real(j, "predicted_resident_bytes", v->resident);
    w_json_set_u64(j, "measured_resident_bytes", v->log.peak_bytes);
    w_json_set_bool(j, "resident_holds", v->resident_holds);
    return j;
}

static enum w_status write_verdicts_json(FILE *f, const struct verdict *v, size_t count,
                                         struct w_err *err)
{
    struct w_json *root = w_json_object(), *runs = w_json_array();

    for (size_t i = 0; i < count; i++)
        w_json_add(runs, verdict_json(&v[i]));
    w_json_set_string(root, "schema", "wcachefit-verify/1");
    w_json_set_string(root, "version", W_VERSION_TEXT);
    w_json_set(root, "runs", runs);
    return write_tree(f, root, err);
}

/* Keep the ratio as it is before any correction: corrections are made from it. */
static enum w_status learn(const struct verdict *v, const struct report *r, struct w_err *err)
{
    struct w_verified run = {.began = v->log.began};

    snprintf(run.name, sizeof run.name, "%s", v->log.conf.name);
    return host_residuals_add(&run, v->ratio * v->factor, &r->machine, r->calibration, v->log.type,
                              err);
}

/* W_NO: one is off by more than the tolerance, or in memory. */
static enum w_status verify(const struct report *r, const struct settings *set, char **logs,
                            size_t count, struct w_err *err)
{
    FILE *f = r->text.file;
    struct verdict *verdicts = calloc(count, sizeof *verdicts);
    const struct verdict *failed = NULL;
    double tolerance = 0;
    enum w_status status = W_DONE;

    if (!verdicts)
        status = w_fail(err, W_NOMEM, "no memory for %zu logs", count);
    else if (set->tolerance && w_parse_part(set->tolerance, 1e-6, 1e9, &tolerance, err))
        status = w_fail_at(err, W_USAGE, "--tolerance");
    for (size_t i = 0; i < count && !status; i++)
        status = judge(&verdicts[i], r, logs[i], tolerance, err);
    if (!status && set->json)
        status = write_verdicts_json(f, verdicts, count, err);
    for (size_t i = 0; i < count && !status; i++) {
        if (!set->json)
            write_verdict(f, &verdicts[i]);
        if (!holds(&verdicts[i]) && !failed)
            failed = &verdicts[i];
        if (set->learn)
            status = learn(&verdicts[i], r, err);
    }
    if (!status && failed)
        status = w_fail(err, W_NO, "%s: the prediction does not hold: %s", failed->log.conf.name,
                        !failed->rate_holds   ? "tokens/s are outside the tolerance"
                        : !failed->plan_holds ? "the memory plan differs"
                                              : "resident memory is not what was predicted");
    free(verdicts);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct report r = {0};

    if (argc == 0)
        return w_fail(err, W_USAGE, "name the log of a run of wtrain");
    enum w_status status = report_open(&r, set, 0, argv, err);
    if (!status && !r.calibration)
        status = w_fail(err, W_USAGE, "needs a calibration: wcachefit calibrate");
    if (!status)
        status = verify(&r, set, argv, (size_t)argc, err);
    return report_close(&r, set, status, err);
}

const struct w_program verify_command = {
    .name = "wcachefit verify",
    .summary = "compare runs with their predictions",
    .operands = "LOG ...",
    .about = "Takes logs of wtrain, which hold their configurations; exit status 1 if a rate is "
             "outside the tolerance or memory is not as predicted.",
    .options = options,
    .examples = examples,
    .settings_bytes = sizeof(struct settings),
    .run = run,
};
