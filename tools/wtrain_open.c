/* What the run is made of before its first step: data, model, weights. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/wtrain.h"
#include "wire/prov.h"

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

/* What a model says of its batches. A run that goes on keeps what it said first, whatever the
 * commands were that made its batches again: so it ends with the same bytes. */
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
    return run_check_memory(run, err);
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
                      "\"steps\" in the configuration, or batches from a file");
    run_set_span(run, batches / run->conf.accumulate);
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
