/* wtrain.h - shared by the files of wtrain: its options, and one run.
 *
 *   wtrain.c       options, main: a run from the command line to the exit status
 *   wtrain_setup.c what the run is to be: configuration, threads, kernels, memory
 *   wtrain_open.c  what it is made of: data, model, weights
 *   wtrain_ranks.c the other processes of the run, if there are any
 *   wtrain_loop.c  the steps
 *   wtrain_round.c rounds of local steps
 *   wtrain_save.c  when the run is saved, and where
 *   wtrain_eval.c  the validation loss
 *   wtrain_log.c   --log, the progress line, the summary
 *   wtrain_plan.c  --dry-run
 *   wtrain_forecast.c  the rate that a calibration of this host predicts
 *
 * Functions that return a status fill err with the reason; W_SIGNAL: stopped by a signal. */
#ifndef W_WTRAIN_H
#define W_WTRAIN_H

#include "data/loader.h"
#include "kern/kern.h"
#include "net/score.h"
#include "store/checkpoint.h"
#include "store/checkpoint_folder.h"
#include "sys/machine.h"
#include "sys/peers.h"
#include "tools/cli.h"
#include "wire/token_header.h"

struct settings {
    const char *config, *output, *init, *resume, *log, *checkpoints, *kernel;
    const char *steps, *seed, *local_steps, *peer_sums; /* as text; NULL: not given */
    struct w_text_list set, val;
    u64 threads, val_every, log_every, every_steps, keep;
    double time_s, every_s;
    double tok_s; /* for --dry-run; 0: to be measured */
    double peer_timeout_s;
    bool dry_run, force, weights_only, no_provenance, fit_positions, keep_best;
    u32 precision;       /* enum w_precision */
    u32 update;          /* enum update */
    const char *batches; /* the operand; NULL: standard input */
};

#define MIB (1024.0 * 1024.0)

/* --update: who updates the weights, among ranks. */
enum update { UPDATE_AUTO, UPDATE_WHOLE, UPDATE_DEALT };

/* Why a run was complete. */
enum run_end { END_NONE, END_STEPS, END_TIME, END_DATA };

/* ---- the state of a run: each struct is written by one file, and read by any ---- */

/* wtrain_save.c: where the run is saved, and when next. */
struct checkpoints {
    struct w_ckpt_folder folder; /* its path is NULL: none */
    char folder_path[4096];
    double next_save_s;
    u64 saved_step; /* of the newest one; W_JSON_INT_MAX: none */
    u64 retry_step; /* when to try again after a failure; 0: never */
    u32 failures;   /* in a row */
};

/* wtrain_save.c: the model of the lowest validation loss. */
struct best_model {
    char path[4096];
    double loss; /* of the one at the path; INFINITY: there is none of this run */
    u64 step;
    bool unsaved; /* a later one was better, and could not be saved */
};

/* wtrain_eval.c: one evaluation of a file. */
struct evaluation {
    const char *path;
    struct w_losses loss;       /* means; counts and mixed are 0 where there are none */
    u64 batches, tokens, bytes; /* tokens: targets that are text */
    double seconds;
};

/* wtrain_eval.c: the last evaluation. */
struct validation {
    u32 *id_bytes;             /* bytes of text of each id; NULL: the vocabulary is not known */
    float *nll;                /* losses of a batch (B, T) */
    bool all_read;             /* the batches for training, so that no --val is to come any more */
    u64 step;                  /* of the last evaluation; W_JSON_INT_MAX: none */
    struct evaluation *of_val; /* for each --val */
};

/* wtrain_loop.c: time since the first batch arrived, steps and tokens, all of this process. */
struct run_clock {
    double began_s; /* 0: no batch yet */
    double start_up_s, step_seconds, wait_s;
    u64 steps, tokens;
};

/* wtrain_loop.c: one step, for the log and the progress line. */
struct step_facts {
    double loss, gnorm, lr;         /* of the network alone; lr: the learning rate */
    double loss_counts, loss_mixed; /* 0: none */
    double seconds, wait_s;         /* of this step; of that, waiting for data */
    double peers_s, began_s;        /* waiting for other ranks; when it began (w_now_s()) */
};

/* wtrain_round.c: the round of local steps at hand, and the last one for the log. */
struct round {
    struct w_ckpt_state began; /* the run when it began: a checkpoint can only be of this */
    double began_s;            /* when it did */
    struct w_losses
        losses[2]; /* sums over its steps, at its end means over ranks and steps; scratch */
    double gnorm;  /* of the outer gradient */
    double seconds, peers_s; /* its time, and of that what this rank has waited for the others */
};

/* wtrain_ranks.c: what a rank tells the others, and what they all say together. */
struct rank_word {
    u32 first;          /* the lowest rank of those that say it */
    u32 status, signal; /* enum w_status: the worst; the signal, if it is W_SIGNAL */
    u32 differs;        /* a rank whose check is another one than that of rank 0; 0: none */
    u64 check;          /* of rank 0 */
    double elapsed_s;   /* of rank 0: run_elapsed_s() */
    char text[W_ERR_TEXT];
};

