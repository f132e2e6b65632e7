/* wcat.h - what the files of wcat share: its settings, an opened stream. */
#ifndef W_WCAT_H
#define W_WCAT_H

#include "wire/stream.h"

struct settings {
    bool verify, stats, header, notes, raw, join, no_provenance;
    const char *tensor, *cut, *records, *output;
    u64 threads, level;
    /* from cut or records: the slice [from, to) */
    u64 from, to;
    bool slice;
};

struct source {
    struct w_input in;
    struct w_reader *reader;
};

/* Open a path; "-" is standard input, unless that is a terminal. Close in any case. */
enum w_status wcat_open(struct source *, const char *path, struct w_err *) W_MUST_CHECK;
void wcat_close(struct source *);

/* --join, --cut, --records: write the records of the slice, counted over all members of all paths, as
 * one member. paths ends with NULL. */
enum w_status wcat_copy(const struct settings *, char **paths, struct w_output *,
                        struct w_err *) W_MUST_CHECK;

#endif
