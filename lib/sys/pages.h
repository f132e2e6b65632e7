/* pages.h - large zeroed memory straight from the system, on huge pages where it has them.
 *
 * For tables that are read at random and for matrices whose rows are kilobytes apart: with pages of
 * 4 KiB, address translation would cost as much as the access. Untouched pages take no memory. */
#ifndef W_PAGES_H
#define W_PAGES_H

#include "base/status.h"

/* NULL without memory. */
void *w_pages_new(size_t bytes);
void w_pages_free(void *, size_t bytes); /* accepts NULL */
/* Part of such memory is needed no more: whole pages of it are given back, and are zeros from now
 * on. */
void w_pages_discard(void *, size_t bytes);

#endif
