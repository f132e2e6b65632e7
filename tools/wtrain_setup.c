/* What the run is to be: configuration, threads, kernels, memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strnum.h"
#include "kern/gemm_blas.h"
#include "net/schedule.h"
#include "net/softmax_sample.h"
#include "sys/fdio.h"
#include "tools/launcher.h"
#include "tools/wtrain.h"

u64 run_step_tokens(const struct run *run)
{
    return run->conf.batch_size * run->conf.max_length * run->conf.accumulate;
}

const char *run_begin_anew(const struct run *run, char text[W_CKPT_PATH + 64])
{
    const char *resume = run->set->resume;

    if (w_path_kind(resume) == W_PATH_FOLDER)
        snprintf(text, W_CKPT_PATH + 64, "remove %s to begin anew", resume);
    else
        snprintf(text, W_CKPT_PATH + 64, "leave --resume out to begin anew");
    return text;
}

/* ---- configuration ---- */

/* Apply --set, and the options for single keys, to a configuration. */
static enum w_status apply_settings(struct w_conf *conf, const struct settings *set,
                                    struct w_err *err)
{
    const struct {
        const char *option, *key, *value;
    } same[] = {{"--seed", "seed", set->seed},
                {"--local-steps", "local_steps", set->local_steps},
                {"--peer-sums", "peer_sums", set->peer_sums}};

    enum w_status status = w_cli_set_keys(conf, &set->set, err);
    for (size_t i = 0; i < W_COUNTOF(same) && !status; i++) {
        if (same[i].value)
            status =
                w_option_set(w_option_find(w_conf_table, same[i].key), conf, same[i].value, err);
        if (status)
            status = w_fail_at(err, status, "%s", same[i].option);
    }
    return status ? status : w_conf_check(conf, err);
}

/* W_MISMATCH: the configuration that is given differs from that of the checkpoint. Its number of
 * steps may differ where none is given, and that of features of counts: the run took them from its
 * data. */
static enum w_status compare_confs(const struct run *run, const struct w_conf *given,
                                   struct w_err *err)
{
    const struct w_conf *had = w_ckpt_conf(run->resumed);
    struct w_json *ours = w_conf_json(given), *theirs = w_conf_json(had);
    enum w_status status = W_DONE;
    char anew[W_CKPT_PATH + 64];

    for (const struct w_json *j = w_json_first(ours); j && !status; j = w_json_next(j)) {
        const char *key = w_json_key(j);
        char *a = w_json_text(j, err), *b = w_json_text(w_json_get(theirs, key), err);
        bool from_data = (!strcmp(key, "steps") && given->steps == 0) ||
                         (!strcmp(key, "counts") && given->counts == 0);
        if (!a || !b)
            status = W_NOMEM;
        else if (strcmp(a, b) && !from_data)
            status =
                w_fail(err, W_MISMATCH,
                       "%s: was made with %s %s, but the configuration has %s: leave -c out to "
                       "continue with that of the checkpoint, or change keys with --set, or %s",
                       run->resumed_path, key, b, a, run_begin_anew(run, anew));
        free(a);
        free(b);
    }
    w_json_free(ours);
    w_json_free(theirs);
    return status;
}

static enum w_status find_resumed(struct run *run, struct w_err *err)
{
    const char *path = run->set->resume;
    enum w_path_kind kind = w_path_kind(path);
    enum w_status status = W_DONE;

    snprintf(run->resumed_path, sizeof run->resumed_path, "%s", path);
    /* A path that does not exist is the folder of a new run, unless its name is that of a file. */
    size_t length = strlen(path);
    bool is_name = length >= 4 && !strcmp(path + length - 4, ".wts");
    if (kind == W_PATH_FOLDER || (kind == W_PATH_NONE && !is_name)) {
        const struct w_ckpt_folder folder = save_folder(path);
        status = w_ckpt_folder_newest(&folder, run->resumed_path, err);
    }
    if (status == W_END) {
        w_say("%s holds no checkpoint yet: starting a new run", path);
        return W_DONE;
    }
    if (!status)
        status = w_ckpt_open(&run->resumed, run->resumed_path, err);
    return status ? status : w_ckpt_check_resume(run->resumed, err);
}

void run_set_span(struct run *run, u64 steps)
{
    run->conf.steps = steps ? W_MAX(steps, run->conf.warmup_steps) : 0;
}

/* The configuration of a model, for a run of its own: how long the last one was says nothing, and
 * whether there is a gate is up to the batches. */
static struct w_conf conf_to_tune(const struct w_ckpt *init)
{
    struct w_conf conf = *w_ckpt_conf(init);

    conf.steps = 0;
    conf.counts = 0;
    return conf;
}

