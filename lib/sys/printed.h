/* printed.h - a FILE that collects printed text in memory, and reports when it could not.
 *
 * open_memstream() of the C library does not: where its buffer cannot grow, printf() returns -1,
 * but neither ferror() nor fclose() report it afterwards.
 *
 *     w_printed_open(&t, &err)
 *     fprintf(t.file, ...)
 *     w_printed_close(&t, &err)      // t.text is all of it, unless this fails
 *     w_printed_release(&t) */
#ifndef W_PRINTED_H
#define W_PRINTED_H

#include <stdio.h>

#include "base/status.h"

struct w_printed {
    FILE *file;
    char *text; /* followed by a NUL once closed */
    size_t size, room;
    bool lost;        /* there was no memory for some of the text */
    char chunk[4096]; /* the buffer of file, so that the C library allocates none */
};

/* W_NOMEM. */
enum w_status w_printed_open(struct w_printed *, struct w_err *) W_MUST_CHECK;
/* W_NOMEM: some of the printed text was lost. */
enum w_status w_printed_close(struct w_printed *, struct w_err *) W_MUST_CHECK;
void w_printed_release(struct w_printed *); /* harmless on zeroes, before and after close */

#endif
