/* Everything before the first step: configuration, threads, memory, data, weights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strnum.h"
#include "kern/gemm_blas.h"
#include "net/schedule.h"
#include "net/softmax_sample.h"
#include "sys/clock.h"
#include "tools/launcher.h"
#include "tools/wtrain.h"
#include "wire/prov.h"

#define MIB (1024.0 * 1024.0)

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
    enum w_status status = W_DONE;

    for (size_t i = 0; i < set->set.count && !status; i++) {
        status = w_conf_set(conf, set->set.items[i], err);
        if (status)
            status = w_fail_at(err, status, "--set");
    }
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

/* Set the length of a falling schedule where the configuration does not give it; 0: not known yet. It is at
 * least the warm-up even for a shorter run, because the configuration that is saved has to be
 * valid. */
static void set_span(struct run *run, u64 steps)
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
        set_span(run, run->stop_step);
    return W_DONE;
}

bool run_follows_time(const struct run *run)
{
    return run->conf.schedule != W_SCHEDULE_CONSTANT && run->conf.steps == 0 && run->time_s > 0;
}

/* Tell of what a longer run than its schedule, or a run that has all its steps, does not do. */
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

static enum w_status check_memory(struct run *run, struct w_err *err)
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
    return status ? status : check_memory(run, err);
}

/* ---- data ---- */

/* Are the batches for training, and of a vocabulary that uses the model? */
static enum w_status check_data(const struct run *run, struct w_err *err)
{
    struct w_token_header said;

    if (w_loader_is_padded(run->loader))
        return w_fail(err, W_MISMATCH,
                      "%s: is for validation, --val: it holds padding; wbatch without --split val "
                      "makes batches for training",
                      run->set->batches ? run->set->batches : "standard input");
    w_token_header_read(&said, w_loader_header(run->loader));
    if (said.vocab != W_NOT_SAID && !run->init && !run->resumed)
        w_warn_unused_rows(&run->conf, said.vocab);
    return W_DONE;
}

static enum w_status open_data(struct run *run, struct w_err *err)
{
    const struct w_ckpt_state *had = run->resumed ? w_ckpt_state(run->resumed) : NULL;
    const bool begun = had && had->step > 0;

    if (begun)
        w_say("resuming from %s: %llu steps, %llu tokens, which are read again", run->resumed_path,
              (unsigned long long)had->step, (unsigned long long)had->tokens);
    if (!run->set->batches) {
        enum w_status status =
            w_cli_refuse_typing("wbatch -c CONFIG.json | wtrain, or name a file of batches", err);
        if (status)
            return status;
    }
    const u64 own = run->conf.accumulate / w_peers_size(run->peers);
    enum w_status status = w_loader_open(
        &run->loader,
        &(struct w_loader_options){.path = run->set->batches,
                                   .share = {.first = own * w_peers_rank(run->peers),
                                             .count = own,
                                             .of = run->conf.accumulate},
                                   .batch_size = run->conf.batch_size,
                                   .length = run->conf.max_length,
                                   .vocab_size = run->conf.vocab_size,
                                   .start = begun ? &had->data : NULL,
                                   .origin = begun ? w_ckpt_origin(run->resumed) : NULL,
                                   .stop = &w_signal_stop},
        err);
    if (status == W_MISMATCH && begun) {
        char anew[W_CKPT_PATH + 64];
        const size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, ", or %s", run_begin_anew(run, anew));
    }
    return status ? status : check_data(run, err);
}

/* What a model says of its batches. A run that goes on keeps what it said first, whatever the commands were
 * that made its batches again: so it ends with the same bytes. */
static enum w_status settle_source(struct run *run, struct w_err *err)
{
    const bool begun = run->resumed && w_ckpt_state(run->resumed)->step > 0;
    const struct w_json *origin = begun ? w_ckpt_origin(run->resumed) : NULL;
    const struct w_json *src = begun ? w_json_get(w_ckpt_header(run->resumed)->json, "src") : NULL;

    if (begun) {
        run->origin = w_json_copy(origin);
        run->src = w_json_copy(src);
    } else if (run->loader) {
        run->origin = w_origin_make(w_loader_header(run->loader));
        run->src = w_prov_src(w_loader_header(run->loader));
    }
    const bool lost = (origin && !run->origin) || (src && !run->src);
    if (run->set->no_provenance) {
        w_json_free(run->src);
        run->src = NULL;
    }
    return lost ? w_fail(err, W_NOMEM, "no memory for a header") : W_DONE;
}

/* Once the data are open: a model has a gate if its batches have columns of counts, or without data
 * if that of --init has one. A run that goes on without a gate leaves the columns alone. */
static enum w_status settle_counts(struct run *run, struct w_err *err)
{
    const u64 said =
        run->conf.counts || !run->init ? run->conf.counts : w_ckpt_conf(run->init)->counts;
    const u64 features = run->loader ? w_loader_features(run->loader) : said;

    if (features == run->conf.counts || (run->resumed && run->conf.counts == 0))
        return W_DONE;
    if (run->conf.counts)
        return w_fail(err, W_MISMATCH,
                      "the gate weighs %llu features of counts, but the batches have %llu: add the "
                      "columns lp and ctx to the tokens before wbatch",
                      (unsigned long long)run->conf.counts, (unsigned long long)features);
    run->conf.counts = features;
    return check_memory(run, err);
}

