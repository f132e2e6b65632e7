/* From tokens to batches for training. What is for validation, which the same reading meets, is
 * written on the way. */
#include "tools/wbatch.h"

#include <stdlib.h>

#include "sys/clock.h"
#include "wire/frame.h"

#define PIPE_WINDOW_TOKENS (32ull << 20)

/* ---- do tokens and configuration go together? ---- */

static enum w_status check_vocabulary(const struct settings *set,
                                      const struct w_corpus_facts *facts, struct w_err *err)
{
    if (!set->config)
        return W_DONE;
    if (set->conf.vocab_size < facts->vocab)
        return w_fail(err, W_MISMATCH,
                      "%s: vocab_size is %llu, but the tokens have a vocabulary of %u: raise "
                      "vocab_size or learn a smaller vocabulary",
                      set->config, (unsigned long long)set->conf.vocab_size, facts->vocab);
    w_warn_unused_rows(&set->conf, facts->vocab);
    return W_DONE;
}

static enum w_status check_record(const struct settings *set, const struct w_corpus_facts *facts,
                                  struct w_err *err)
{
    const double targets = set->split == SPLIT_VAL || set->val_output ? 4 : 0;
    const double bytes = (double)set->batch *
                         ((double)(set->length + 1) * (double)facts->columns.token_bytes + targets);

    if (bytes > W_FRAME_RAW_MAX)
        return w_fail(err, W_USAGE,
                      "batches of %llu sequences of %llu + 1 ids have %.0f bytes: at most %d",
                      (unsigned long long)set->batch, (unsigned long long)set->length, bytes,
                      W_FRAME_RAW_MAX);
    return W_DONE;
}

/* ---- the parts of the work ---- */

/* To be done before any token is read: reading for training hands on what is for validation. */
static enum w_status open_validation(struct job *job, struct w_err *err)
{
    const struct settings *set = job->set;
    const bool alone = set->split == SPLIT_VAL;
    const struct w_validation_options how = {.batch = set->batch,
                                             .length = set->length,
                                             .shard = set->shard,
                                             .shards = set->shards,
                                             .most = alone ? set->steps : 0};

    if (!alone && !set->val_output)
        return W_DONE;
    enum w_status status = open_validation_stream(job, &how, err);
    return status ? status
                  : w_validation_new(&job->validation, w_corpus_facts(job->corpus), &how,
                                     job->validation_stream.writer, err);
}

static enum w_status open_pack(struct job *job, struct w_err *err)
{
    const struct settings *set = job->set;
    const struct w_parts_options split = {.val_fraction =
                                              set->split == SPLIT_ALL ? 0 : set->val_fraction,
                                          .split_seed = set->split_seed};
    const struct w_pack_options how = {.length = set->length,
                                       .shard = set->shard,
                                       .shards = set->shards,
                                       .validation = job->validation};

    enum w_status status = w_parts_new(&job->parts, job->corpus, &split, err);
    return status ? status : w_pack_new(&job->pack, job->corpus, job->parts, &how, err);
}

/* Reads the tokens, all of them if they are to be held. */
static enum w_status open_batches(struct job *job, struct w_err *err)
{
    const struct settings *set = job->set;
    u64 window = set->window_tokens;
    /* Without shuffling, a pipe that is read once needs no window. */
    if (!window && !w_corpus_facts(job->corpus)->regular_files)
        window = set->no_shuffle && set->epochs == 1 ? 1 : PIPE_WINDOW_TOKENS;
    const struct w_batches_options how = {.batch = set->batch,
                                          .epochs = set->epochs,
                                          .start = set->start,
                                          .seed = set->seed,
                                          .shuffle = !set->no_shuffle,
                                          .window = w_ceil_div(window, set->length)};

    return w_batches_open(&job->batches, job->pack, &how, err);
}

static enum w_status write_batches(struct job *job, struct w_err *err)
{
    const struct settings *set = job->set;
    struct w_writer *writer = job->training_stream.writer;
    const double epochs = (double)set->epochs * (double)w_batches_epoch_len(job->batches);
    const double steps = (double)set->steps, rest = epochs - (double)set->start;
    const double started_s = w_now_s();
    enum w_status status = W_DONE;
    u8 *record = malloc((size_t)(set->batch * w_pack_sequence_bytes(job->pack)));

