/* file_list.h - the files that a command line names: files as they are, folders with all that is below
 * them, in the order of the bytes of their names, so that the same tree gives the same order anywhere.
 * Names that begin with a dot inside folders are left out, and links to folders are not followed. */
#ifndef W_FILE_LIST_H
#define W_FILE_LIST_H

#include "base/status.h"

struct w_file_list {
    char **paths; /* "-" is standard input */
    size_t count, room;
    u64 bytes;  /* of the regular files together */
    bool sized; /* all of them are regular files: bytes is what there will be to read */
};

/* List what the paths name; none at all means standard input. A folder without files is an error. */
enum w_status w_file_list_make(struct w_file_list *, char *const *paths, size_t count,
                               struct w_err *) W_MUST_CHECK;
void w_file_list_release(struct w_file_list *); /* harmless on zeroes */

#endif
