/* When and where a run is saved: its folder of checkpoints, the model of -o, and the best one. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fdio.h"
#include "sys/file_list.h"
#include "sys/folder.h"
#include "tools/wtrain.h"

#define NONE W_JSON_INT_MAX /* as a step: no checkpoint */
#define RETRIES 3           /* of a failed save, after 1, 4 and 16 steps */

/* A report of the folder. */
static void report(bool warning, const char *text)
{
    if (warning)
        w_warn("%s", text);
    else
        w_detail("%s", text);
}

struct w_ckpt_folder save_folder(const char *path)
{
    return (struct w_ckpt_folder){.path = path, .tell = report};
}

/* ---- opening ---- */

/* The folder, made if it is not there, and tried. */
static enum w_status make_folder(const struct w_ckpt_folder *folder, struct w_err *err)
{
    char path[W_CKPT_PATH];

    if (mkdir(folder->path, 0777) && errno != EEXIST)
        return w_fail_errno(err, "%s: cannot make the folder", folder->path);
    w_ckpt_folder_path(folder, 0, path);
    return w_output_try(path, err);
}

/* A folder with checkpoints of another run is refused: --resume could not tell the two apart. */
static enum w_status refuse_others(const struct run *run, struct w_err *err)
{
    const struct checkpoints *c = &run->checkpoints;
    u64 last = 0;

    enum w_status status = w_ckpt_folder_last(&c->folder, &last, err);
    if (!status && !run->set->resume)
        status = w_fail(err, W_USAGE,
                        "%s: holds checkpoints of an earlier run, up to step %llu: continue with "
                        "--resume %s, or remove the folder to begin anew, or name another one with "
                        "--checkpoints",
                        c->folder.path, (unsigned long long)last, c->folder.path);
    return status == W_END ? W_DONE : status;
}

enum w_status save_refuse_later(const struct run *run, struct w_err *err)
{
    char path[W_CKPT_PATH];

    /* One that is damaged is no reason to refuse: it will be replaced. */
    enum w_status status =
        w_ckpt_folder_later(&run->checkpoints.folder, w_ckpt_state(run->resumed)->step, path, err);
    if (!status)
        status = w_fail(err, W_USAGE,
                        "%s: is of a later step than %s: resume from that one, or delete it, or "
                        "name another folder with --checkpoints",
                        path, run->resumed_path);
    return status == W_END ? W_DONE : status;
}

/* Is a path also another file of the run? */
static bool is_taken(const struct settings *set, const char *path)
{
    const char *const others[] = {set->batches ? set->batches : "-", set->config, set->init,
                                  set->log};
    bool taken = false;

    for (size_t i = 0; i < W_COUNTOF(others); i++)
        taken |= others[i] && w_same_file(others[i], path);
    for (size_t i = 0; i < set->val.count; i++)
        taken |= w_same_file(set->val.items[i], path);
    return taken;
}

/* wiki.wts has wiki.best.wts beside it. The file itself says what its loss was, so that a run which
 * is resumed knows it; what an earlier run left there counts nothing. */
enum w_status save_name_best(struct run *run, struct w_err *err)
{
    static const char end[] = ".wts";
    const struct settings *set = run->set;
    struct best_model *best = &run->best;
    const size_t length = set->output ? strlen(set->output) : 0, tail = sizeof end - 1;
    const bool ends = length > tail && !strcmp(set->output + length - tail, end);

    if (!set->keep_best)
        return W_DONE;
    if (!length || !strcmp(set->output, "-") || !set->val.count || !set->val_every)
        return w_fail(err, W_USAGE,
                      "--keep-best needs -o FILE for its name, and --val and --val-every for its "
                      "choice");
    if (length + 10 > sizeof best->path)
        return w_fail(err, W_USAGE, "%.100s...: the path is too long", set->output);
    snprintf(best->path, sizeof best->path, "%.*s.best%s", (int)(ends ? length - tail : length),
             set->output, end);
    best->loss = INFINITY;
    return is_taken(set, best->path)
               ? w_fail(err, W_USAGE, "%s: is for --keep-best, and also another file of the run",
                        best->path)
               : W_DONE;
}

enum w_status save_open(struct run *run, struct w_err *err)
{
    struct checkpoints *c = &run->checkpoints;
    const struct settings *set = run->set;
    bool to_file = set->output && strcmp(set->output, "-");
    const char *base = set->checkpoints ? set->checkpoints : to_file ? set->output : NULL;
    bool initial = set->steps && !strcmp(set->steps, "0");
    enum w_status status = W_DONE;

