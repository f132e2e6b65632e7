/* folder.h - what is in a folder, and files that nobody needs any more. */
#ifndef W_FOLDER_H
#define W_FOLDER_H

#include "base/status.h"

/* Call name() for each file of a folder, in no order, until it fails. W_END: there is no such folder;
 * W_IO: it cannot be read; else what name() returned. */
enum w_status w_folder_each(const char *path,
                            enum w_status (*name)(void *context, const char *name, struct w_err *),
                            void *context, struct w_err *) W_MUST_CHECK;

/* W_IO, with the reason: it is there still. */
enum w_status w_file_delete(const char *path, struct w_err *) W_MUST_CHECK;

/* Whether a process that made a file cannot be alive any more. */
bool w_process_is_gone(long pid);

#endif
