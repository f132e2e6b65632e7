/* wtrain - trains the model of a configuration on a stream of batches. */
#include "tools/wtrain.h"

#include <stdio.h>
#include <string.h>

#define FIELD(field) .offset = offsetof(struct settings, field)

static const struct w_option options[] = {
    {"config", 'c', W_OPT_TEXT, FIELD(config), .arg = "FILE",
     .help =
         "The configuration, wconf(5). Required, except with --resume, where it is compared with "
         "that of the checkpoint, and with --init, where that of the model stands for it."},
    {"output", 'o', W_OPT_TEXT, FIELD(output), .arg = "FILE", .output = true,
     .help = "Write the model here when the run is complete; - is standard output. Without it the "
             "model is not kept."},
    {"set", 0, W_OPT_LIST, FIELD(set), .arg = "KEY=VALUE",
     .help = "Change one key of the configuration; may be given again."},
    {"seed", 's', W_OPT_TEXT, FIELD(seed), .arg = "N",
     .help = "Seed of the initial weights, the same as --set seed=N."},
    {"init", 0, W_OPT_TEXT, FIELD(init), .arg = "FILE",
     .help = "Start from the weights of this model instead of random ones. Without -c its "
             "configuration is taken, but for steps; --set changes it, such as the learning rate."},
    {"fit-positions", 0, W_OPT_FLAG, FIELD(fit_positions),
     .help = "With --init: the model may have another max_length than the configuration. Of fewer "
             "positions the first are taken; for more they are repeated from the first on."},
    {"threads", 't', W_OPT_COUNT, FIELD(threads), .arg = "N", .max = 4096,
     .help = "Worker threads. Default: OMP_NUM_THREADS, else the physical cores that may be used. "
             "The result has the same bits for any number."},
    {"kernel", 0, W_OPT_TEXT, FIELD(kernel), .arg = "NAME",
     .help =
         "Kernels to use instead of those of the checkpoint, for a run that is resumed, or of the "
         "fastest that this machine can run: " W_KERN_NAMES "."},
    {"precision", 0, W_OPT_CHOICE, FIELD(precision), .arg = "KIND", .dflt = "auto",
     .choices = W_PRECISION_NAMES,
     .help =
         "Compute type of the matrix products. Sums, weights in the checkpoint and the optimizer "
         "are fp32 with either. auto is that of the checkpoint for a run that is resumed, else "
         "bf16 where the CPU has instructions for it, else fp32."},
    {"steps", 'n', W_OPT_TEXT, FIELD(steps), .arg = "N",
     .help =
         "End the run after this many optimizer steps, including those before a resume; 0 writes "
         "the initial model, with the vocabulary of the batches if there are any: a file, or a "
         "pipe. Default: steps of the configuration, else all of the data."},
    {"time", 0, W_OPT_DURATION, FIELD(time_s), .arg = "DURATION",
     .help =
         "End the run after this time of training (90s, 5m, 2h), including that before a resume "
         "if it had a --time too; 0: no limit. Where no number of steps is known, a schedule that "
         "falls follows the time, also after a resume that gives none."},
    {"val", 0, W_OPT_LIST, FIELD(val), .arg = "FILE",
     .help =
         "Validation batches, a regular file of wbatch; evaluated at the end of the run. May be "
         "given again, for other texts or other counts of the same one."},
    {"val-every", 0, W_OPT_COUNT, FIELD(val_every), .arg = "N",
     .help = "Evaluate also every N steps."},
    {"log", 0, W_OPT_TEXT, FIELD(log), .arg = "FILE", .output = true, .appends = true,
     .help = "Append JSON Lines to this file, wtlog(5)."},
    {"log-every", 0, W_OPT_COUNT, FIELD(log_every), .arg = "N", .dflt = "1", .min = 1,
     .help = "Log every Nth step."},
    {"checkpoints", 0, W_OPT_TEXT, FIELD(checkpoints), .arg = "DIR",
     .help =
         "Folder for checkpoints. Default: the name of -o with .ckpt, which is removed when the "
         "model is complete; a folder that is named here is kept."},
    {"every", 0, W_OPT_DURATION, FIELD(every_s), .arg = "DURATION", .dflt = "10m",
     .help = "Time between checkpoints; 0: none by time."},
    {"every-steps", 0, W_OPT_COUNT, FIELD(every_steps), .arg = "N",
     .help = "Steps between checkpoints."},
    {"keep", 0, W_OPT_COUNT, FIELD(keep), .arg = "N", .dflt = "3", .min = 1,
     .help = "Checkpoints to keep; older ones are deleted after a new one is safe on disk, or "
             "before, if the disk is full and a newer one is whole."},
    {"resume", 0, W_OPT_TEXT, FIELD(resume), .arg = "FILE|DIR",
     .help = "Continue from this checkpoint, on the same batches; for a folder, from its newest "
             "complete one, or from the beginning if it holds none."},
    {"local-steps", 0, W_OPT_TEXT, FIELD(local_steps), .arg = "N",
     .help =
         "Among several ranks: each takes N optimizer steps alone before they exchange what they "
         "have learned (DiLoCo), for slow networks; the same as --set local_steps=N. 0: they "
         "sum their gradients in each step."},
    {"peer-sums", 0, W_OPT_TEXT, FIELD(peer_sums), .arg = "TYPE",
     .help =
         "Among several ranks: fp32, or bf16 for half the bytes between them, to other bits for "
         "each number of ranks; the same as --set peer_sums=TYPE."},
    {"update", 0, W_OPT_CHOICE, FIELD(update), .arg = "KIND", .dflt = "auto",
     .choices = "auto|whole|dealt", .aside = true,
     .help =
         "Among several ranks: whole: each makes the whole update of a step; dealt: each updates "
         "a part of the weights and sends it to the others, to the same bytes. auto: dealt where "
         "all ranks are on one machine and have one thread each; else sums of gradients are sent "
         "while others are still computed, and weights could not be."},
    {"peer-timeout", 0, W_OPT_DURATION, FIELD(peer_timeout_s), .arg = "DURATION", .dflt = "30s",
     .help = "Among several ranks, wtools(7): one that has not been heard for so long is taken for "
             "lost, and the run ends; 0: never."},
    {"dry-run", 0, W_OPT_FLAG, FIELD(dry_run),
     .help = "Read no data and train nothing: print the memory plan and a forecast as JSON."},
    {"rate", 0, W_OPT_REAL, FIELD(tok_s), .arg = "N",
     .help = "Tokens per second for the forecast of --dry-run, instead of a short measurement."},
    {"force", 0, W_OPT_FLAG, FIELD(force),
     .help = "Train even if the plan needs more memory than is available."},
    {"keep-best", 0, W_OPT_FLAG, FIELD(keep_best),
     .help = "Keep also the model of the lowest loss of the first --val, evaluated every "
             "--val-every steps: beside MODEL.wts of -o as MODEL.best.wts."},
    {"weights-only", 0, W_OPT_FLAG, FIELD(weights_only),
     .help = "Leave the optimizer's moments out of the model of -o: a third of the size, but it "
             "cannot be resumed."},
    {"no-provenance", 0, W_OPT_FLAG, FIELD(no_provenance),
     .help = "Leave the header of the batch stream out of models and checkpoints."},
    {0},
};

