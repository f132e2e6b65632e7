/* When and where a run is saved: its folder of checkpoints, and the model of -o. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/clock.h"
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

/* A folder with checkpoints of another run is refused: --resume could not tell the two apart. */
static enum w_status refuse_others(const struct run *run, struct w_err *err)
{
    const struct checkpoints *c = &run->checkpoints;
    u64 last = 0;

    enum w_status status = w_ckpt_folder_last(&c->folder, &last, err);
    if (!status && !run->set->resume)
        status = w_fail(err, W_USAGE,
                        "%s: holds checkpoints of an earlier run, up to step %llu: continue with "
                        "--resume %s, or delete them, or name another folder with --checkpoints",
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
    if (to_file) {
        /* A file that cannot be written is an error now and not after hours. */
        struct w_output probe = {.fd = -1};
        status = w_output_open(&probe, set->output, err);
        w_output_abort(&probe);
    }
    if (status || !base || initial)
        return status;
    if (strlen(base) + 6 > sizeof c->folder_path)
        return w_fail(err, W_USAGE, "%.100s...: the path is too long", base);
    snprintf(c->folder_path, sizeof c->folder_path, "%s%s", base, set->checkpoints ? "" : ".ckpt");
    c->folder = save_folder(c->folder_path);
    status = refuse_others(run, err);
    if (!status && mkdir(c->folder.path, 0777) && errno != EEXIST)
        status = w_fail_errno(err, "%s: cannot make the folder", c->folder.path);
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
    return (set->every_steps && step % set->every_steps == 0) ||
           (set->every_s > 0 && w_now_s() >= c->next_save_s) || step == c->retry_step;
}

static struct w_ckpt_write write_to(const struct run *run, const char *path)
{
    bool provenance = run->loader && !run->set->no_provenance;

    return (struct w_ckpt_write){.path = path,
                                 .tok = run->tok,
                                 .upstream = provenance ? w_loader_header(run->loader) : NULL};
}

enum w_status save_check(const struct run *run, struct w_err *err)
{
    const struct settings *set = run->set;
    struct w_ckpt_write write = write_to(run, "");
    struct w_tensors tensors = {0};

    write.weights_only = set->weights_only && !run->checkpoints.folder.path;
    enum w_status status = w_tensors_make(&tensors, &run->conf, err);
    if (!status && (set->output || run->checkpoints.folder.path || set->dry_run)) {
        status = w_ckpt_check(&tensors, &run->conf, &write, err);
        if (status && status != W_NOMEM)
            status = w_fail_at(err, W_USAGE, "no file can hold this model, with %u tensors",
                               (unsigned)tensors.count);
    }
    w_tensors_free(&tensors);
    return status;
}

/* The state to write. It has a time only where --time is given, or was in an earlier part of the
 * run: all other runs of the same input give the same bytes. */
static struct w_ckpt_state state_to_save(const struct run *run)
{
    struct w_ckpt_state state = run->state;
    bool counts = run->set->time_s > 0 || (run->resumed && w_ckpt_state(run->resumed)->seconds > 0);

    state.seconds = counts ? run_elapsed_s(run) : 0;
    return state;
}

enum w_status save_checkpoint(struct run *run, struct w_err *err)
{
    struct checkpoints *c = &run->checkpoints;
    double started_s = w_now_s();
    struct w_err trouble;
    char path[W_CKPT_PATH];

    w_ckpt_folder_path(&c->folder, run->state.step, path);
    struct w_ckpt_write write = write_to(run, path);
    struct w_ckpt_state state = state_to_save(run);
    enum w_status status = w_ckpt_save(run->model, &run->conf, &state, &write, err);
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
    struct w_ckpt_state state = state_to_save(run);
    enum w_status status = w_ckpt_save(run->model, &run->conf, &state, &write, err);
    if (status || run->set->checkpoints || !run->checkpoints.folder.path)
        return status;
    /* The model holds all that its checkpoints hold. */
    return w_ckpt_folder_prune(&run->checkpoints.folder, UINT64_MAX, 0, err);
}
