/* parts.h - the documents of a corpus in two parts, for training and for validation, run by run.
 *
 *     struct w_run run;
 *     w_parts_new(&parts, corpus, &options, &err)
 *     while (!(status = w_parts_next(parts, &run, &err)))      // W_END after the last one
 *         use(run.records, run.count, run.validation);
 *
 * A document belongs to validation by a hash of its number (w_is_validation()). Where that leaves
 * one of the parts empty, as of a corpus of a single document, the last tokens of the corpus are
 * for validation instead, as many as the fraction says. To know that, tokens are held in memory
 * until both parts have a document, W_PARTS_AHEAD bytes at most: of a longer text the first
 * documents decide nothing, and a part may be empty after all. */
#ifndef W_PARTS_H
#define W_PARTS_H

#include "data/corpus.h"

#define W_PARTS_AHEAD (64ull << 20) /* bytes of records */

struct w_parts_options {
    double val_fraction; /* share for validation; 0: all is for training, 1: all for validation */
    u64 split_seed;
};

/* Tokens of one document. */
struct w_run {
    const u8 *records; /* as the corpus gives them; valid until the next run is asked for */
    u64 count;
    bool validation; /* the part to which they belong */
    bool ends;       /* the last one is the end id */
};

struct w_parts;

/* Reads from the corpus, which stays the caller's. W_NOMEM. */
enum w_status w_parts_new(struct w_parts **, struct w_corpus *, const struct w_parts_options *,
                          struct w_err *) W_MUST_CHECK;
void w_parts_free(struct w_parts *); /* accepts NULL */

/* W_END after the last run; W_NOMEM; else as w_corpus_read(). */
enum w_status w_parts_next(struct w_parts *, struct w_run *, struct w_err *) W_MUST_CHECK;
/* Say in a header, as "split", which documents its records are of: part "train", "val" or "all". */
void w_parts_say(struct w_header *, const struct w_parts_options *, const char *part);
/* Once there was a run: is the corpus split inside of its text? */
bool w_parts_are_inside(const struct w_parts *);

#endif