/* wtrain_log.c: --log. */
struct run_log {
    int fd; /* -1: none */
    bool dead;
};

/* The rest is set up by wtrain_setup.c and wtrain_open.c before the first step. */
struct run {
    const struct settings *set;
    struct w_conf conf;
    u64 stop_step; /* UINT64_MAX: none */
    double time_s; /* of --time, or of the checkpoint whose schedule follows it; 0: none */

    struct w_machine machine;
    u32 threads;
    const struct w_kern *kern;
    enum w_type type; /* compute type */
    struct w_plan plan;
    struct w_team *team;
    struct w_model *model;
    struct w_loader *loader;     /* NULL if no data are needed */
    const struct w_json *tok;    /* the vocabulary, or NULL; owned by loader, resumed or init */
    struct w_json *src, *origin; /* of the batches, as checkpoints hold them; NULL: none */
    struct w_ckpt *resumed;      /* the checkpoint of --resume, or NULL */
    struct w_ckpt *init;         /* the model of --init, or NULL */
    char resumed_path[W_CKPT_PATH];
    double forecast_tok_s; /* wtrain_forecast.c; 0: none */

    /* wtrain_ranks.c */
    struct w_peers *peers;     /* NULL: this process alone */
    struct rank_word words[2]; /* the last agreement; scratch */
    u64 check;                 /* what has to be the same on all ranks */

    /* wtrain_loop.c */
    struct w_losses *losses;   /* of the batches of a step; then as much scratch memory */
    struct w_ckpt_state state; /* after the last whole step; a checkpoint holds it */
    struct step_facts last;
    struct round round; /* with conf.local_steps only */
    struct run_clock clock;
    enum run_end end;

    struct checkpoints checkpoints;
    struct best_model best;
    struct validation validation;
    struct run_log log;
};

/* ---- wtrain_setup.c ---- */
/* Configuration, plan and the memory check. Reads no data. W_USAGE: options or configuration;
 * W_MISMATCH: a checkpoint of another configuration; W_NOMEM: more memory than is available. */
enum w_status run_prepare(struct run *, struct w_err *) W_MUST_CHECK;
/* Does a schedule that falls end with the time of the run, and not at a step? */
bool run_follows_time(const struct run *);
/* ": ... or remove FOLDER to begin anew", what else to do where --resume is refused. */
const char *run_begin_anew(const struct run *, char text[W_CKPT_PATH + 64]);
u64 run_step_tokens(const struct run *); /* tokens of one optimizer step */
/* Set the length of a falling schedule where the configuration does not give it; 0: not known yet.
 * It is at least the warm-up even for a shorter run, because the configuration that is saved has to
 * be valid. */
void run_set_span(struct run *, u64 steps);
/* Is there memory for the run? W_USAGE: its sizes overflow; W_NOMEM. */
enum w_status run_check_memory(struct run *, struct w_err *) W_MUST_CHECK;

/* ---- wtrain_open.c ---- */
/* Log, data, model and weights. W_MISMATCH: of another shape or vocabulary. Then run_close(). */
enum w_status run_open(struct run *, struct w_err *) W_MUST_CHECK;
void run_close(struct run *);

/* ---- wtrain_round.c ---- */
void round_begin(struct run *);
/* Has the run come to the end of a round with this step? */
bool round_is_over(const struct run *);
/* Count the losses of the last step for the round. */
void round_add(struct run *);
/* The end of a round, to which all ranks come with their status: the outer step, if there are steps
 * in it and none has failed; the end of the data is no failure. Else the run is what it was when
 * the round began. W_DIVERGED; the status that all agree on; else as w_peers_wait(). */
enum w_status round_end(struct run *, enum w_status, struct w_err *) W_MUST_CHECK;

/* ---- wtrain_ranks.c ---- */
/* Find out whether this process is one of several ranks, and connect with them. Others than rank 0
 * then write and say nothing. W_IO, W_USAGE: their number is no power of two. */
enum w_status ranks_open(struct run *, struct settings *, struct w_err *) W_MUST_CHECK;
/* W_USAGE: a step has not batches enough. */
enum w_status ranks_check(const struct run *, struct w_err *) W_MUST_CHECK;
/* A status that all have: the worst of theirs, with its text. Alone it is the caller's own. */
enum w_status ranks_agree(struct run *, enum w_status, struct w_err *) W_MUST_CHECK;
/* The same in two parts, around w_peers_wait(). */
void ranks_say(struct run *, enum w_status, const struct w_err *);
enum w_status ranks_verdict(struct run *, struct w_err *) W_MUST_CHECK;
/* The same before the first step. W_MISMATCH: a rank begins with something else than rank 0. */
enum w_status ranks_compare(struct run *, enum w_status, struct w_err *) W_MUST_CHECK;
/* Before the first step: agree whether the update is dealt out, and do so. W_NOMEM; else as
 * w_peers_wait(). */
