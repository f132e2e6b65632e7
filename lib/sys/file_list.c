/* What a command line names becomes a list of files; and which of them are the same file. */
#include "sys/file_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/grow.h"

#define DEPTH_MAX 64 /* of folders */

static enum w_status add(struct w_file_list *list, const char *path, enum w_file_origin origin,
                         const struct stat *st, struct w_err *err)
{
    enum w_status status =
        w_grow(&list->files, &list->room, list->count + 1, sizeof *list->files, "file names", err);

    if (status)
        return status;
    struct w_listed_file *file = &list->files[list->count];
    file->origin = origin;
    file->path = strdup(path);
    if (!file->path)
        return w_fail(err, W_NOMEM, "no memory for file names");
    list->count++;
    if (st && S_ISREG(st->st_mode))
        list->bytes += (u64)st->st_size;
    else
        list->sized = false;
    return W_DONE;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum w_status add_folder(struct w_file_list *list, const char *folder, unsigned depth,
                                struct w_err *err)
{
    struct dirent **entries = NULL;
    enum w_status status = W_DONE;

    if (depth >= DEPTH_MAX)
        return w_fail(err, W_LIMIT, "%s: more than %d folders deep", folder, DEPTH_MAX);
    int count = scandir(folder, &entries, visible, by_bytes);
    if (count < 0)
        return w_fail_errno(err, "%s: cannot list the folder", folder);
    for (int i = 0; i < count; i++) { /* all: each name has to be freed */
        struct stat st = {0};
        char *path = NULL;
        const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
        if (!status && asprintf(&path, "%s%s%s", folder, slash, entries[i]->d_name) < 0)
            status = w_fail(err, W_NOMEM, "%s: no memory for its names", folder);
        if (!status && lstat(path, &st))
            status = w_fail_errno(err, "%s", path);
        if (!status && S_ISDIR(st.st_mode)) /* of the name itself: a link to a folder is none */
            status = add_folder(list, path, depth + 1, err);
        else if (!status && stat(path, &st) == 0 && S_ISREG(st.st_mode))
            status = add(list, path, W_FILE_FOUND, &st, err);
        free(path);
        free(entries[i]);
    }
    free(entries);
    return status;
}

enum w_status w_file_list_make(struct w_file_list *list, char *const *paths, size_t count,
                               struct w_err *err)
{
    enum w_status status = W_DONE;

    *list = (struct w_file_list){.sized = true};
    if (count == 0)
        return add(list, "-", W_FILE_NAMED, NULL, err);
    for (size_t i = 0; i < count && !status; i++) {
        struct stat st;
        size_t before = list->count;
        if (!strcmp(paths[i], "-")) {
            status = add(list, "-", W_FILE_NAMED, NULL, err);
        } else if (stat(paths[i], &st)) {
            status = w_fail_errno(err, "%s: cannot open", *paths[i] ? paths[i] : "''");
        } else if (S_ISDIR(st.st_mode)) {
            status = add_folder(list, paths[i], 0, err);
            if (!status && list->count == before)
                status = w_fail(err, W_IO, "%s: there are no files in this folder", paths[i]);
        } else {
            status = add(list, paths[i], W_FILE_NAMED, &st, err);
        }
    }
    return status;
}

/* The file of a path, if it is a regular one. */
static bool regular(const char *path, struct stat *st)
{
    const bool standard = !path || !strcmp(path, "-");

    return (standard ? fstat(STDIN_FILENO, st) : stat(path, st)) == 0 && S_ISREG(st->st_mode);
}

/* The folder of a file that does not exist, and its name there; NULL if it exists, or the folder
 * does not. */
static const char *to_come(const char *path, struct stat *folder)
{
    char above[4096] = ".";
    const char *slash = strrchr(path, '/');
    const size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    struct stat st;

    if (!stat(path, &st) || errno != ENOENT || length >= sizeof above)
        return NULL;
    if (slash) {
        memcpy(above, path, length);
        above[length] = 0;
    }
    return stat(above, folder) ? NULL : path + length;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool w_same_file(const char *a, const char *b)
{
    struct stat x, y;

    if (regular(a, &x) && regular(b, &y))
        return is_same(&x, &y);
    const char *one = a ? to_come(a, &x) : NULL, *other = b ? to_come(b, &y) : NULL;
    return one && other && !strcmp(one, other) && is_same(&x, &y);
}

enum w_status w_file_list_mark_output(struct w_file_list *list, const char *output,
                                      struct w_err *err)
{
    struct stat out, st;

    if (!output || !strcmp(output, "-") || !regular(output, &out))
        return W_DONE;
    for (size_t i = 0; i < list->count; i++) {
        if (!regular(list->files[i].path, &st) || !is_same(&st, &out))
            continue;
        if (list->files[i].origin == W_FILE_NAMED)
            return w_fail(err, W_USAGE, "%s: is the output and also named as input", output);
        list->files[i].origin = W_FILE_OUTPUT;
    }
    return W_DONE;
}

void w_file_list_release(struct w_file_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->files[i].path);
    free(list->files);
    memset(list, 0, sizeof *list);
}