static enum w_status make_conf(struct run *run, struct w_err *err)
{
    const struct settings *set = run->set;
    enum w_status status = W_DONE;

    if (set->config)
        status = w_conf_load(&run->conf, set->config, err);
    else if (run->resumed)
        run->conf = *w_ckpt_conf(run->resumed);
    else if (run->init)
        run->conf = conf_to_tune(run->init);
    else
        status = w_fail(err, W_USAGE, "say which model to train: -c CONFIG.json");
    if (!status)
        status = apply_settings(&run->conf, set, err);
    if (!status && set->config && run->resumed)
        status = compare_confs(run, &run->conf, err);
    if (!status && run->resumed &&
        w_optimizer_of(&run->conf) != w_optimizer_of(w_ckpt_conf(run->resumed)))
        status =
            w_fail(err, W_USAGE,
                   "%s: was made by the optimizer %s, which keeps other states than %s: --init "
                   "starts a new run from its weights",
                   run->resumed_path, w_optimizer_of(w_ckpt_conf(run->resumed))->name,
                   w_optimizer_of(&run->conf)->name);
    if (status)
        return status;
    if (run->resumed && run->conf.steps == 0)
        run->conf.steps = w_ckpt_conf(run->resumed)->steps;
    if (run->resumed && run->conf.counts == 0)
        run->conf.counts = w_ckpt_conf(run->resumed)->counts;

    run->stop_step = run->conf.steps ? run->conf.steps : UINT64_MAX;
    if (set->steps) {
        status = w_parse_count(set->steps, 0, W_JSON_INT_MAX, &run->stop_step, err);
        if (status)
            return w_fail_at(err, status, "--steps");
    }
    /* A run whose schedule follows its time goes on with that, unless another is given. Else a
     * checkpoint has to hold the length of a schedule that falls. */
    const bool no_end = run->conf.schedule != W_SCHEDULE_CONSTANT && run->conf.steps == 0;
    const double followed_s = no_end && run->resumed ? w_ckpt_state(run->resumed)->time_s : 0;
    run->time_s = set->time_s > 0 ? set->time_s : followed_s;
    if (no_end && followed_s <= 0 && set->steps)
        run_set_span(run, run->stop_step);
    return W_DONE;
}

bool run_follows_time(const struct run *run)
{
    return run->conf.schedule != W_SCHEDULE_CONSTANT && run->conf.steps == 0 && run->time_s > 0;
}

/* Say where nothing is left to train, and warn of steps after the end of the schedule. */
static void tell_of_end(const struct run *run)
{
    const u64 done = run->resumed ? w_ckpt_state(run->resumed)->step : 0;
    const u64 end = run->conf.steps;

    if (run->resumed && done >= run->stop_step)
        w_say("%s has %llu steps, and %llu were asked for: nothing is left to train; --steps N "
              "trains on",
              run->resumed_path, (unsigned long long)done, (unsigned long long)run->stop_step);
    else if (run->conf.schedule != W_SCHEDULE_CONSTANT && end > 0 && run->stop_step > end)
        w_warn("the schedule ends at step %llu: after it the learning rate stays at %g; --set "
               "steps=%llu stretches it to this run",
               (unsigned long long)end, w_schedule_rate(&run->conf, end, 1),
               (unsigned long long)run->stop_step);
    else if (run->resumed && run_follows_time(run) &&
             w_ckpt_state(run->resumed)->seconds >= run->time_s)
        w_say("%s: the %g s that its schedule follows are over: nothing is left to train; --time "
              "with more stretches it",
              run->resumed_path, run->time_s);
}

/* ---- kernels ---- */

/* Of a checkpoint; one of an earlier version does not say it. */
static enum w_precision precision_of(const struct w_ckpt_state *state)
{
    return !strcmp(state->precision, w_compute_type_name(W_TYPE_F32))    ? W_PRECISION_FP32
           : !strcmp(state->precision, w_compute_type_name(W_TYPE_BF16)) ? W_PRECISION_BF16
                                                                         : W_PRECISION_AUTO;
}

/* Those that are asked for, or else those of the checkpoint, because others give other bytes. */
static enum w_status choose_kernels(struct run *run, struct w_err *err)
{
    const struct settings *set = run->set;
    const enum w_precision asked = set->precision;
    struct w_err why = {0};

    if (run->resumed) {
        const struct w_ckpt_state *had = w_ckpt_state(run->resumed);
        const enum w_precision before = precision_of(had), precision = asked ? asked : before;
        const char *kernel = set->kernel;
        if (!kernel && had->kernel[0] && precision == before)
            kernel = had->kernel;
        if (!w_kern_choose_precision(&run->kern, &run->type, kernel, precision, &why))
            return W_DONE;
    }
    enum w_status status = w_kern_choose_precision(&run->kern, &run->type, set->kernel, asked, err);
    if (!status && run->resumed)
        w_warn("%s: %s: continuing with the %s kernels, %s, so to other bytes", run->resumed_path,
               why.text, run->kern->name, w_compute_type_name(run->type));
    return status;
}

