/* The checkpoints of a run, found by their names alone: each question lists the folder and sorts
 * the steps, a few dozen at most. Only what is whole has such a name (w_output_commit), and whether
 * it is still whole is decided by reading every byte. */
#include "store/checkpoint_folder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "store/checkpoint.h"
#include "sys/folder.h"

struct step_list {
    const struct w_ckpt_folder *folder;
    u64 *steps; /* ascending */
    size_t count, room;
};

W_PRINTF(3, 4)
static void tell(const struct w_ckpt_folder *folder, bool warning, const char *format, ...)
{
    char text[W_CKPT_PATH + W_ERR_TEXT];
    va_list args;

    if (!folder->tell)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    folder->tell(warning, text);
}

void w_ckpt_folder_path(const struct w_ckpt_folder *folder, u64 step, char path[W_CKPT_PATH])
{
    snprintf(path, W_CKPT_PATH, "%s/step-%08llu.wts", folder->path, (unsigned long long)step);
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

/* Delete the temporary file that a killed process left, .NAME.WRITER; not that of a process that
 * may be saving on another machine. */
static void delete_temporary(const struct w_ckpt_folder *folder, const char *name)
{
    const char *wts = strstr(name, ".wts.");
    size_t length = strlen(name);
    char path[W_CKPT_PATH + 256];

    if (strncmp(name, ".step-", 6) || !wts || strcmp(name + length - W_MIN(length, 4), ".tmp"))
        return;
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    if (w_temporary_is_abandoned(path, wts + strlen(".wts.")) && !w_file_delete(path, NULL))
        tell(folder, false, "%s: removed what a killed process left", path);
}

static int compare_steps(const void *a, const void *b)
{
    u64 x = *(const u64 *)a, y = *(const u64 *)b;
    return x < y ? -1 : x > y;
}

static enum w_status take_name(void *context, const char *name, struct w_err *err)
{
    struct step_list *list = context;
    enum w_status status = W_DONE;
    u64 step;

    delete_temporary(list->folder, name);
    if (parse_name(name, &step)) {
        status =
            w_grow(&list->steps, &list->room, list->count + 1, sizeof *list->steps, "steps", err);
        if (!status)
            list->steps[list->count++] = step;
    }
    return status;
}

/* The steps that have files. The caller frees list->steps, also after a failure. */
static enum w_status list_steps(const struct w_ckpt_folder *folder, struct step_list *list,
                                struct w_err *err)
{
    *list = (struct step_list){.folder = folder};
    enum w_status status = w_folder_each(folder->path, take_name, list, err);
    if (list->count)
        qsort(list->steps, list->count, sizeof *list->steps, compare_steps);
    return status == W_END ? W_DONE : status;
}

enum w_status w_ckpt_folder_last(const struct w_ckpt_folder *folder, u64 *step, struct w_err *err)
{
    struct step_list list = {0};

    enum w_status status = list_steps(folder, &list, err);
    if (!status && list.count)
        *step = list.steps[list.count - 1];
    else if (!status)
        status = W_END;
    free(list.steps);
    return status;
}

enum w_status w_ckpt_folder_newest(const struct w_ckpt_folder *folder, char path[W_CKPT_PATH],
                                   struct w_err *err)
{
    struct step_list list = {0};
    struct w_err refusal = {0};
    bool found = false;

    enum w_status status = list_steps(folder, &list, err);
    for (size_t i = list.count; i-- > 0 && !status && !found;) {
        w_ckpt_folder_path(folder, list.steps[i], path);
        found = w_ckpt_verify(path, &refusal) == W_DONE;
        if (!found)
            tell(folder, true, "refused %s", refusal.text);
    }
    if (!status && !found)
        status = list.count ? w_fail(err, W_CORRUPT, "%s: none of its %zu checkpoints is whole",
                                     folder->path, list.count)
                            : W_END;
    free(list.steps);
    return status;
}

enum w_status w_ckpt_folder_later(const struct w_ckpt_folder *folder, u64 step,
                                  char path[W_CKPT_PATH], struct w_err *err)
{
    struct step_list list = {0};
    struct w_err refusal = {0};
    bool found = false;

    enum w_status status = list_steps(folder, &list, err);
    for (size_t i = list.count; i-- > 0 && !status && !found && list.steps[i] > step;) {
        w_ckpt_folder_path(folder, list.steps[i], path);
        found = w_ckpt_verify(path, &refusal) == W_DONE;
    }
    free(list.steps);
    return status || found ? status : W_END;
}

enum w_status w_ckpt_folder_prune(const struct w_ckpt_folder *folder, u64 step, u64 keep,
                                  struct w_err *err)
{
    struct step_list list = {0};
    struct w_err why = {0};
    char path[W_CKPT_PATH];
    u64 kept = 0;

    enum w_status status = list_steps(folder, &list, err);
    for (size_t i = list.count; i-- > 0 && !status;) {
        if (list.steps[i] > step || kept++ < keep)
            continue;
        w_ckpt_folder_path(folder, list.steps[i], path);
        if (w_file_delete(path, &why))
            tell(folder, true, "%s", why.text);
    }
    free(list.steps);
    return status;
}

enum w_status w_ckpt_folder_count(const struct w_ckpt_folder *folder, u64 *count, struct w_err *err)
{
    struct step_list list = {0};

    enum w_status status = list_steps(folder, &list, err);
    *count = list.count;
    free(list.steps);
    return status;
}

enum w_status w_ckpt_folder_yield(const struct w_ckpt_folder *folder, u64 step, u64 *gone,
                                  struct w_err *err)
{
    struct step_list list = {0};
    struct w_err refusal = {0};
    char path[W_CKPT_PATH];
    bool newer = false;

    enum w_status status = list_steps(folder, &list, err);
    for (size_t i = list.count; i-- > 1 && !status && !newer;) {
        if (list.steps[i] > step)
            continue;
        w_ckpt_folder_path(folder, list.steps[i], path);
        newer = w_ckpt_verify(path, &refusal) == W_DONE;
    }
    if (!status && !newer)
        status = W_END;
    if (!status) {
        *gone = list.steps[0];
        w_ckpt_folder_path(folder, *gone, path);
        status = w_file_delete(path, err);
    }
    free(list.steps);
    return status;
}