    c->saved_step = NONE;
    if (set->output)
        status = w_cli_refuse_terminal(set->output, "-o FILE", err);
    if (status || set->dry_run)
        return status;
    if (run->best.path[0])
        status = w_output_try(run->best.path, err);
    if (status || !base || initial)
        return status;
    if (strlen(base) + 6 > sizeof c->folder_path)
        return w_fail(err, W_USAGE, "%.100s...: the path is too long", base);
    snprintf(c->folder_path, sizeof c->folder_path, "%s%s", base, set->checkpoints ? "" : ".ckpt");
    c->folder = save_folder(c->folder_path);
    status = refuse_others(run, err);
    if (!status)
        status = make_folder(&c->folder, err);
    c->next_save_s = w_now_s() + set->every_s;
    return status;
}

void save_close(struct run *run)
{
    /* A folder with a default name is removed, unless there are files in it. */
    if (run->checkpoints.folder.path && !run->set->checkpoints)
        rmdir(run->checkpoints.folder.path);
}

/* ---- saving ---- */

bool save_is_due(const struct run *run)
{
    const struct checkpoints *c = &run->checkpoints;
    const struct settings *set = run->set;
    u64 step = run->state.step;

    if (!c->folder.path || c->saved_step == step)
        return false;
    return run_passed(run, set->every_steps) || (set->every_s > 0 && w_now_s() >= c->next_save_s) ||
           (c->retry_step && step >= c->retry_step);
}

bool save_is_ahead(const struct run *run)
{
    return save_is_due(run) || (run->checkpoints.folder.path && w_signal_save) ||
           (run->best.path[0] && eval_is_due(run));
}

static struct w_ckpt_write write_to(const struct run *run, const char *path)
{
    return (struct w_ckpt_write){
        .path = path, .tok = run->tok, .src = run->src, .origin = run->origin};
}

/* Warn where the folder has no room for the checkpoints that are kept and for one more, which is
 * complete before the oldest goes. */
static void warn_of_room(const struct run *run, u64 bytes)
{
    const double size = (double)bytes / MIB;
    const char *folder = run->checkpoints.folder.path;
    u64 room = 0, there = 0;

    if (!folder || run->set->dry_run || w_folder_room(folder, &room, NULL) ||
        w_ckpt_folder_count(&run->checkpoints.folder, &there, NULL))
        return;
    const u64 files = run->set->keep + 1 - W_MIN(there, run->set->keep);
    if ((double)files * (double)bytes > (double)room)
        w_warn("%s: there is room for %.1f MiB, but %llu checkpoints of %.1f MiB and one more "
               "while it is written need %.1f: the oldest will give way; --keep N keeps fewer",
               folder, (double)room / MIB, (unsigned long long)run->set->keep, size,
               (double)files * size);
}

enum w_status save_check(const struct run *run, struct w_err *err)
{
    const struct settings *set = run->set;
    struct w_ckpt_write write = write_to(run, "");
    struct w_tensors tensors = {0};

    write.weights_only = set->weights_only && !run->checkpoints.folder.path;
    enum w_status status = w_tensors_make(&tensors, &run->conf, err);
    if (!status && (set->output || run->checkpoints.folder.path || set->dry_run)) {
        u64 bytes = 0;
        status = w_ckpt_check(&tensors, &run->conf, &write, &bytes, err);
        if (status && status != W_NOMEM)
            status = w_fail_at(err, W_USAGE, "no file can hold this model, with %u tensors",
                               (unsigned)tensors.count);
        if (!status)
            warn_of_room(run, bytes);
    }
    w_tensors_free(&tensors);
    return status;
}

/* The state to write. It has a time only where one limits the run, or limited an earlier part of
 * it: all other runs of the same input give the same bytes. */
static struct w_ckpt_state state_to_save(const struct run *run, double val_loss)
{
    struct w_ckpt_state state = run->state;
    bool counts = run->time_s > 0 || (run->resumed && w_ckpt_state(run->resumed)->seconds > 0);

    state.val_loss = val_loss;
    state.seconds = counts ? run_elapsed_s(run) : 0;
    state.time_s = run_follows_time(run) ? run->time_s : 0;
    snprintf(state.kernel, sizeof state.kernel, "%s", run->kern->name);
    snprintf(state.precision, sizeof state.precision, "%s", w_compute_type_name(run->type));
    return state;
}