    if (!record)
        return w_fail(err, W_NOMEM, "no memory for a batch");
    while (!status && !(set->steps && w_writer_count(writer) == set->steps)) {
        status = w_signals_check(err);
        if (!status)
            status = w_batches_next(job->batches, record, err);
        if (!status)
            status = w_writer_records(writer, record, 1, err);
        w_progress_of(false, &(struct w_task){
                                 .verb = "packed",
                                 .unit = "batches",
                                 .done = (double)w_writer_count(writer),
                                 .all = epochs == 0 || (steps > 0 && steps < rest) ? steps : rest,
                                 .seconds = w_now_s() - started_s});
    }
    free(record);
    return status == W_END ? W_DONE : status;
}

static void say_split(const struct job *job)
{
    if (w_parts_are_inside(job->parts))
        w_say_split_inside(job->set->val_fraction);
}

/* Read what is left of the tokens; none of it is for batches for training. */
static enum w_status read_rest(struct job *job, struct w_err *err)
{
    const struct w_pack_counts *counts = w_pack_counts(job->pack);
    const double started_s = w_now_s();
    enum w_status status = W_DONE;

    while (!status) {
        status = w_signals_check(err);
        if (!status)
            status = w_pack_next(job->pack, NULL, err);
        w_progress_of(false,
                      &(struct w_task){.verb = "read",
                                       .unit = "tokens",
                                       .done = (double)(counts->tokens[0] + counts->tokens[1]),
                                       .seconds = w_now_s() - started_s});
    }
    return status == W_END ? W_DONE : status;
}

/* Complete the batches for validation. */
static enum w_status end_validation(struct job *job, struct w_err *err)
{
    const struct settings *set = job->set;
    const struct w_pack_counts *counts = w_pack_counts(job->pack);
    struct stream *stream = &job->validation_stream;

    if (!stream->writer)
        return W_DONE;
    enum w_status status = read_rest(job, err);
    if (!status)
        status = w_validation_end(job->validation, err);
    if (status)
        return status;
    const u64 batches = w_writer_count(stream->writer);
    say_split(job);
    status = close_stream(stream, counts->documents[1], 0, err);
    if (!status)
        w_say("validation: %llu batches of %llu x (%llu + 1) ids, of %llu tokens in %llu documents",
              (unsigned long long)batches, (unsigned long long)set->batch,
              (unsigned long long)set->length, (unsigned long long)counts->tokens[1],
              (unsigned long long)counts->documents[1]);
    return status;
}

static enum w_status end_training(struct job *job, struct w_err *err)
{
    const struct settings *set = job->set;
    const struct w_pack_counts *counts = w_pack_counts(job->pack);
    struct stream *stream = &job->training_stream;
    const u64 dropped = w_batches_dropped(job->batches), written = w_writer_count(stream->writer);
    char batches[W_COUNTED], sequences[W_COUNTED], documents[W_COUNTED];

    if (!set->val_output)
        say_split(job);
    enum w_status status = close_stream(stream, counts->documents[0], dropped, err);
    if (!status)
        w_say("%s of %llu x (%llu + 1) ids, %s dropped; read %llu tokens in %s, took %llu in %llu",
              w_counted(batches, written, "batch"), (unsigned long long)set->batch,
              (unsigned long long)set->length, w_counted(sequences, dropped, "sequence"),
              (unsigned long long)(counts->tokens[0] + counts->tokens[1]),
              w_counted(documents, counts->documents[0] + counts->documents[1], "document"),
              (unsigned long long)counts->tokens[0], (unsigned long long)counts->documents[0]);
    return status;
}

/* Everything up to the first batch for training. What is held has been read to its end, and
 * validation is complete by then. */
static enum w_status prepare(struct job *job, struct w_err *err)
{
    const struct settings *set = job->set;
    const struct w_corpus_facts *facts = w_corpus_facts(job->corpus);
    const bool alone = set->split == SPLIT_VAL;

    enum w_status status = check_vocabulary(set, facts, err);
    if (!status)
        status = check_record(set, facts, err);
    if (!status)
        status = open_validation(job, err);
    if (!status)
        status = open_pack(job, err);
    if (!status && !alone)
        status = open_batches(job, err);
    if (!status && (alone || w_batches_epoch_len(job->batches)))
        status = end_validation(job, err);
    return status;
}

enum w_status make_batches(struct job *job, struct w_err *err)
{
    enum w_status status = prepare(job, err);

    if (job->set->split == SPLIT_VAL)
        return status;
    /* The stream is opened also after a failure, so that the consumer gets the reason. */
    struct w_err second = {0};
    enum w_status opened = open_training_stream(job, status ? &second : err);
    if (!status)
        status = opened;
    if (!status)
        status = write_batches(job, err);
    if (!status)
        status = end_validation(job, err);
    return status ? status : end_training(job, err);
}
