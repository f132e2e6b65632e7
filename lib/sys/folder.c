#include "sys/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "sys/fdio.h"

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

enum w_status w_folder_sync_of(const char *path, struct w_err *err)
{
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems cannot sync a folder (EINVAL), and a folder without read permission cannot
     * be opened: then the file system alone decides when the rename is durable. */
    bool ok = fd >= 0 ? fsync(fd) == 0 || errno == EINVAL : errno == EACCES;
    enum w_status status = ok ? W_DONE : w_fail_errno(err, "%s: cannot sync its folder", path);
    if (fd >= 0)
        close(fd);
    return status;
}

enum w_status w_folder_room(const char *path, u64 *bytes, struct w_err *err)
{
    struct statvfs fs;

    if (statvfs(path, &fs))
        return w_fail_errno(err, "%s: cannot tell what room there is", path);
    *bytes = (u64)fs.f_bavail * fs.f_frsize;
    return W_DONE;
}

void w_pid_space(char text[W_PID_SPACE])
{
    char *boot = NULL, space[64];
    size_t size = 0;
    u64 hash = 0;

    ssize_t length = readlink("/proc/self/ns/pid", space, sizeof space);
    if (length > 0 && !w_input_slurp("/proc/sys/kernel/random/boot_id", 64, &boot, &size, NULL))
        hash = w_hash_bytes((u8 *)boot, size) ^ w_hash_bytes((u8 *)space, (size_t)length);
    snprintf(text, W_PID_SPACE, "%016llx", (unsigned long long)hash);
    free(boot);
}

bool w_temporary_is_abandoned(const char *path, const char *writer)
{
    enum { DAY_S = 86400 };
    char ours[W_PID_SPACE], *end = NULL;
    long pid = strtol(writer, &end, 10);
    struct stat st;

    w_pid_space(ours);
    if (pid > 0 && *end == '.' && !strncmp(end + 1, ours, strlen(ours)) && strspn(ours, "0") < 16)
        return kill((pid_t)pid, 0) && errno == ESRCH;
    return !stat(path, &st) && time(NULL) - st.st_mtime > DAY_S;
}
