/* text_file.h - a FILE that gathers what is printed to it in memory, and never loses any of it unsaid.
 *
 * open_memstream() of the C library does lose it: where its buffer cannot grow, printf() gives -1, but
 * neither ferror() nor fclose() tell of it afterwards.
 *
 *     w_text_file_open(&t, &err)
 *     fprintf(t.file, ...)
 *     w_text_file_close(&t, &err)      // t.text is all of it, unless this fails
 *     w_text_file_release(&t) */
#ifndef W_TEXT_FILE_H
#define W_TEXT_FILE_H

#include <stdio.h>

#include "base/status.h"

struct w_text_file {
    FILE *file;
    char *text; /* with a NUL behind it from close on */
    size_t size, room;
    bool lost;          /* something that was printed found no memory */
    char portion[4096]; /* on its way there; the C library asks for no memory of its own */
};

enum w_status w_text_file_open(struct w_text_file *, struct w_err *) W_MUST_CHECK;
/* W_NOMEM: some of what was printed is not there. */
enum w_status w_text_file_close(struct w_text_file *, struct w_err *) W_MUST_CHECK;
void w_text_file_release(struct w_text_file *); /* harmless on zeroes, before and after close */

#endif
