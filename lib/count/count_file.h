/* count_file.h - counts as a stream of the kind `counts` of wstream(5), out and in. */
#ifndef W_COUNT_FILE_H
#define W_COUNT_FILE_H

#include "count/counts.h"
#include "wire/stream.h"

struct w_count_write {
    const char *by;                  /* program and version */
    const char *argv;                /* its command line, or NULL */
    const struct w_header *upstream; /* of the stream that was counted, or NULL */
    const struct w_json *tok;        /* the vocabulary, or NULL; copied */
    struct w_write_options stream;
};

/* Write an image. The output stays the caller's: to commit, or to abort after a failure, for which
 * the stream gets an abort frame. As writing any stream. */
enum w_status w_count_image_write(const struct w_count_image *, struct w_output *,
                                  const struct w_count_write *, struct w_err *) W_MUST_CHECK;

/* Read a file (NULL, "-": standard input) into an image, which is the caller's to release, also
 * after a failure, and its header, the caller's to free. Arrays are allocated as they are read, not
 * as the header says; what is in them is checked by w_counts_open(). W_MISMATCH: another kind of
 * stream; W_CORRUPT: a header without what counts need; else as reading any stream. */
enum w_status w_count_image_read(struct w_count_image *, struct w_header *header, const char *path,
                                 struct w_err *) W_MUST_CHECK;
/* The beginning of a file alone, for what needs no n-gram: everything in the image up to the
 * spectrum. As w_count_image_read() otherwise. */
enum w_status w_count_facts_read(struct w_count_image *, struct w_header *header, const char *path,
                                 struct w_err *) W_MUST_CHECK;
/* A whole file as counts in memory: w_count_image_read(), w_counts_open(), and their errors.
 * *counts is NULL after a failure. */
enum w_status w_counts_load(struct w_counts **counts, struct w_header *header, const char *path,
                            struct w_err *) W_MUST_CHECK;

#endif
