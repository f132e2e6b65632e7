/* wbatch.h - what the files of wbatch share.
 *
 *   wbatch.c          options, main
 *   wbatch_make.c     from tokens to batches
 *   wbatch_streams.c  what is written: streams and their headers
 *
 * Functions that return a status fill err with the reason. */
#ifndef W_WBATCH_H
#define W_WBATCH_H

#include "conf/conf.h"
#include "data/batches.h"
#include "tools/cli.h"
#include "wire/stream.h"

/* Of which documents batches are made. */
enum split { SPLIT_TRAIN, SPLIT_VAL, SPLIT_ALL };

struct settings {
    struct w_writing writing;
    const char *config, *seed_text, *shard_text, *val_output;
    struct w_text_list sets;
    u64 batch, length, epochs, steps, start, window_tokens, split_seed, threads;
    double val_fraction;
    u32 split; /* enum split */
    bool no_shuffle;
    /* computed from the above and from the configuration */
    struct w_conf conf; /* zeros: none was given */
    u64 seed, shard, shards;
};

struct stream {
    struct w_output out;
    struct w_writer *writer;
};

struct job {
    const struct settings *set;
    struct w_corpus *corpus;
    struct w_parts *parts;
    struct w_pack *pack;
    struct w_batches *batches;
    struct w_validation *validation;
    struct stream training_stream, validation_stream;
};

/* ---- wbatch_make.c ---- */
/* All of the work. W_MISMATCH: tokens of a larger vocabulary than the configuration has; W_USAGE: a
 * batch is larger than a frame; else as reading tokens and writing batches. After a failure the
 * streams of the job are open still. */
enum w_status make_batches(struct job *, struct w_err *) W_MUST_CHECK;

/* ---- wbatch_streams.c ---- */
/* Open the stream of the batches for training; also after job->batches could not be opened, so that
 * the consumer gets the reason. W_IO, W_NOMEM. */
enum w_status open_training_stream(struct job *, struct w_err *) W_MUST_CHECK;
/* Open that of the batches for validation, which are as `how` says. Status as above. */
enum w_status open_validation_stream(struct job *, const struct w_validation_options *how,
                                     struct w_err *) W_MUST_CHECK;
/* Write the end frame, with counts of documents taken and sequences dropped, and give the file its
 * name. W_IO, W_NOMEM. */
enum w_status close_stream(struct stream *, u64 documents, u64 dropped,
                           struct w_err *) W_MUST_CHECK;
/* Leave no file; a consumer is told why. */
void abort_stream(struct stream *, const struct w_err *why);

#endif
