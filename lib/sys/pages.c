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

void w_pages_free(void *p, size_t bytes)
{
    if (p)
        (void)munmap(p, bytes);
}