enum w_status ranks_deal(struct run *, struct w_err *) W_MUST_CHECK;
/* All ranks end: rank 0 says why, if there is a reason. Among ranks, nothing is left to say. */
enum w_status ranks_end(struct run *, enum w_status, struct w_err *) W_MUST_CHECK;

/* ---- wtrain_loop.c ---- */
/* Steps until the end of the run: W_DONE, and run->end says which. W_DIVERGED: a loss or a gradient
 * is not finite; W_TRUNCATED: the data ended before the first step, or without their end. */
enum w_status run_train(struct run *, struct w_err *) W_MUST_CHECK;
double run_elapsed_s(const struct run *); /* of training, including earlier parts of the run */
/* Is the number of steps a multiple of n, or with local steps, has it passed one in the last round?
 * 0: no. */
bool run_passed(const struct run *, u64 n);
/* W_DIVERGED: a value is not finite; what: "loss". */
enum w_status run_check_finite(u64 step, const char *what, double value,
                               struct w_err *) W_MUST_CHECK;
/* Add the losses of another rank: a w_peers_operation of w_losses. */
void run_add_losses(const void *context, void *x, const void *other, u64 items);
/* Save a checkpoint now if SIGUSR1 asked for one, or after the next step, if the states of the
 * optimizer are on several ranks. */
void run_heed_save_signal(struct run *);

/* ---- wtrain_save.c ---- */
/* Name the file of --keep-best. W_USAGE: there is no name for it, or no validation; or another file
 * has it. */
enum w_status save_name_best(struct run *, struct w_err *) W_MUST_CHECK;
/* Find and make the folder; test that -o can be written. W_USAGE: the folder holds another run. */
enum w_status save_open(struct run *, struct w_err *) W_MUST_CHECK;
bool save_is_due(const struct run *);
/* Will this process save the states of the optimizer before the next step, as far as it knows? */
bool save_is_ahead(const struct run *);
/* W_USAGE: the folder holds later steps than the checkpoint of --resume, so of another try. */
enum w_status save_refuse_later(const struct run *, struct w_err *) W_MUST_CHECK;
/* W_USAGE: the header of a file cannot describe this model. Asked before the first step. */
enum w_status save_check(const struct run *, struct w_err *) W_MUST_CHECK;
/* Write a checkpoint to the folder. A failure is also a warning: training goes on without it. */
enum w_status save_checkpoint(struct run *, struct w_err *) W_MUST_CHECK;
/* Write the model to -o, if that is given. */
enum w_status save_model(struct run *, struct w_err *) W_MUST_CHECK;
/* Take up the best model of the run that is resumed. */
void save_find_best(struct run *);
/* Write the model as the best one if its validation loss is the lowest so far. A failure is a
 * warning: training goes on. */
void save_if_best(struct run *);
/* W_IO: the best model could not be saved. */
enum w_status save_check_best(const struct run *, struct w_err *) W_MUST_CHECK;
/* A folder of checkpoints that reports by w_warn() and w_detail(). Keeps path. */
struct w_ckpt_folder save_folder(const char *path);
void save_close(struct run *);

/* ---- wtrain_eval.c ---- */
/* W_USAGE: a --val is no regular file; W_MISMATCH: of another shape or vocabulary, or with other
 * columns of counts than the gate weighs. One that wbatch makes beside the batches for training
 * (their header's "val_later") may come later. */
enum w_status eval_open(struct run *, struct w_err *) W_MUST_CHECK;
bool eval_is_due(const struct run *);
/* Evaluate over all of each file that is there; the results go to run->validation and the log. */
enum w_status eval_run(struct run *, struct w_err *) W_MUST_CHECK;
/* The evaluation at the end of the run, if that has not been made. A file that is still to come is
 * waited for. */
enum w_status eval_last(struct run *, struct w_err *) W_MUST_CHECK;
double eval_bits_per_byte(const struct evaluation *, double loss); /* 0: not known */
void eval_close(struct run *);

/* ---- wtrain_log.c ---- */
enum w_status log_open(struct run *, struct w_err *) W_MUST_CHECK; /* W_IO */
void log_header(struct run *);
void log_step(struct run *);
void log_round(struct run *);
void log_eval(struct run *, const struct evaluation *);
void log_ckpt(struct run *, const char *path, double seconds, const struct w_err *failure);
void log_end(struct run *, enum w_status status, const struct w_err *);
enum w_status log_close(struct run *, struct w_err *) W_MUST_CHECK; /* W_IO: not complete */
void show_progress(struct run *);
void show_summary(struct run *);
void show_next(const struct run *); /* what to do with the model */

/* ---- wtrain_forecast.c ---- */
/* Print how fast the run will be, if this host has a calibration, and keep it in run. */
void forecast_make(struct run *);

/* ---- wtrain_plan.c ---- */
/* Print the plan and the forecast as JSON. W_NOMEM: more memory than is available. */
enum w_status plan_print(struct run *, struct w_err *) W_MUST_CHECK;

#endif
