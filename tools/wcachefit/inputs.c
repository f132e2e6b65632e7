/* What the commands of wcachefit have in common: read machine and configurations, check
 * requirements, write the answer. */
#include "tools/wcachefit/inputs.h"

#include <stdlib.h>
#include <time.h>

#include "bench/target.h"
#include "fit/require.h"
#include "sys/output.h"
#include "tools/host_cache.h"

enum w_status choose_format(struct settings *set, struct w_err *err)
{
    if (set->json && set->format != AS_TEXT && set->format != AS_JSON)
        return w_fail(err, W_USAGE, "--json is a --format: choose one");
    if (set->json)
        set->format = AS_JSON;
    return W_DONE;
}

/* ---- configurations ---- */

enum w_status change_conf(struct w_conf *conf, const char *where, const struct settings *set,
                          struct w_err *err)
{
    enum w_status status = w_cli_set_keys(conf, &set->set, err);

    if (!status && set->set.count) {
        status = w_conf_check(conf, err);
        if (status)
            w_fail_at(err, status, "%.200s with --set", where);
    }
    return status;
}

static enum w_status load_confs(struct report *r, char **paths, const struct settings *set,
                                struct w_err *err)
{
    enum w_status status = W_DONE;

    for (size_t i = 0; i < r->count && !status; i++) {
        status = w_conf_load(&r->confs[i], paths[i], err);
        if (!status)
            status = change_conf(&r->confs[i], paths[i], set, err);
    }
    return status;
}

/* ---- the machine ---- */

/* Rates that the user gives replace measured ones. */
static void apply_rates(struct w_machine *m, const struct settings *set, enum w_type type)
{
    struct w_rate *peak = type == W_TYPE_BF16 ? &m->bf16_flops_per_s : &m->flops_per_s;

    if (set->peak)
        *peak = (struct w_rate){(double)set->peak, W_FROM_USER};
    if (set->bandwidth)
        m->memory_bytes_per_s = (struct w_rate){(double)set->bandwidth, W_FROM_USER};
}

/* The machine and the precision; of a target bf16 where it is asked for, or a peak in it is
 * known. */
static enum w_status read_machine(struct report *r, const struct settings *set, struct w_err *err)
{
    struct w_machine *m = &r->machine;
    const struct w_kern *kern;
    enum w_status status = W_DONE;

    if (set->target) {
        status = w_target_find(m, set->target, err);
        const bool known = set->precision == W_PRECISION_AUTO && m->bf16_flops_per_s.value > 0;
        r->type = known || set->precision == W_PRECISION_BF16 ? W_TYPE_BF16 : W_TYPE_F32;
    } else {
        w_machine_read(m, "");
        status = w_kern_choose_precision(&kern, &r->type, NULL, set->precision, err);
    }
    apply_rates(m, set, r->type);
    if (set->memory) {
        m->available_bytes = set->memory;
        m->memory_source = W_FROM_USER;
    }
    return status;
}

/* ---- the calibration of this host ---- */

/* The calibration of path, or, where that is NULL, the one that is kept; doubts about it are
 * warnings. *found stays false where none is kept. */
static enum w_status find_calibration(struct w_calibration *c, bool *found,
                                      const struct w_machine *m, const char *path,
                                      struct w_err *err)
{
    char usual[HOST_CACHE_PATH], doubt[W_DOUBT_TEXT];

    if (!path && host_calibration_path(usual, m, NULL))
        return W_DONE; /* no folder, so no calibration */
    enum w_status status = w_calibration_load(c, path ? path : usual, err);
    if (status == W_NO && !path)
        return W_DONE;
    if (status && !path) { /* damaged or of another version: go on without it */
        w_warn("%s", err->text);
        return W_DONE;
    }
    if (status)
        return status == W_NO ? w_fail(err, W_IO, "%.500s: no such file", path) : status;
    *found = true;
    if (w_calibration_doubt(c, m, (u64)time(NULL), doubt))
        w_warn("%s", doubt);
    return W_DONE;
}

void report_calibrate(struct report *r, const struct settings *set, const struct w_calibration *c)
{
    struct w_err err;

    r->calibration = c;
    if (host_residuals_read(&r->residuals, &r->machine, c, r->type, &err))
        w_warn("%s", err.text);
    w_calibration_apply(c, &r->machine);
    apply_rates(&r->machine, set, r->type);
}

/* For a target: the calibration of this host, if one is kept. */
static enum w_status find_kernels(struct report *r, struct w_err *err)
{
    static struct w_calibration calibration;
    bool found = false;

    w_machine_read(&r->host, "");
    enum w_status status = find_calibration(&calibration, &found, &r->host, NULL, err);
    if (status || !found || !w_calibration_knows(&calibration, r->type))
        return status;
    w_calibration_apply(&calibration, &r->host);
    r->kernels = &calibration;
    return W_DONE;
}

