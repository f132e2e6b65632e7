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
#include "sys/input.h"

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

/* The number of the process in "PID.SPACE.N.tmp", if SPACE is ours; else 0. */
static pid_t writer_of_ours(const char *writer)
{
    char ours[W_PID_SPACE], *end = NULL;
    const long pid = strtol(writer, &end, 10);

    w_pid_space(ours);
    const bool same = pid > 0 && *end == '.' && !strncmp(end + 1, ours, strlen(ours));
    return same && strspn(ours, "0") < 16 ? (pid_t)pid : 0;
}

static bool has_ended(pid_t pid)
{
    return kill(pid, 0) && errno == ESRCH;
}

bool w_temporary_is_abandoned(const char *path, const char *writer)
{
    enum { DAY_S = 86400 };
    const pid_t pid = writer_of_ours(writer);
    struct stat st;

    if (pid)
        return has_ended(pid);
    return !stat(path, &st) && time(NULL) - st.st_mtime > DAY_S;
}

/* The folder of an output, with its slash, and what the names of its temporary files begin with. */
struct sweep {
    char folder[4096], start[W_TEMPORARY_BYTES + 3];
};

static enum w_status sweep_name(void *context, const char *name, struct w_err *err)
{
    const struct sweep *s = context;
    const size_t length = strlen(name), start = strlen(s->start);
    char path[sizeof s->folder + 256];

    (void)err;
    if (strncmp(name, s->start, start) || strcmp(name + length - W_MIN(length, 4), ".tmp"))
        return W_DONE;
    const pid_t pid = writer_of_ours(name + start);
    snprintf(path, sizeof path, "%s%s", s->folder, name);
    if (pid && has_ended(pid))
        unlink(path);
    return W_DONE;
}

void w_temporary_sweep(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    struct w_err err;
    struct sweep s;

    snprintf(s.folder, sizeof s.folder, "%.*s", (int)(name - path), path);
    snprintf(s.start, sizeof s.start, ".%.*s.", W_TEMPORARY_BYTES, name);
    enum w_status status = w_folder_each(slash ? s.folder : ".", sweep_name, &s, &err);
    (void)status; /* a folder that cannot be listed keeps what it has */
}
