/* Checkpoints: DIR/step-00001234.wts, the newest few of them. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/grow.h"
#include "sys/clock.h"
#include "tools/wtrain.h"

#define NONE W_JSON_INT_MAX /* as a step: there is none */
#define RETRIES 3           /* of a failed save, after 1, 4 and 16 steps */

/* ---- the folder ---- */

struct step_list {
    u64 *steps; /* ascending */
    size_t count;
};

static int compare_steps(const void *a, const void *b)
{
    u64 x = *(const u64 *)a, y = *(const u64 *)b;
    return x < y ? -1 : x > y;
}

/* The step in a name like step-00001234.wts. */
static bool parse_name(const char *name, u64 *step)
{
    unsigned long long number = 0;
    char again[64];

    if (sscanf(name, "step-%llu.wts", &number) != 1)
        return false;
    snprintf(again, sizeof again, "step-%08llu.wts", number);
    *step = number;
    return !strcmp(name, again);
}

static void step_path(char *path, size_t size, const char *folder, u64 step)
{
    snprintf(path, size, "%s/step-%08llu.wts", folder, (unsigned long long)step);
}

/* A process that was killed while it saved has left its temporary file, .NAME.PID.N.tmp. */
static void reap_temporary(const char *folder, const char *name)
{
    const char *wts = strstr(name, ".wts.");
    size_t length = strlen(name);
    char path[4400];

    if (strncmp(name, ".step-", 6) || !wts || strcmp(name + length - W_MIN(length, 4), ".tmp"))
        return;
    long pid = strtol(wts + 5, NULL, 10);
    if (pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
        return;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (unlink(path) == 0)
        w_detail("%s: removed what a killed process left", path);
}

static enum w_status list_steps(const char *folder, struct step_list *list, struct w_err *err)
{
    DIR *dir = opendir(folder);
    enum w_status status = W_DONE;
    size_t room = 0;

    *list = (struct step_list){0};
    if (!dir && errno == ENOENT)
        return W_DONE;
    if (!dir)
        return w_fail_errno(err, "%s: cannot open the folder", folder);
    for (struct dirent *entry; !status && (entry = readdir(dir)) != NULL;) {
        u64 step;
        reap_temporary(folder, entry->d_name);
        if (!parse_name(entry->d_name, &step))
            continue;
        status =
            w_grow(&list->steps, &room, list->count + 1, sizeof *list->steps, "checkpoints", err);
        if (!status)
            list->steps[list->count++] = step;
    }
    closedir(dir);
    if (list->count)
        qsort(list->steps, list->count, sizeof *list->steps, compare_steps);
    return status;
}

enum w_status save_find(const char *folder, char *path, size_t size, struct w_err *err)
{
    struct step_list list = {0};
    struct w_err refusal = {0};
    bool found = false;

    enum w_status status = list_steps(folder, &list, err);
    for (size_t i = list.count; i-- > 0 && !status && !found;) {
        step_path(path, size, folder, list.steps[i]);
        found = w_ckpt_verify(path, &refusal) == W_DONE;
        if (!found)
            w_warn("refused %s", refusal.text);
    }
    if (!status && !found)
        status = list.count ? w_fail(err, W_CORRUPT, "%s: none of its %zu checkpoints is whole",
                                     folder, list.count)
                            : W_END;
    free(list.steps);
    return status;
}

/* Keep the newest few. Those of later steps than ours were refused, since they are not whole: what we write
 * replaces them one by one. */
static void delete_old(struct run *run)
{
    struct step_list list = {0};
    struct w_err err = {0};
    char path[4200];
    u64 ours = 0;

    if (list_steps(run->folder, &list, &err))
        w_warn("%s", err.text);
    for (size_t i = list.count; i-- > 0;) {
        ours += list.steps[i] <= run->state.step;
        step_path(path, sizeof path, run->folder, list.steps[i]);
        if (ours > run->set->keep && unlink(path))
            w_warn("%s: cannot delete it: %s", path, strerror(errno));
    }
    free(list.steps);
}

/* ---- opening ---- */

/* A folder with checkpoints of another run is no place for this one: --resume would mix them up. */
static enum w_status refuse_strangers(const struct run *run, struct w_err *err)
{
    struct step_list list = {0};

    enum w_status status = list_steps(run->folder, &list, err);
    if (!status && list.count && !run->set->resume)
        status = w_fail(err, W_USAGE,
                        "%s: holds checkpoints of an earlier run, up to step %llu: go on with "
                        "--resume %s, or remove them, or name another folder with --checkpoints",
                        run->folder, (unsigned long long)list.steps[list.count - 1], run->folder);
    free(list.steps);
    return status;
}

enum w_status save_refuse_later(const struct run *run, struct w_err *err)
{
    struct step_list list = {0};
    struct w_err refusal = {0};
    char path[4200];

    enum w_status status = list_steps(run->folder, &list, err);
    for (size_t i = list.count; i-- > 0 && !status;) {
        if (list.steps[i] <= w_ckpt_state(run->resumed)->step)
            break;
        /* One that is not whole is no reason: it will be written anew. */
        step_path(path, sizeof path, run->folder, list.steps[i]);
        if (w_ckpt_verify(path, &refusal) == W_DONE)
            status = w_fail(err, W_USAGE,
                            "%s: is of a later step than %s: go on with that one, or remove what "
                            "is later, or name another folder with --checkpoints",
                            path, run->resumed_path);
    }
    free(list.steps);
    return status;
}

enum w_status save_open(struct run *run, struct w_err *err)
{
    const struct settings *set = run->set;
    bool to_file = set->output && strcmp(set->output, "-");
    const char *base = set->checkpoints ? set->checkpoints : to_file ? set->output : NULL;
    bool initial = set->steps && !strcmp(set->steps, "0");
    enum w_status status = W_DONE;

    run->saved_step = NONE;
    if (set->output)
        status = w_cli_refuse_terminal(set->output, "-o FILE", err);
    if (status || set->dry_run)
        return status;
    if (to_file) {
        /* A name that cannot be written is told now and not after hours. */
        struct w_output probe = {.fd = -1};
        status = w_output_open(&probe, set->output, err);
        w_output_abort(&probe);
    }
    if (status || !base || initial)
        return status;
    if (strlen(base) + 6 > sizeof run->folder)
        return w_fail(err, W_USAGE, "%.100s...: the path is too long", base);
    snprintf(run->folder, sizeof run->folder, "%s%s", base, set->checkpoints ? "" : ".ckpt");
    status = refuse_strangers(run, err);
    if (!status && mkdir(run->folder, 0777) && errno != EEXIST)
        status = w_fail_errno(err, "%s: cannot make the folder", run->folder);
    run->next_save_s = w_now_s() + set->every_s;
    return status;
}

void save_close(struct run *run)
{
    /* The folder that we named ourselves goes if it is empty, and stays if not. */
    if (run->folder[0] && !run->set->checkpoints)
        rmdir(run->folder);
}

/* ---- saving ---- */

bool save_is_due(const struct run *run)
{
    const struct settings *set = run->set;
    u64 step = run->state.step;

    if (!run->folder[0] || run->saved_step == step)
        return false;
    return (set->every_steps && step % set->every_steps == 0) ||
           (set->every_s > 0 && w_now_s() >= run->next_save_s) || step == run->retry_step;
}

static struct w_ckpt_write write_to(const struct run *run, const char *path)
{
    bool tell = run->feed && !run->set->no_provenance;
    return (struct w_ckpt_write){
        .path = path, .tok = run->tok, .upstream = tell ? w_feed_header(run->feed) : NULL};
}

enum w_status save_check(const struct run *run, struct w_err *err)
{
    const struct settings *set = run->set;
    struct w_ckpt_write write = write_to(run, "");
    struct w_tensors tensors = {0};

    write.weights_only = set->weights_only && !run->folder[0];
    enum w_status status = w_tensors_make(&tensors, &run->conf, err);
    if (!status && (set->output || run->folder[0] || set->dry_run)) {
        status = w_ckpt_check(&tensors, &run->conf, &write, err);
        if (status && status != W_NOMEM)
            status = w_fail_at(err, W_USAGE, "no file can hold this model, with %u tensors",
                               (unsigned)tensors.count);
    }
    w_tensors_free(&tensors);
    return status;
}

/* The state to write. Time is in it only where it ends the run, or ended an earlier part of it: otherwise
 * equal runs give equal bytes. */
static struct w_ckpt_state state_to_save(const struct run *run)
{
    struct w_ckpt_state state = run->state;

    bool counts = run->set->time_s > 0 || (run->resumed && w_ckpt_state(run->resumed)->seconds > 0);

    state.seconds = counts ? run_elapsed_s(run) : 0;
    return state;
}

enum w_status save_checkpoint(struct run *run, struct w_err *err)
{
    double started_s = w_now_s();
    char path[4200];

    step_path(path, sizeof path, run->folder, run->state.step);
    struct w_ckpt_write write = write_to(run, path);
    struct w_ckpt_state state = state_to_save(run);
    enum w_status status = w_ckpt_save(run->model, &run->conf, &state, &write, err);
    run->next_save_s = w_now_s() + run->set->every_s;
    log_ckpt(run, path, w_now_s() - started_s, status ? err : NULL);
    if (!status) {
        run->saved_step = run->state.step;
        run->failures = 0;
        run->retry_step = 0;
        delete_old(run);
        return W_DONE;
    }
    run->retry_step = run->failures < RETRIES ? run->state.step + (1ull << (2 * run->failures)) : 0;
    run->failures++;
    w_warn("checkpoint not saved: %s%s", err->text,
           run->retry_step ? ": will try again" : ": will try again at its next time");
    return status;
}

enum w_status save_model(struct run *run, struct w_err *err)
{
    struct step_list list = {0};
    struct w_ckpt_write write = write_to(run, run->set->output);
    char path[4200];

    if (!run->set->output)
        return W_DONE;
    write.weights_only = run->set->weights_only;
    struct w_ckpt_state state = state_to_save(run);
    enum w_status status = w_ckpt_save(run->model, &run->conf, &state, &write, err);
    if (status || run->set->checkpoints || !run->folder[0])
        return status;
    /* The model has all that its checkpoints had. */
    status = list_steps(run->folder, &list, err);
    for (size_t i = 0; i < list.count; i++) {
        step_path(path, sizeof path, run->folder, list.steps[i]);
        if (unlink(path))
            w_warn("%s: cannot delete it: %s", path, strerror(errno));
    }
    free(list.steps);
    return status;
}