/* The length of a schedule that falls, once the data are open. */
static enum w_status settle_schedule(struct run *run, struct w_err *err)
{
    u64 batches = run->loader ? w_loader_known_batches(run->loader) : 0;

    if (run->conf.schedule == W_SCHEDULE_CONSTANT || run->conf.steps > 0 || run->time_s > 0)
        return W_DONE;
    if (batches < run->conf.accumulate && run->stop_step > 0)
        return w_fail(err, W_USAGE,
                      "a schedule that falls needs the length of the run: give --steps, --time, "
                      "\"steps\" in the "
                      "configuration, or batches from a file");
    set_span(run, batches / run->conf.accumulate);
    return W_DONE;
}

/* ---- weights ---- */

/* The vocabulary is that of the batches; without batches, or if they carry none, that of the
 * model. */
static enum w_status find_tok(struct run *run, struct w_err *err)
{
    const struct w_json *tok = run->loader ? w_header_tok(w_loader_header(run->loader)) : NULL;
    const struct w_ckpt *model = run->resumed ? run->resumed : run->init;
    run->tok = tok ? tok : model ? w_ckpt_tok(model) : NULL;
    if (run->init && w_tok_same(run->tok, w_ckpt_tok(run->init), err))
        return w_fail_at(err, W_MISMATCH, "%s", run->set->init);
    return W_DONE;
}

static enum w_status load_weights(struct run *run, struct w_err *err)
{
    struct w_model *model = run->model;
    enum w_status status = W_DONE;

    if (run->resumed) {
        float *states[W_OPTIMIZER_STATES];
        for (u32 i = 0; i < W_OPTIMIZER_STATES; i++)
            states[i] = w_model_state(model, i);
        status = w_ckpt_read(run->resumed, w_model_tensors(model), w_model_weights(model), states,
                             w_model_seen(model), err);
        run->state = *w_ckpt_state(run->resumed);
    } else if (run->init) {
        if (run->set->fit_positions)
            w_ckpt_fit_positions(run->init);
        status =
            w_ckpt_read(run->init, w_model_tensors(model), w_model_weights(model), NULL, NULL, err);
    } else {
        w_model_init(model);
    }
    return status;
}

static void say_plan(const struct run *run)
{
    w_say("%s: %.3g million parameters, %.0f MiB of memory, %llu tokens a step, %u threads, %s "
          "kernels, %s",
          run->conf.name, (double)w_model_tensors(run->model)->parameters / 1e6,
          (double)w_model_bytes(run->model) / MIB, (unsigned long long)run_step_tokens(run),
          (unsigned)run->threads, run->kern->name, w_compute_type_name(run->type));
}

/* Is standard input a pipe? Anything else that is no terminal, such as /dev/null, is there without
 * anybody's doing. */
static bool is_pipe(void)
{
    struct stat st;

    return fstat(STDIN_FILENO, &st) == 0 && S_ISFIFO(st.st_mode);
}

enum w_status run_open(struct run *run, struct w_err *err)
{
    const u64 done = run->resumed ? w_ckpt_state(run->resumed)->step : 0;
    bool needs_data = run->set->batches || run->stop_step > done;

    /* An initial model needs no batches, but has the vocabulary of those that are piped in. */
    if (!needs_data && !run->init && !run->resumed && is_pipe()) {
        w_say("reads batches from standard input for their vocabulary (</dev/null: none)");
        needs_data = true;
    }
    enum w_status status = log_open(run, err);

    if (!status && needs_data)
        status = open_data(run, err);
    if (!status)
        status = settle_schedule(run, err);
    if (status)
        return status;
    status = settle_source(run, err);
    if (!status)
        status = find_tok(run, err);
    if (!status)
        status = settle_counts(run, err);
    if (!status && run->set->val.count)
        status = eval_open(run, err);
    if (status)
        return status;
    if (!run->set->output && !run->checkpoints.folder.path && run->stop_step > done)
        w_say("no -o: the model will not be kept");
    status = save_check(run, err);
    if (status)
        return status;
    status = w_team_new(&run->team, run->threads, err);
    if (!status)
        status = w_model_new(&run->model, &run->conf, W_PLAN_TRAIN, run->type, run->kern, run->team,
                             err);
    if (!status) {
        w_model_share(run->model, run->peers);
        run->losses = calloc(2 * run->conf.accumulate, sizeof *run->losses);
        if (!run->losses)
            status = w_fail(err, W_NOMEM, "no memory for the losses of a step");
    }
    if (!status) {
        say_plan(run);
        forecast_make(run);
    }
    if (!status)
        status = load_weights(run, err);
    if (run->loader && !run->resumed)
        run->state.data = w_loader_start(run->loader);
    return status;
}

void run_close(struct run *run)
{
    save_close(run);
    eval_close(run);
    w_loader_close(&run->loader);
    w_model_free(run->model);
    free(run->losses);
    w_team_free(run->team);
    w_ckpt_close(&run->resumed);
    w_ckpt_close(&run->init);
    w_json_free(run->src);
    w_json_free(run->origin);
}
