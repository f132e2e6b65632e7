#include "sys/folder.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum w_status w_folder_each(const char *path,
                            enum w_status (*name)(void *context, const char *name, struct w_err *),
                            void *context, struct w_err *err)
{
    DIR *dir = opendir(path);
    enum w_status status = W_DONE;
    struct dirent *entry = NULL;

    if (!dir && errno == ENOENT)
        return W_END;
    if (!dir)
        return w_fail_errno(err, "%s: cannot open the folder", path);
    while (!status && (errno = 0, entry = readdir(dir)) != NULL)
        status = name(context, entry->d_name, err);
    if (!status && errno)
        status = w_fail_errno(err, "%s: cannot read the folder", path);
    closedir(dir);
    return status;
}

enum w_status w_file_delete(const char *path, struct w_err *err)
{
    return unlink(path) ? w_fail_errno(err, "%s: cannot delete it", path) : W_DONE;
}

bool w_process_is_gone(long pid)
{
    return pid > 0 && kill((pid_t)pid, 0) && errno == ESRCH;
}
