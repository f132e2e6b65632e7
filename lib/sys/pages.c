#include "sys/pages.h"

#include <sys/mman.h>

void *w_pages_new(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    (void)madvise(p, bytes, MADV_HUGEPAGE); /* only a hint */
    return p;
}

void w_pages_discard(void *p, size_t bytes)
{
    const uintptr_t page = 4096, begin = w_round_up((uintptr_t)p, page);
    const uintptr_t end = ((uintptr_t)p + bytes) / page * page;

    if (begin < end)
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED); /* only a hint */
}

void w_pages_free(void *p, size_t bytes)
{
    if (p)
        (void)munmap(p, bytes);
}
