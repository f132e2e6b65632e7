/* Rounds of local steps, wtrain(1) and net/outer.h.
 *
 * In a round each rank goes its own way; what is evaluated, saved and logged of all is the run at
 * the end of one. A round in which a rank fails, or which a signal interrupts, has not been: its
 * steps are taken again after a resume, so that the model has the bytes of a run without
 * interruption. */
#include <string.h>

#include "sys/clock.h"
#include "tools/wtrain.h"

void round_begin(struct run *run)
{
    run->round.began = run->state;
    run->round.began_s = w_now_s();
    run->round.losses[0] = (struct w_losses){0};
}

bool round_is_over(const struct run *run)
{
    const u64 step = run->state.step;

    return step > run->round.began.step &&
           (step % run->conf.local_steps == 0 || step >= run->stop_step);
}

void round_add(struct run *run)
{
    const struct step_facts *facts = &run->last;
    const struct w_losses losses = {facts->loss, facts->loss_counts, facts->loss_mixed};

    run_add_losses(NULL, &run->round.losses[0], &losses, 1);
}

/* The outer step, after so many steps of each rank. */
static enum w_status join(struct run *run, u64 steps, struct w_err *err)
{
    struct round *round = &run->round;
    struct w_losses *losses = &round->losses[0];
    const double share = 1 / (double)(steps * w_peers_size(run->peers));

    w_peers_combine(run->peers, &(struct w_peers_job){.x = losses,
                                                      .scratch = &round->losses[1],
                                                      .items = 1,
                                                      .item_bytes = sizeof *losses,
                                                      .operation = run_add_losses});
    enum w_status status = w_model_end_round(run->model, &round->gnorm, err);
    if (status)
        return status;
    *losses =
        (struct w_losses){share * losses->network, share * losses->counts, share * losses->mixed};
    run->state.loss = losses->network;
    memcpy(&run->check, &round->gnorm, sizeof run->check);
    return run_check_finite(run->state.step, "norm of the outer gradient", round->gnorm, err);
}

enum w_status round_end(struct run *run, enum w_status status, struct w_err *err)
{
    struct round *round = &run->round;
    const double started_s = w_now_s();
    const u64 steps = run->state.step - round->began.step;

    const enum w_status agreed = ranks_agree(run, status, err);
    status = agreed == W_END ? W_DONE : agreed;
    if (!status && steps > 0)
        status = join(run, steps, err);
    if (status) {
        w_model_drop_round(run->model);
        run->state = round->began;
        return status;
    }
    const double now_s = w_now_s();
    round->peers_s = now_s - started_s;
    round->seconds = now_s - W_MAX(round->began_s, run->clock.began_s);
    run->clock.step_seconds += round->peers_s;
    if (steps > 0)
        log_round(run);
    return agreed;
}
