/* inject.c - a library for LD_PRELOAD that makes one call of the system fail, so that a test can
 * see what a program does then.
 *
 *     W_INJECT=write:3:ENOSPC  the third write fails with ENOSPC; the calls after it work again
 *     W_INJECT_FIRED=FILE      is created when the call fails, so that a test knows when n was
 *                              larger than the number of calls
 *     W_INJECT=rename:1:KILL   the process is killed by SIGKILL instead of its first rename
 *
 * Calls: memory (malloc, calloc, realloc, aligned_alloc, posix_memalign, anonymous mmap), read,
 * write, fsync, rename, close. Errors: ENOMEM, EIO, ENOSPC. A close that fails has closed.
 *
 * Memory that the dynamic linker and OpenBLAS ask for is never refused: what those do then is not
 * ours to mend. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

#define KILLED (-1)

static char call_name[16];
static long fail_at;
static int fail_errno; /* or KILLED */
static const char *fired_path;
static atomic_long calls;

/* Runs before main; memory asked for earlier is served because call_name is empty. */
static void __attribute__((constructor)) read_plan(void)
{
    static const struct {
        const char *name;
        int number;
    } errors[] = {{"ENOMEM", ENOMEM}, {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"KILL", KILLED}};
    const char *plan = getenv("W_INJECT");
    char name[16], error[16];

    fired_path = getenv("W_INJECT_FIRED");
    if (!plan || sscanf(plan, "%15[a-z]:%ld:%15s", name, &fail_at, error) != 3)
        return;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (!strcmp(errors[i].name, error))
            fail_errno = errors[i].number;
    if (fail_errno)
        memcpy(call_name, name, sizeof call_name);
}

/* The linker knows the program itself by argv[0], which the program may have set to NULL: its calls
 * count. */
static bool is_excused(const void *caller)
{
    Dl_info info;
    if (!dladdr(caller, &info))
        return true;
    return info.dli_fname &&
           (strstr(info.dli_fname, "/ld-linux") || strstr(info.dli_fname, "openblas"));
}

/* Count a call; true, with errno set, when it is the one to fail. */
static bool fails(const char *name, const void *caller)
{
    if (strcmp(name, call_name) || is_excused(caller))
        return false;
    if (atomic_fetch_add(&calls, 1) + 1 != fail_at)
        return false;
    if (fired_path) {
        long fd = syscall(SYS_openat, AT_FDCWD, fired_path, O_CREAT | O_WRONLY, 0600);
        if (fd >= 0)
            syscall(SYS_close, fd);
    }
    if (fail_errno == KILLED)
        kill(getpid(), SIGKILL);
    errno = fail_errno;
    return true;
}
#define FAILS(name) fails(name, __builtin_return_address(0))

void *malloc(size_t size)
{
    return FAILS("memory") ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return FAILS("memory") ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return FAILS("memory") ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return FAILS("memory") ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    if (FAILS("memory"))
        return fail_errno;
    *result = __libc_memalign(alignment, size);
    return *result ? 0 : ENOMEM;
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    if ((flags & MAP_ANONYMOUS) && FAILS("memory"))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

ssize_t read(int fd, void *bytes, size_t size)
{
    return FAILS("read") ? -1 : syscall(SYS_read, fd, bytes, size);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    return FAILS("read") ? -1 : syscall(SYS_pread64, fd, bytes, size, offset);
}

/* What read and pread are called where the compiler knows the room for the bytes
 * (_FORTIFY_SOURCE). */
ssize_t __read_chk(int, void *, size_t, size_t);
ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room)
{
    if (size > room)
        abort();
    return FAILS("read") ? -1 : syscall(SYS_read, fd, bytes, size);
}

ssize_t __pread_chk(int, void *, size_t, off_t, size_t);
ssize_t __pread_chk(int fd, void *bytes, size_t size, off_t offset, size_t room)
{
    if (size > room)
        abort();
    return FAILS("read") ? -1 : syscall(SYS_pread64, fd, bytes, size, offset);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    return FAILS("write") ? -1 : syscall(SYS_write, fd, bytes, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return FAILS("write") ? -1 : syscall(SYS_writev, fd, parts, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    return FAILS("write") ? -1 : syscall(SYS_pwrite64, fd, bytes, size, offset);
}

int fsync(int fd)
{
    return FAILS("fsync") ? -1 : (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
    return FAILS("rename") ? -1 : (int)syscall(SYS_rename, from, to);
}

int close(int fd)
{
    int status = (int)syscall(SYS_close, fd);
    return FAILS("close") ? -1 : status;
}