/* Write a file; val_loss: for which it is kept, or 0. On a full disk the oldest checkpoints give
 * way to it, as long as a newer one is whole. */
static enum w_status save_file(struct run *run, const struct w_ckpt_write *write, double val_loss,
                               struct w_err *err)
{
    const struct w_ckpt_folder *folder = &run->checkpoints.folder;
    const struct w_ckpt_state state = state_to_save(run, val_loss);
    struct w_err trouble = {0};
    u64 gone = 0;

    enum w_status status = w_ckpt_save(run->model, &run->conf, &state, write, err);
    while (status && w_err_is_full(err) && folder->path &&
           !w_ckpt_folder_yield(folder, run->state.step, &gone, &trouble)) {
        w_warn("the disk is full: the checkpoint of step %llu was deleted to make room for %s",
               (unsigned long long)gone, write->path);
        status = w_ckpt_save(run->model, &run->conf, &state, write, err);
    }
    return status;
}

enum w_status save_checkpoint(struct run *run, struct w_err *err)
{
    struct checkpoints *c = &run->checkpoints;
    double started_s = w_now_s();
    struct w_err trouble;
    char path[W_CKPT_PATH];

    w_ckpt_folder_path(&c->folder, run->state.step, path);
    struct w_ckpt_write write = write_to(run, path);
    enum w_status status = save_file(run, &write, 0, err);
    c->next_save_s = w_now_s() + run->set->every_s;
    log_ckpt(run, path, w_now_s() - started_s, status ? err : NULL);
    if (!status) {
        c->saved_step = run->state.step;
        c->failures = 0;
        c->retry_step = 0;
        /* Later steps in the folder are damaged (save_refuse_later()): they are left to be
         * replaced. */
        if (w_ckpt_folder_prune(&c->folder, run->state.step, run->set->keep, &trouble))
            w_warn("%s", trouble.text);
        return W_DONE;
    }
    c->retry_step = c->failures < RETRIES ? run->state.step + (1ull << (2 * c->failures)) : 0;
    c->failures++;
    w_warn("checkpoint not saved: %s%s", err->text,
           c->retry_step ? ": will try again" : ": will try again at its next time");
    return status;
}

enum w_status save_model(struct run *run, struct w_err *err)
{
    struct w_ckpt_write write = write_to(run, run->set->output);

    if (!run->set->output)
        return W_DONE;
    write.weights_only = run->set->weights_only;
    enum w_status status = save_file(run, &write, 0, err);
    if (status || run->set->checkpoints || !run->checkpoints.folder.path)
        return status;
    /* The model holds all that its checkpoints hold. */
    return w_ckpt_folder_prune(&run->checkpoints.folder, UINT64_MAX, 0, err);
}

void save_find_best(struct run *run)
{
    struct best_model *best = &run->best;
    struct w_ckpt *ckpt = NULL;
    struct w_err err = {0};

    if (!best->path[0] || w_is_missing(best->path))
        return;
    if (w_ckpt_open(&ckpt, best->path, &err))
        w_warn("%s: the best model so far cannot be read, and will be replaced", err.text);
    else if (w_ckpt_state(ckpt)->val_loss > 0) {
        best->loss = w_ckpt_state(ckpt)->val_loss;
        best->step = w_ckpt_state(ckpt)->step;
    }
    w_ckpt_close(&ckpt);
}

void save_if_best(struct run *run)
{
    struct best_model *best = &run->best;
    const struct evaluation *first = run->validation.of_val;
    const double loss = first->loss.network, started_s = w_now_s();
    struct w_ckpt_write write = write_to(run, best->path);
    struct w_err err = {0};

    if (!best->path[0] || first->tokens == 0 || !(loss < best->loss))
        return;
    write.weights_only = run->set->weights_only;
    best->unsaved = save_file(run, &write, loss, &err) != W_DONE;
    log_ckpt(run, best->path, w_now_s() - started_s, best->unsaved ? &err : NULL);
    if (best->unsaved) {
        w_warn("best model not saved: %s", err.text);
        return;
    }
    best->loss = loss;
    best->step = run->state.step;
}

enum w_status save_check_best(const struct run *run, struct w_err *err)
{
    return run->best.unsaved
               ? w_fail(err, W_IO, "%s: the best model could not be saved", run->best.path)
               : W_DONE;
}
