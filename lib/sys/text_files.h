/* text_files.h - the files of a list one after the other, unpacked, those that are not text left
 * out.
 *
 *     struct w_text_files files = {.list = &list, .threads = 2};
 *     while (!(status = w_text_files_next(&files, &err)))         // W_END after the last
 *         use(files.unpack), files.in.name;
 *     w_text_files_release(&files);
 *
 * A file that is no text (file_kind.h), also one that shows so only when it is unpacked, is refused
 * if the command line named it, and left out and counted if it was found in a folder. */
#ifndef W_TEXT_FILES_H
#define W_TEXT_FILES_H

#include "sys/file_kind.h"
#include "sys/file_list.h"
#include "sys/unpack.h"

struct w_text_files {
    const struct w_file_list *list; /* the caller's */
    bool binary;                    /* take every file as it is: nothing is unpacked or left out */
    bool utf16;                     /* take UTF-16, which the caller decodes */
    const char *otherwise; /* NULL, or what to do with a file that is refused nevertheless */
    u32 threads;           /* that may unpack, the caller's included; 0 is 1 */
    size_t next;
    /* The present file, while `unpack` is there. */
    struct w_input in;
    struct w_unpack *unpack;
    u64 bytes;                               /* of the files before the present one */
    struct w_kind_counts left_out, doubtful; /* doubtful: no plain text, but taken as it is */
};

/* Close the present file and open the next one. W_END after the last; W_MISMATCH: a named file is
 * no text, or no file of the list is; W_NOMEM; else as w_input_open(), w_unpack_open() and
 * w_unpack_next(). */
enum w_status w_text_files_next(struct w_text_files *, struct w_err *) W_MUST_CHECK;
/* Bytes of all files read so far. */
u64 w_text_files_bytes(const struct w_text_files *);
void w_text_files_release(struct w_text_files *); /* harmless on zeroes; keeps nothing */

#endif
