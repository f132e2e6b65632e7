/* The steps of a run; between them the log, evaluations and checkpoints. */
#include <math.h>
#include <string.h>

#include "net/schedule.h"
#include "sys/clock.h"
#include "tools/wtrain.h"

double run_elapsed_s(const struct run *run)
{
    double before = run->resumed ? w_ckpt_state(run->resumed)->seconds : 0;
    return before + (run->clock.began_s > 0 ? w_now_s() - run->clock.began_s : 0);
}

void run_heed_save_signal(struct run *run)
{
    struct w_err err = {0};

    if (!w_signal_save || !w_model_is_whole(run->model))
        return;
    w_signal_save = 0;
    if (run->checkpoints.folder.path && run->state.step > 0 &&
        run->checkpoints.saved_step != run->state.step)
        if (save_checkpoint(run, &err) == W_DONE)
            w_say("saved step %llu, as SIGUSR1 asked", (unsigned long long)run->state.step);
}

bool run_passed(const struct run *run, u64 n)
{
    const u64 round = W_MAX(run->conf.local_steps, 1), step = run->state.step;

    return n > 0 && step > 0 && step / n > (step - 1) / round * round / n;
}

/* Batches whose mean gradient a step takes: of all ranks together, or, with local steps, of
 * each. */
static u64 gradient_batches(const struct run *run)
{
    return run->conf.accumulate / (run->conf.local_steps ? w_peers_size(run->peers) : 1);
}

/* The gradients of this process's batches of the step, into the model, and their losses; *after:
 * the place of the next step. If the data end before its last batch, W_END: the state stays that of
 * the last whole step. */
static enum w_status train_on_batches(struct run *run, struct w_batch_place *after,
                                      struct w_err *err)
{
    const u64 all = run->conf.accumulate, own = all / w_peers_size(run->peers);
    const u64 first = own * w_peers_rank(run->peers);

    for (u64 i = first; i < first + own; i++) {
        struct w_loaded loaded;
        enum w_status status = w_signals_check(err);
        if (!status)
            status = w_loader_next(run->loader, &loaded, after, err);
        if (status)
            return status;
        if (run->clock.began_s == 0) {
            /* Time before the first batch is the start of the pipeline and not part of its rate. */
            run->clock.began_s = w_now_s();
            run->clock.start_up_s = w_loader_wait_s(run->loader);
        }
        const struct w_batch batch = {.ids = loaded.ids,
                                      .lp = loaded.lp,
                                      .ctx = loaded.ctx,
                                      .number = run->state.step * all + i};
        w_model_gradient(run->model, &batch, 1.0 / (double)gradient_batches(run));
        w_model_losses(run->model, &run->losses[i]);
    }
    return W_DONE;
}

void run_add_losses(const void *context, void *x, const void *other, u64 items)
{
    struct w_losses *losses = x;
    const struct w_losses *theirs = other;

    (void)context;
    for (u64 i = 0; i < items; i++) {
        losses[i].network += theirs[i].network;
        losses[i].counts += theirs[i].counts;
        losses[i].mixed += theirs[i].mixed;
    }
}

/* Once this rank's batches are done, or have failed with a status: what all ranks have made of the
 * step. */
static enum w_status gather_ranks(struct run *run, enum w_status status, struct w_err *err)
{
    const double started_s = w_now_s();

    if (!run->peers || run->conf.local_steps)
        return status;
    if (status)
        w_model_withhold(run->model);
    ranks_say(run, status, err);
    /* each loss was set by one rank, and is zero on the others */
    w_peers_combine(run->peers, &(struct w_peers_job){.x = run->losses,
                                                      .scratch = run->losses + run->conf.accumulate,
                                                      .items = run->conf.accumulate,
                                                      .item_bytes = sizeof *run->losses,
                                                      .operation = run_add_losses});
    status = w_model_gather(run->model, err);
    run->last.peers_s = w_now_s() - started_s;
    return status ? status : ranks_verdict(run, err);
}

/* The mean gradient of the batches of a step. before: the status of what was done since the last
 * step; among ranks a failure of it ends the run only here, where they meet. */
static enum w_status gather_gradient(struct run *run, enum w_status before,
                                     struct w_batch_place *after, struct w_err *err)
{
    struct step_facts *facts = &run->last;
    const u64 batches = run->conf.accumulate;
    const double share = 1.0 / (double)gradient_batches(run);

    memset(run->losses, 0, batches * sizeof *run->losses);
    enum w_status status = before ? before : train_on_batches(run, after, err);
    status = gather_ranks(run, status, err);
    facts->loss = facts->loss_counts = facts->loss_mixed = 0;
    for (u64 i = 0; i < batches; i++) {
        facts->loss += share * run->losses[i].network;
        facts->loss_counts += share * run->losses[i].counts;
        facts->loss_mixed += share * run->losses[i].mixed;
    }
    return status;
}

enum w_status run_check_finite(u64 step, const char *what, double value, struct w_err *err)
{
    if (isfinite(value))
        return W_DONE;
    return w_fail(err, W_DIVERGED,
                  "step %llu: the %s is not a finite number: training has diverged; earlier "
                  "checkpoints are kept; a lower learning_rate or more warmup_steps may help",
                  (unsigned long long)step, what);
}

