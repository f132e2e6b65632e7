/* file_list.h - the files that a command line names: files themselves, folders with all files below
 * them, sorted by the bytes of their names, so that the same tree gives the same order everywhere.
 * Names that begin with a dot inside folders are left out, and links to folders are not
 * followed. */
#ifndef W_FILE_LIST_H
#define W_FILE_LIST_H

#include "base/status.h"

/* Where a file of a list comes from: an operand, or a folder; or, in a folder, it is what the
 * program itself is going to write. */
enum w_file_origin { W_FILE_NAMED, W_FILE_FOUND, W_FILE_OUTPUT };

struct w_file_list {
    struct w_listed_file {
        char *path; /* "-" is standard input */
        enum w_file_origin origin;
    } * files;
    size_t count, room;
    u64 bytes;  /* of the regular files together */
    bool sized; /* all of them are regular files: `bytes` is the total to read */
};

/* List the files that the paths name; no path means standard input. W_IO: a path that does not
 * exist, or a folder that cannot be read or has no files; W_LIMIT: more than 64 folders deep;
 * W_NOMEM. Release it also after a failure. */
enum w_status w_file_list_make(struct w_file_list *, char *const *paths, size_t count,
                               struct w_err *) W_MUST_CHECK;
/* Mark the file that an output will replace, if it is among those found in folders; NULL, "-" and
 * what does not exist are none. W_USAGE: it was named. */
enum w_status w_file_list_mark_output(struct w_file_list *, const char *output,
                                      struct w_err *) W_MUST_CHECK;
/* Is it the same regular file, whatever the names are (device and inode)? Where neither exists yet:
 * is it the same name in the same folder? NULL and "-" are standard input. */
bool w_same_file(const char *a, const char *b);
void w_file_list_release(struct w_file_list *); /* harmless on zeroes */

#endif
