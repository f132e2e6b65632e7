#include "sys/folder_output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fdio.h"
#include "sys/folder.h"

static enum w_status refuse_existing(const struct w_folder_output *out, struct w_err *err)
{
    return w_fail(err, W_USAGE,
                  "%s: exists: a folder is written whole, so name a new one, or remove it first",
                  out->path);
}

enum w_status w_folder_output_open(struct w_folder_output *out, const char *path, struct w_err *err)
{
    size_t size = strlen(path);
    char space[W_PID_SPACE];

    memset(out, 0, sizeof *out);
    while (size > 1 && path[size - 1] == '/')
        size--;
    if (size == 0 || size >= sizeof out->path)
        return w_fail(err, W_USAGE, "the name of the folder is empty or too long");
    memcpy(out->path, path, size);
    if (!w_is_missing(out->path))
        return refuse_existing(out, err);
    const char *slash = strrchr(out->path, '/');
    const int folder = slash ? (int)(slash - out->path) + 1 : 0;
    w_pid_space(space);
    for (unsigned attempt = 0; attempt < 100 && !out->open; attempt++) {
        snprintf(out->temp, sizeof out->temp, "%.*s.%.*s.%ld.%s.%u.tmp", folder, out->path,
                 W_TEMPORARY_BYTES, out->path + folder, (long)getpid(), space, attempt);
        out->open = mkdir(out->temp, 0777) == 0;
        if (!out->open && errno != EEXIST)
            break;
    }
    return out->open ? W_DONE : w_fail_errno(err, "%s: cannot create", out->path);
}

const char *w_folder_output_file(struct w_folder_output *out, const char *name)
{
    snprintf(out->file, sizeof out->file, "%s/%.255s", out->temp, name);
    return out->file;
}

enum w_status w_folder_output_commit(struct w_folder_output *out, struct w_err *err)
{
    /* The names in it first: each file was synced by itself. */
    enum w_status status = w_folder_sync_of(w_folder_output_file(out, "."), err);

    if (status)
        return status;
    /* An empty folder is replaced, anything else is not. */
    if (rename(out->temp, out->path)) {
        if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR)
            return refuse_existing(out, err);
        return w_fail_errno(err, "%s: cannot rename from %s", out->path, out->temp);
    }
    out->open = false;
    return w_folder_sync_of(out->path, err);
}

static enum w_status delete_file(void *context, const char *name, struct w_err *err)
{
    struct w_folder_output *out = context;

    (void)err;
    if (strcmp(name, ".") && strcmp(name, ".."))
        unlink(w_folder_output_file(out, name));
    return W_DONE;
}

void w_folder_output_abort(struct w_folder_output *out)
{
    if (!out->open)
        return;
    if (!w_folder_each(out->temp, delete_file, out, NULL))
        rmdir(out->temp);
    out->open = false;
}
