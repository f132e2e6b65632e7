/* folder.h - the names in a folder, the deletion of files, and temporary files left by killed
 * processes. */
#ifndef W_FOLDER_H
#define W_FOLDER_H

#include "base/status.h"

/* Call name() for each name in a folder, in no particular order, until it fails. W_END: there is no
 * such folder; W_IO: it cannot be read; else what name() returned. */
enum w_status w_folder_each(const char *path,
                            enum w_status (*name)(void *context, const char *name, struct w_err *),
                            void *context, struct w_err *) W_MUST_CHECK;

/* W_IO, with the reason: it still exists. */
enum w_status w_file_delete(const char *path, struct w_err *) W_MUST_CHECK;

/* Make the names in the folder that holds `path` durable. W_IO. */
enum w_status w_folder_sync_of(const char *path, struct w_err *) W_MUST_CHECK;

/* Bytes that a file system has for files of this user, by a path on it. W_IO. */
enum w_status w_folder_room(const char *path, u64 *bytes, struct w_err *) W_MUST_CHECK;

/* Process numbers are unique only within one boot of one machine, and within a PID namespace of it.
 * This identifies the present one: 16 hexadecimal digits, all 0 if /proc does not say. */
#define W_PID_SPACE 17 /* bytes, with the NUL */
void w_pid_space(char text[W_PID_SPACE]);

#define W_TEMPORARY_BYTES 200 /* of NAME in .NAME.PID.SPACE.N.tmp; a name has 255 at most */

/* Delete what killed processes left beside `path`, an output: its temporary files of processes of
 * our own SPACE that have ended. Others may still be written. What cannot be deleted stays. */
void w_temporary_sweep(const char *path);

/* Has the process that wrote a temporary file ended? `writer` is the part of its name that
 * w_output_open() adds, "PID.SPACE.N.tmp". If SPACE is ours, the process is looked up. A file from
 * another machine that shares the folder, another container, or an earlier boot is taken for
 * abandoned a day after the last write to it: no process pauses that long in a save, and no two
 * clocks differ by that much. */
bool w_temporary_is_abandoned(const char *path, const char *writer);

#endif