static const char *const examples[] = {
    "Train on the files of a folder",
    "wtok encode -V wiki.vocab wiki/* | wbatch -c small.json | wtrain -c small.json -o wiki.wts",
    "How much memory and time it will take",
    "wtrain -c small.json --steps 10k --dry-run | jq .forecast",
    "With validation and a log",
    "wtrain -c small.json -o wiki.wts --val val.wts --val-every 500 --log wiki.log train.wts",
    "How good a model is, without training it",
    "wtrain --init wiki.wts --steps 0 --val held-out.batches",
    "Continue after an interruption, to the same bytes as without it",
    "wtrain -c small.json -o wiki.wts --resume wiki.wts.ckpt train.wts",
    "How fast this machine is",
    "wtrain -c small.json --steps 10 train.wts",
    "The initial model",
    "wtrain -c small.json --steps 0 -o init.wts",
    "Train on four machines with a slow network",
    "mpirun -n 4 wtrain -c small.json --set accumulate=8 --local-steps 100 -o wiki.wts train.wts",
    "Train a model further on other text, in shorter sequences, at its own rate",
    "wtrain --init gpt2.wts --fit-positions --set max_length=256 --set learning_rate=3e-5 "
    "--time 10m -o mine.wts mine.batches",
    NULL,
};

static const struct w_program program = {
    .name = "wtrain",
    .summary = "train a model on a stream of batches",
    .operands = "[BATCHES]",
    .about =
        "Reads batches from wbatch on standard input or from a file, trains the model of the "
        "configuration, and writes it as one file that holds the configuration, the vocabulary "
        "and all that is needed to continue. SIGTERM, SIGINT and SIGHUP save a checkpoint and end "
        "the run; SIGUSR1 saves one and the run goes on.",
    .options = options,
    .examples = examples,
};

