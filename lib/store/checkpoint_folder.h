/* checkpoint_folder.h - the checkpoints of one run: a folder of files step-00001234.wts.
 *
 * A file has such a name only once it is whole and synced (w_ckpt_save), so a crash leaves at most
 * a temporary file: it is never taken for a checkpoint, and the next function that lists the folder
 * deletes it if its writer has ended (w_temporary_is_abandoned). A disk may still lose bytes later:
 * the checkpoint to resume from is the newest one that verifies, and the older ones are kept for
 * the case that the newest does not. Files of other names are never touched.
 *
 *     struct w_ckpt_folder folder = {.path = "wiki.wts.ckpt"};
 *     w_ckpt_folder_newest(&folder, path, &err);      // what to resume from; W_END: nothing
 *     w_ckpt_folder_path(&folder, step, path);        // where w_ckpt_save() puts the next one
 *     w_ckpt_folder_prune(&folder, step, 3, &err);    // after that: keep three
 *
 * A folder that does not exist is one without checkpoints. Every function that looks at the folder
 * gives W_IO if it cannot be read, W_NOMEM if its list does not fit into memory. */
#ifndef W_CHECKPOINT_FOLDER_H
#define W_CHECKPOINT_FOLDER_H

#include "base/status.h"

#define W_CKPT_PATH 4200 /* bytes of the path of a checkpoint, with the NUL */

struct w_ckpt_folder {
    const char *path; /* fewer than 4096 bytes */
    /* Called with a line for people about what is not a failure: a warning (a checkpoint that was
     * refused, or that could not be deleted), or a detail (a temporary file removed). May be
     * NULL. */
    void (*tell)(bool warning, const char *text);
};

/* The name of the checkpoint of a step. */
void w_ckpt_folder_path(const struct w_ckpt_folder *, u64 step, char path[W_CKPT_PATH]);
/* The largest step that has a file, whole or not. W_END: there is none. */
enum w_status w_ckpt_folder_last(const struct w_ckpt_folder *, u64 *step,
                                 struct w_err *) W_MUST_CHECK;
/* The newest checkpoint that verifies; newer ones that do not are reported. W_END: there is none at
 * all; W_CORRUPT: there are, but none is whole. */
enum w_status w_ckpt_folder_newest(const struct w_ckpt_folder *, char path[W_CKPT_PATH],
                                   struct w_err *) W_MUST_CHECK;
/* The newest checkpoint of a later step than this one that verifies. W_END: there is none. */
enum w_status w_ckpt_folder_later(const struct w_ckpt_folder *, u64 step, char path[W_CKPT_PATH],
                                  struct w_err *) W_MUST_CHECK;
/* Delete the checkpoints of steps up to this one but for the newest `keep` of them. A file that
 * cannot be deleted is reported. */
enum w_status w_ckpt_folder_prune(const struct w_ckpt_folder *, u64 step, u64 keep,
                                  struct w_err *) W_MUST_CHECK;
/* How many checkpoints there are, whole or not. */
enum w_status w_ckpt_folder_count(const struct w_ckpt_folder *, u64 *count,
                                  struct w_err *) W_MUST_CHECK;
/* Delete the oldest checkpoint, for a file that has no room, if a later one of the steps up to this
 * one is whole. *gone: its step. W_END: none can go; W_IO: it cannot be deleted. */
enum w_status w_ckpt_folder_yield(const struct w_ckpt_folder *, u64 step, u64 *gone,
                                  struct w_err *) W_MUST_CHECK;

#endif