/* ---- a report ---- */

enum w_status report_open(struct report *r, const struct settings *set, int argc, char **paths,
                          struct w_err *err)
{
    static struct w_calibration calibration;
    bool found = false;

    enum w_status status = w_printed_open(&r->text, err);
    if (!status)
        status = read_machine(r, set, err);
    if (status)
        return status;
    r->threads = w_machine_threads(&r->machine, set->threads,
                                   set->target ? NULL : getenv("OMP_NUM_THREADS"), &r->threads_why);
    r->count = (size_t)argc;
    r->fits = calloc(r->count + 1, sizeof *r->fits);
    r->confs = calloc(r->count + 1, sizeof *r->confs);
    if (!r->fits || !r->confs)
        return w_fail(err, W_NOMEM, "no memory for %zu configurations", r->count);
    status = load_confs(r, paths, set, err);
    if (!status && !set->no_calibration && (!set->target || set->calibration))
        status = find_calibration(&calibration, &found, &r->machine, set->calibration, err);
    if (!status && found)
        report_calibrate(r, set, &calibration);
    if (!status && set->target && !found && !set->no_calibration)
        status = find_kernels(r, err);
    return status;
}

double memory_limit(const struct report *r, const struct settings *set)
{
    const struct w_machine *m = &r->machine;
    u64 available = m->available_bytes ? m->available_bytes : m->memory_bytes;

    return set->memory ? (double)set->memory : W_MEMORY_USABLE * (double)available;
}

struct w_fit_ask report_ask(const struct report *r)
{
    return (struct w_fit_ask){.threads = r->threads,
                              .type = r->type,
                              .calibration = r->calibration,
                              .residuals = &r->residuals};
}

/* The part of the peak that kernels of this host reach, if a target has the same ones; else 0. */
static enum w_status share_of_peak(double *share, const struct report *r, const struct w_fit *fit,
                                   struct w_err *err)
{
    const struct w_fit_ask ask = {
        .threads = r->kernels->threads, .type = r->type, .calibration = r->kernels};
    const int kernels = w_figure_find("tile.rows"); /* whose source is their name */
    struct w_fit own;
    enum w_status status = w_fit_make(&own, &fit->conf, &r->host, &ask, err);

    *share = 0;
    if (!status && !strcmp(own.sources[kernels], fit->sources[kernels]))
        *share = w_fit_value(&own, "rate.efficiency");
    return status;
}

enum w_status ask_network(struct w_fit_ask *ask, const struct settings *set, struct w_err *err)
{
    ask->spread = set->spread;
    return w_network_find(&ask->network, set->network, err);
}

enum w_status report_fit(struct report *r, size_t index, const struct w_fit_ask *ask,
                         struct w_err *err)
{
    struct w_fit *fit = &r->fits[index];
    struct w_fit_ask with_share = *ask;
    enum w_status status = w_fit_make(fit, &r->confs[index], &r->machine, ask, err);

    if (!status && r->kernels)
        status = share_of_peak(&with_share.share, r, fit, err);
    if (!status && with_share.share > 0)
        status = w_fit_make(fit, &r->confs[index], &r->machine, &with_share, err);

    if (!status && w_fit_value(fit, "flops.train_causal") >
                       w_fit_value(&r->fits[r->baseline], "flops.train_causal"))
        r->baseline = index;
    return status;
}

static void print_requirement(void *file, const struct w_fit *fit, const char *requirement,
                              const char *key, const char *value, bool holds)
{
    fprintf(file, "%s: %s %s: %s is %s\n", fit->conf.name, requirement,
            holds ? "holds" : "does not hold", key, value);
}

enum w_status check_requirements(const struct report *r, const struct settings *set, FILE *f,
                                 struct w_err *err)
{
    enum w_status first = W_DONE;
    struct w_err one = {0};

    for (size_t i = 0; i < r->count; i++)
        for (size_t k = 0; k < set->require.count; k++) {
            enum w_status status = w_require_check(&r->fits[i], set->require.items[k],
                                                   f ? print_requirement : NULL, f, &one);
            if (status == W_USAGE) {
                *err = one;
                return w_fail_at(err, status, "--require");
            }
            if (status && !first) {
                first = status;
                *err = one;
            }
        }
    return first;
}

enum w_status report_close(struct report *r, const struct settings *set, enum w_status answer,
                           struct w_err *err)
{
    if (answer == W_DONE || answer == W_NO) {
        struct w_err lost = {0};
        enum w_status status = w_printed_close(&r->text, &lost);
        if (!status && (answer == W_DONE || !set->output))
            status = w_output_whole(set->output, r->text.text, r->text.size, &lost);
        if (status) {
            *err = lost;
            answer = status;
        }
    }
    w_printed_release(&r->text);
    free(r->fits);
    free(r->confs);
    return answer;
}
