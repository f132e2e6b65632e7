/* The steps of a run; between them the log, evaluations and checkpoints. */
#include <math.h>

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

    if (!w_signal_save)
        return;
    w_signal_save = 0;
    if (run->checkpoints.folder.path && run->state.step > 0 &&
        run->checkpoints.saved_step != run->state.step)
        if (save_checkpoint(run, &err) == W_DONE)
            w_say("saved step %llu, as SIGUSR1 asked", (unsigned long long)run->state.step);
}

/* The mean gradient of `accumulate` batches, into the model; *after: the place of the next batch.
 * If the data end before the last of them, W_END: the state stays that of the last whole step. */
static enum w_status gather_gradient(struct run *run, struct w_batch_place *after,
                                     struct w_err *err)
{
    struct step_facts *facts = &run->last;
    struct w_losses losses;
    double share = 1.0 / (double)run->conf.accumulate;

    facts->loss = facts->loss_counts = facts->loss_mixed = 0;
    for (u64 i = 0; i < run->conf.accumulate; i++) {
        struct w_loaded loaded;
        if (w_signal_stop)
            return w_fail(err, W_SIGNAL, "stopped by a signal");
        enum w_status status = w_loader_next(run->loader, &loaded, after, err);
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
                                      .number = run->state.step * run->conf.accumulate + i};
        facts->loss += share * w_model_gradient(run->model, &batch, share);
        w_model_losses(run->model, &losses);
        facts->loss_counts += share * losses.counts;
        facts->loss_mixed += share * losses.mixed;
    }
    return W_DONE;
}

static enum w_status check_finite(const struct run *run, const char *what, double value,
                                  struct w_err *err)
{
    if (isfinite(value))
        return W_DONE;
    return w_fail(err, W_DIVERGED,
                  "step %llu: the %s is not a finite number: training has diverged; earlier "
                  "checkpoints are kept; a lower learning_rate or more warmup_steps may help",
                  (unsigned long long)run->state.step + 1, what);
}

static enum w_status take_step(struct run *run, struct w_err *err)
{
    struct step_facts *facts = &run->last;
    struct w_batch_place after = {0};
    double started_s = w_now_s(), waited_s = w_loader_wait_s(run->loader);
    u64 step = run->state.step + 1;
    bool first = run->clock.began_s == 0;

    enum w_status status = gather_gradient(run, &after, err);
    if (!status)
        status = check_finite(run, "loss", facts->loss, err);
    if (status)
        return status;
    double part = run->time_s > 0 ? run_elapsed_s(run) / run->time_s : 0;
    facts->lr = w_schedule_rate(&run->conf, step, part);
    facts->gnorm = w_model_update(run->model, step, facts->lr);
    status = check_finite(run, "norm of the gradient", facts->gnorm, err);
    if (status)
        return status;

    run->state.step = step;
    run->state.tokens += run_step_tokens(run);
    run->state.loss = facts->loss;
    run->state.data = after;
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
    if (run->time_s > 0 && run_elapsed_s(run) >= run->time_s)
        return END_TIME;
    return END_NONE;
}

enum w_status run_train(struct run *run, struct w_err *err)
{
    enum w_status status = W_DONE;

    while (!status && (run->end = reached_end(run)) == END_NONE) {
        status = take_step(run, err);
        if (status)
            break;
        log_step(run);
        show_progress(run);
        run_heed_save_signal(run);
        if (eval_is_due(run))
            status = eval_run(run, err);
        /* After a failed save, which warns, the run goes on with the older checkpoint and tries
         * again. */
        if (!status && save_is_due(run) && reached_end(run) == END_NONE &&
            save_checkpoint(run, err))
            w_detail("going on without a checkpoint of step %llu",
                     (unsigned long long)run->state.step);
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