/* ---- memory ---- */

enum w_status run_check_memory(struct run *run, struct w_err *err)
{
    enum w_status status =
        w_plan_make(&run->plan, &run->conf, W_PLAN_TRAIN, run->type, run->threads, err);
    u64 available = run->machine.available_bytes;

    if (status)
        return status;
    if (available && run->plan.bytes > available && !run->set->force && !run->set->dry_run)
        return w_fail(err, W_NOMEM,
                      "training %s needs %.0f MiB, but %.0f MiB are available: use a smaller "
                      "batch_size (with accumulate for the same step), or --force",
                      run->conf.name, (double)run->plan.bytes / MIB, (double)available / MIB);
    return W_DONE;
}

/* OpenBLAS reads these variables when it is loaded, which choosing kernels may do. Those that the
 * user has set are left as they are. */
static void prepare_blas(const struct w_machine *machine)
{
    const char *core = w_blas_core_type(machine);

    setenv("OPENBLAS_NUM_THREADS", "1", 0); /* each worker of the team makes its own calls */
    if (core)
        setenv("OPENBLAS_CORETYPE", core, 0);
}

/* "optimizer adamw: beta1 0.9, beta2 0.95, ...", with -v. */
static void print_optimizer(const struct run *run)
{
    const struct w_optimizer *optimizer = w_optimizer_of(&run->conf);
    struct w_json *conf = w_conf_json(&run->conf);
    char text[256] = "";

    for (u32 i = 0; i < W_OPTIMIZER_KEYS && optimizer->keys[i]; i++) {
        const size_t used = strlen(text);
        double value = 0;
        if (w_json_real(w_json_get(conf, optimizer->keys[i]), &value))
            snprintf(text + used, sizeof text - used, "%s %s %g", i ? "," : ":", optimizer->keys[i],
                     value);
    }
    w_detail("optimizer %s%s", optimizer->name, text);
    w_json_free(conf);
}

static void print_rounds(const struct run *run)
{
    const struct w_conf *conf = &run->conf;

    if (conf->local_steps)
        w_detail("rounds of %llu steps; outer step: learning rate %g, momentum %g",
                 (unsigned long long)conf->local_steps, conf->outer_learning_rate,
                 conf->outer_momentum);
}

static void print_softmax(const struct w_conf *conf)
{
    if (w_softmax_is_sampled(conf))
        w_detail("softmax over about %.0f of %llu ids; rows of the others are %s",
                 w_softmax_sample_expected(conf), (unsigned long long)conf->vocab_size,
                 conf->lazy_rows ? "left alone" : "updated too");
}

enum w_status run_prepare(struct run *run, struct w_err *err)
{
    const struct settings *set = run->set;
    const char *why = "";
    enum w_status status = W_DONE;

    if (set->resume && set->init)
        return w_fail(err, W_USAGE,
                      "--resume continues a run, --init starts a new one: choose one");
    status = save_name_best(run, err);
    if (!status && set->output && set->log)
        status = w_cli_refuse_same(set->output, set->log, err);
    if (!status)
        status = save_open(run, err);
    if (!status && set->resume)
        status = find_resumed(run, err);
    if (!status && run->resumed && run->checkpoints.folder.path)
        status = save_refuse_later(run, err);
    if (!status && run->resumed)
        save_find_best(run);
    if (!status && set->fit_positions && !set->init)
        status = w_fail(err, W_USAGE, "--fit-positions is for a model of --init");
    if (!status && set->init)
        status = w_ckpt_open(&run->init, set->init, err);
    if (!status)
        status = make_conf(run, err);
    if (status)
        return status;
    w_machine_read(&run->machine, "");
    run->threads = w_machine_threads(&run->machine, set->threads, getenv("OMP_NUM_THREADS"), &why);
    /* ranks that the launcher has not bound to cores of their own share those of the machine */
    if (why == run->machine.usable_why && run->machine.usable_cores == run->machine.physical_cores)
        run->threads = (u32)W_MAX(run->threads / launcher_ranks_here(), 1);
    prepare_blas(&run->machine);
    status = choose_kernels(run, err);
    if (status)
        return status;
    tell_of_end(run);
    w_detail("%u threads: %s", (unsigned)run->threads, why);
    print_optimizer(run);
    print_rounds(run);
    print_softmax(&run->conf);
    status = ranks_check(run, err);
    return status ? status : run_check_memory(run, err);
}