/* Seconds of training by which the run is steered: among ranks all have to take the same, that of
 * rank 0 when it was last heard. */
static double steering_s(const struct run *run)
{
    return run->peers ? run->words[0].elapsed_s : run_elapsed_s(run);
}

/* Among ranks: wait for the weights that others have updated, and for the states of the optimizer
 * where this one will save them. All but the packing of the weights, which the model counts as part
 * of the update, is time of the ranks. */
static enum w_status spread_update(struct run *run, struct w_err *err)
{
    const double *packing_s = &w_model_seconds(run->model)[W_PHASE_UPDATE];
    const double started_s = w_now_s() - *packing_s;
    enum w_status status = w_model_spread(run->model, save_is_ahead(run), err);

    if (run->peers)
        run->last.peers_s += w_now_s() - *packing_s - started_s;
    return status;
}

static enum w_status take_step(struct run *run, enum w_status before, struct w_err *err)
{
    struct step_facts *facts = &run->last;
    struct w_batch_place after = {0};
    double started_s = w_now_s(), waited_s = w_loader_wait_s(run->loader);
    u64 step = run->state.step + 1;
    bool first = run->clock.began_s == 0;

    facts->began_s = started_s;
    enum w_status status = gather_gradient(run, before, &after, err);
    if (!status)
        status = run_check_finite(step, "loss", facts->loss, err);
    if (status)
        return status;
    double part = run->time_s > 0 ? steering_s(run) / run->time_s : 0;
    facts->lr = w_schedule_rate(&run->conf, step, part);
    facts->gnorm = w_model_update(run->model, step, facts->lr);
    if (!run->conf.local_steps)
        memcpy(&run->check, &facts->gnorm, sizeof run->check);
    status = run_check_finite(step, "norm of the gradient", facts->gnorm, err);
    if (status)
        return status;

    run->state.step = step;
    run->state.tokens += run_step_tokens(run);
    run->state.loss = facts->loss;
    run->state.data = after;
    status = spread_update(run, err);
    if (status)
        return status;
    facts->seconds = w_now_s() - (first ? run->clock.began_s : started_s);
    facts->wait_s = w_loader_wait_s(run->loader) - (first ? run->clock.start_up_s : waited_s);
    run->clock.steps++;
    run->clock.tokens += run_step_tokens(run);
    run->clock.step_seconds += facts->seconds;
    run->clock.wait_s += facts->wait_s;
    return W_DONE;
}

/* Why the run is complete, as far as that does not depend on its data. */
static enum run_end reached_end(const struct run *run)
{
    if (run->state.step >= run->stop_step)
        return END_STEPS;
    if (run->time_s > 0 && steering_s(run) >= run->time_s)
        return END_TIME;
    return END_NONE;
}

static enum w_status take_logged_step(struct run *run, enum w_status before, struct w_err *err)
{
    enum w_status status = take_step(run, before, err);

    if (!status) {
        log_step(run);
        show_progress(run);
    }
    return status;
}

/* Steps of this rank alone up to the end of a round, and that end. before: as for
 * gather_gradient(). */
static enum w_status take_round(struct run *run, enum w_status before, struct w_err *err)
{
    enum w_status status = before;

    round_begin(run);
    while (!status && !round_is_over(run)) {
        status = take_logged_step(run, W_DONE, err);
        if (!status)
            round_add(run);
        if (!status && w_peers_failed(run->peers)) /* another rank is lost */
            status = w_peers_wait(run->peers, err);
    }
    return round_end(run, status, err);
}

enum w_status run_train(struct run *run, struct w_err *err)
{
    const bool rounds = run->conf.local_steps > 0;
    enum w_status status = W_DONE;

    if (rounds)
        w_model_begin_round(run->model);
    while ((run->peers || !status) && (run->end = reached_end(run)) == END_NONE) {
        status = rounds ? take_round(run, status, err) : take_logged_step(run, status, err);
        if (status)
            break;
        run_heed_save_signal(run);
        if (eval_is_due(run))
            status = eval_run(run, err);
        /* After a failed save, which warns, the run goes on with the older checkpoint and tries
         * again. */
        if (!status && save_is_due(run) && w_model_is_whole(run->model) &&
            reached_end(run) == END_NONE && save_checkpoint(run, err))
            w_detail("going on without a checkpoint of step %llu",
                     (unsigned long long)run->state.step);
    }
    /* What follows saves the run, after a failure of one rank, too. */
    struct w_err lost = {0};
    if (!w_peers_failed(run->peers) && w_model_spread(run->model, true, &lost)) {
        *err = lost;
        status = lost.status;
    }
    if (status == W_END) {
        run->end = END_DATA;
        status = run->state.step > 0
                     ? W_DONE
                     : w_fail(err, W_TRUNCATED,
                              "the data end before the first step, which needs %llu batches",
                              (unsigned long long)run->conf.accumulate);
    }
    return status;
}
