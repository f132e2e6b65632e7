/* target.h - machines that are known by name, so that predictions can be made for a computer other
 * than this one. `wcachefit host --target NAME --json` prints one as a template. */
#ifndef W_TARGET_H
#define W_TARGET_H

#include "sys/machine.h"

struct w_target {
    const char *name;
    const char *about;
    struct w_machine machine;
};
extern const struct w_target w_targets[]; /* ends with a NULL name */

/* A target by its name or, if it has a slash or ends in ".json", by the file of its description.
 * W_USAGE: unknown name, or not a description; W_IO, W_NOMEM. */
enum w_status w_target_find(struct w_machine *, const char *name_or_path,
                            struct w_err *) W_MUST_CHECK;

#endif