/* The command that continues the run, whole unless it is too long for a message. */
static enum w_status advise(const struct run *run, struct w_err *err)
{
    const char *folder = run->checkpoints.folder.path, *resume = run->set->resume;
    const char *command = w_cli_command_line();
    char line[W_ERR_TEXT];

    snprintf(line, sizeof line, "%s", strlen(command) < 512 ? command : "the same command, and");
    if (!resume || strcmp(resume, folder)) {
        w_cli_add_word(line, sizeof line, "--resume");
        w_cli_add_word(line, sizeof line, folder);
    }
    return w_fail(err, W_SIGNAL,
                  "stopped by a signal after step %llu: to continue, with the same batches: %s",
                  (unsigned long long)run->state.step, line);
}

/* After the last step: evaluate, save the model, or else keep the steps as a checkpoint. Returns
 * the status of the run. */
static enum w_status finish_training(struct run *run, enum w_status status, struct w_err *err)
{
    /* a rank that is lost has taken states of the optimizer with it */
    bool worth_saving = run->state.step > 0 && status != W_DIVERGED && w_model_is_whole(run->model);
    struct w_err save_err = {0};

    if (!status)
        status = eval_last(run, err);
    if (!status)
        status = save_model(run, err);
    /* Without a model the steps are kept as a checkpoint. */
    if (worth_saving && run->checkpoints.folder.path &&
        run->checkpoints.saved_step != run->state.step && (status || !run->set->output)) {
        enum w_status saved = save_checkpoint(run, &save_err);
        if (saved && (status == W_DONE || status == W_SIGNAL)) {
            *err = save_err;
            status = saved;
        }
    }
    if (run->checkpoints.saved_step <= run->state.step && run->checkpoints.folder.path &&
        status == W_SIGNAL)
        status = advise(run, err);
    return status ? status : save_check_best(run, err);
}

static enum w_status train(struct run *run, struct w_err *err)
{
    /* SIGUSR1 must not end the run even before there is anything to save. */
    w_signals_catch_save();
    enum w_status status = run_open(run, err);
    w_signals_catch();
    status = ranks_compare(run, status, err);
    if (!status)
        status = ranks_deal(run, err);
    if (status)
        return status;
    log_header(run);
    /* The run that was stopped may not have come to the evaluation of its last step. */
    if (run->resumed && run->set->keep_best && eval_is_due(run))
        status = eval_run(run, err);
    if (!status && run->loader)
        status = run_train(run, err);
    status = finish_training(run, status, err);
    log_end(run, status, err);
    show_summary(run);
    if (!status)
        show_next(run);
    struct w_err log_err = {0};
    enum w_status log_status = log_close(run, &log_err);
    if (log_status && status == W_DONE) {
        *err = log_err;
        status = log_status;
    }
    return status;
}

int main(int argc, char **argv)
{
    static struct settings set;
    static struct run run = {.set = &set, .log = {.fd = -1}};
    struct w_err err = {0};

    int stop = w_cli_parse(&program, &set, &argc, &argv);
    if (stop)
        return stop - 1;
    set.batches = argc > 0 ? argv[0] : NULL;
    enum w_status status = W_DONE;
    if (argc > 1)
        status =
            w_fail(&err, W_USAGE, "takes one stream of batches: '%.100s' is too many", argv[1]);
    if (!status)
        status = ranks_open(&run, &set, &err);
    if (!status)
        status = ranks_agree(&run, run_prepare(&run, &err), &err);
    if (!status && set.dry_run)
        status = w_peers_rank(run.peers) == 0 ? plan_print(&run, &err) : W_DONE;
    else if (!status)
        status = train(&run, &err);
    run_close(&run);
    status = ranks_end(&run, status, &err);
    return w_cli_finish(status, &err);
}
