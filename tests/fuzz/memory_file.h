/* memory_file.h - bytes as a file with a name, for functions that read files. */
#ifndef MEMORY_FILE_H
#define MEMORY_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct memory_file {
    int fd;
    char path[32];
};

/* Append. */
static inline void memory_file_add(const struct memory_file *f, const void *bytes, size_t size)
{
    if (lseek(f->fd, 0, SEEK_END) < 0 || write(f->fd, bytes, size) != (ssize_t)size)
        abort();
}

static inline void memory_file_open(struct memory_file *f, const void *bytes, size_t size)
{
    f->fd = memfd_create("fuzz", 0);
    if (f->fd < 0)
        abort();
    snprintf(f->path, sizeof f->path, "/proc/self/fd/%d", f->fd);
    memory_file_add(f, bytes, size);
}

static inline void memory_file_close(const struct memory_file *f)
{
    close(f->fd);
}

#endif
