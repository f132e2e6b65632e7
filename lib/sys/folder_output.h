/* folder_output.h - a folder of files that appears only when it is complete.
 *
 *     struct w_folder_output out = {0};
 *     status = w_folder_output_open(&out, "wiki-hf", err);
 *     status = w_output_open(&file, w_folder_output_file(&out, "config.json"), err);
 *     ...                                                 // write and commit it, and all others
 *     status = w_folder_output_commit(&out, err);
 *     w_folder_output_abort(&out);                        // harmless after that */
#ifndef W_FOLDER_OUTPUT_H
#define W_FOLDER_OUTPUT_H

#include "base/status.h"

struct w_folder_output {
    char path[4096], temp[4160]; /* the final name, and until then another in the same folder */
    char file[4420];             /* of the last w_folder_output_file() */
    bool open;
};

/* Make the temporary folder. W_USAGE: there is something of that name, or it is empty or longer
 * than 4095 bytes; W_IO. */
enum w_status w_folder_output_open(struct w_folder_output *, const char *path,
                                   struct w_err *) W_MUST_CHECK;
/* The path of a file in it, of a name of at most 255 bytes; valid until the next call. */
const char *w_folder_output_file(struct w_folder_output *, const char *name);
/* Give it its name. W_IO, W_USAGE: something of that name has appeared; the temporary folder is
 * left for w_folder_output_abort() then. */
enum w_status w_folder_output_commit(struct w_folder_output *, struct w_err *) W_MUST_CHECK;
/* Delete it with all files in it; harmless after commit or when never opened. */
void w_folder_output_abort(struct w_folder_output *);

#endif
