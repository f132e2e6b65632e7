/* wbatch - tokens in, batches out: pack, split, shuffle, repeat, shard. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strnum.h"
#include "conf/conf.h"
#include "data/batches.h"
#include "sys/clock.h"
#include "tools/cli.h"
#include "wire/frame.h"
#include "wire/origin.h"
#include "wire/prov.h"
#include "wire/token_header.h"

#define BY "wbatch " W_VERSION_TEXT
#define PIPE_WINDOW_TOKENS (32ull << 20)

/* Of which documents batches are made. */
enum split { SPLIT_TRAIN, SPLIT_VAL, SPLIT_ALL };
#define SPLIT_NAMES "train|val|all"

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

static const struct w_option options[] = {
    {"config", 'c', W_OPT_TEXT, AT(config), "FILE",
     .help = "Configuration: batch_size, max_length, vocab_size and seed are used."},
    {"set", 0, W_OPT_LIST, AT(sets), "KEY=VALUE",
     .help = "Change a key of the configuration. May be given more than once."},
    {"batch", 'b', W_OPT_COUNT, AT(batch), "B", .min = 1, .max = 1 << 20,
     .help = "Sequences in a batch, instead of the configuration's batch_size."},
    {"length", 'T', W_OPT_COUNT, AT(length), "T", .min = 1, .max = 1 << 22,
     .help = "Inputs in a sequence, instead of the configuration's max_length. A record has one id "
             "more, for the targets."},
    {"epochs", 'e', W_OPT_COUNT, AT(epochs), "N", "1",
     .help = "Passes over the data; 0: without end. Each epoch has its own order."},
    {"steps", 'n', W_OPT_COUNT, AT(steps), "N", .help = "Stop after N batches; 0: at the end."},
    {"start", 'k', W_OPT_COUNT, AT(start), "K", "0",
     .help =
         "Begin with batch K, counted from 0: the batches are those of a whole run from there on, "
         "so that a training of K batches can go on with them."},
    {"seed", 's', W_OPT_TEXT, AT(seed_text), "SEED",
     .help = "Seed of the order, instead of the configuration's."},
    {"no-shuffle", 0, W_OPT_FLAG, AT(no_shuffle), .help = "Keep the order of the text."},
    {"window", 'w', W_OPT_COUNT, AT(window_tokens), "TOKENS", .min = 1,
     .help =
         "Hold at most this many tokens, also of files, and shuffle within them. Without it, files "
         "are held whole, and of a pipe 32Mi tokens."},
    {"split", 0, W_OPT_CHOICE, AT(split), "PART", "train", .choices = SPLIT_NAMES,
     .help = "Which documents to take, see --val-fraction. Batches of val hold all of their text, "
             "in its order, the last one filled up with padding that counts nothing."},
    {"val-fraction", 0, W_OPT_REAL, AT(val_fraction), "F", "0", .max = 1,
     .help = "Share of the documents that are for validation and not for training, chosen by a "
             "hash of their number; 1: all. Where that leaves a part empty, as of one document, "
             "the end of the text is for validation."},
    {"val-output", 0, W_OPT_TEXT, AT(val_output), "FILE", .aside = true, .output = true,
     .help = "Write the batches for validation too, to FILE, which appears once all tokens have "
             "been read: before the first batch for training, unless the text is larger than the "
             "window."},
    {"split-seed", 0, W_OPT_COUNT, AT(split_seed), "SEED", "0",
     .help = "Seed of that hash: training and validation have to agree on it."},
    {"shard", 0, W_OPT_TEXT, AT(shard_text), "I/N", "0/1",
     .help = "Take only the sequences k with k % N == I; N processes share the work."},
    W_WRITING_OPTIONS(struct settings, "1"),
    {"threads", 't', W_OPT_COUNT, AT(threads), "N", "1", .min = 1, .max = 256, .aside = true,
     .help = "Threads that compress. The bytes do not depend on it."},
    {0},
};

static const char *const examples[] = {
    "Batches for a configuration, straight into training",
    "wtok encode -V wiki.vocab wiki/* | wbatch -c fast.json | wtrain -c fast.json -o wiki.wts",
    "One document in a hundred for validation, the others for training, for three epochs",
    "wbatch -c fast.json --val-fraction 0.01 --val-output val.batch -e 3 -o train.batch wiki.tok",
    "A text of its own for validation",
    "wbatch -c fast.json --val-fraction 1 --split val -o val.batch held-out.tok",
    "Continue a run that was stopped after 1000 batches, without reading them again",
    "wbatch -c fast.json --start 1000 wiki.tok | wtrain --resume wiki.wts.ckpt -o wiki.wts",
    NULL,
};

static enum w_status parse_shard(struct settings *set, struct w_err *err)
{
    const char *slash = strchr(set->shard_text, '/');
    char index[32] = "";
    size_t length = slash ? (size_t)(slash - set->shard_text) : sizeof index;

    if (length < sizeof index)
        memcpy(index, set->shard_text, length);
    if (length >= sizeof index || w_parse_count(slash + 1, 1, UINT32_MAX, &set->shards, NULL) ||
        w_parse_count(index, 0, set->shards - 1, &set->shard, NULL))
        return w_fail(err, W_USAGE, "--shard %s: give I/N, such as 0/4 to 3/4", set->shard_text);
    return W_DONE;
}

/* Read the configuration, then apply the options that replace its values. */
static enum w_status settle(struct settings *set, struct w_err *err)
{
    struct w_conf *conf = &set->conf;
    enum w_status status = W_DONE;

    if (set->config) {
        status = w_conf_load(conf, set->config, err);
        for (size_t i = 0; i < set->sets.count && !status; i++)
            status = w_conf_set(conf, set->sets.items[i], err);
        if (!status)
            status = w_conf_check(conf, err);
    } else if (set->sets.count) {
        status = w_fail(err, W_USAGE, "--set changes a configuration: name one with -c");
    }
    if (status)
        return status;
    set->batch = set->batch ? set->batch : conf->batch_size;
    set->length = set->length ? set->length : conf->max_length;
    set->seed = conf->seed;
    if (!set->batch || !set->length)
        return w_fail(err, W_USAGE, "the size of a batch is needed: -c CONFIG, or -b B and -T T");
    if (set->seed_text && w_parse_count(set->seed_text, 0, W_JSON_INT_MAX, &set->seed, err))
        return w_fail_at(err, W_USAGE, "--seed");
    return parse_shard(set, err);
}

/* What is asked of validation. */
static enum w_status check_split(const struct settings *set, struct w_err *err)
{
    const bool val = set->split == SPLIT_VAL, beside = set->val_output != NULL;

    if (beside && set->split != SPLIT_TRAIN)
        return w_fail(err, W_USAGE,
                      "--val-output is written beside the batches of --split train alone");
    if ((val || beside) && set->val_fraction <= 0)
        return w_fail(err, W_USAGE,
                      "%s needs --val-fraction, which is 0; 1: all of the text is for validation",
                      val ? "--split val" : "--val-output");
    if (val && (set->epochs != 1 || set->start))
        return w_fail(err, W_USAGE,
                      "--split val: validation is all of its text, once: leave --epochs and "
                      "--start out");
    return W_DONE;
}

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

/* ---- headers ---- */

static void add_split(struct w_header *header, const struct settings *set, enum split part)
{
    static const char *const names[] = {"train", "val", "all"};
    struct w_json *split = w_json_object();

    w_json_set_string(split, "part", names[part]);
    w_json_set_real(split, "val_fraction", set->val_fraction);
    w_json_set_u64(split, "seed", set->split_seed);
    w_json_set(header->json, "split", split);
}

/* After the columns and what decides their order: which documents they are of, the vocabulary, and the
 * source. */
static enum w_status fill_header(struct w_header *header, const struct settings *set,
                                 const struct w_corpus_facts *facts, enum split part,
                                 struct w_err *err)
{
    const struct w_json *tok = w_header_tok(facts->header);

    if (set->val_fraction > 0)
        add_split(header, set, part);
    if (set->shards > 1) {
        struct w_json *shard = w_json_array();
        w_json_add_u64(shard, set->shard);
        w_json_add_u64(shard, set->shards);
        w_json_set(header->json, "shard", shard);
    }
    if (tok)
        w_header_set_tok(header, w_json_copy(tok));
    return set->writing.no_provenance ? W_DONE
                                      : w_prov_add(header, w_cli_provenance(), facts->header, err);
}

/* Of batches for training. batches: NULL if opening them failed. */
static enum w_status make_header(struct w_header *header, const struct settings *set,
                                 const struct w_corpus_facts *facts,
                                 const struct w_batches *batches, struct w_err *err)
{
    const u64 epoch_len = batches ? w_batches_epoch_len(batches) : 0;
    const struct w_batch_place start = {.pos = set->start,
                                        .crc = batches ? w_batches_start_crc(batches) : 0};
    u32 data_crc = 0;

    enum w_status status = w_header_begin(header, W_BATCH, BY, err);
    if (!status)
        status = w_columns_add(&facts->columns, header, set->batch, set->length + 1, err);
    if (status)
        return status;
    w_token_header_write(header, facts->vocab, facts->eot);
    w_json_set_u64(header->json, "seed", set->seed);
    w_json_set_bool(header->json, "shuffle", !set->no_shuffle);
    w_json_set_u64(header->json, "epochs", set->epochs);
    w_origin_set_start(header, start);
    if (batches && w_batches_data_crc(batches, &data_crc))
        w_json_set_hex32(header->json, "data_crc", data_crc);
    if (epoch_len)
        w_json_set_u64(header->json, "epoch_len", epoch_len);
    else if (set->val_output) /* the tokens have not all been read yet */
        w_json_set_bool(header->json, "val_later", true);
    return fill_header(header, set, facts, (enum split)set->split, err);
}

/* ---- streams ---- */

struct stream {
    struct w_output out;
    struct w_writer *writer;
};

static enum w_status open_stream(struct stream *stream, const char *path,
                                 const struct w_header *header, const struct settings *set,
                                 struct w_err *err)
{
    const struct w_write_options how = w_cli_write_options(&set->writing, set->threads);
    enum w_status status = w_output_open(&stream->out, path, err);

    return status ? status : w_writer_open(&stream->writer, &stream->out, header, &how, err);
}

/* The end frame, with counts of documents taken and sequences dropped. */
static enum w_status close_stream(struct stream *stream, u64 documents, u64 dropped,
                                  struct w_err *err)
{
    struct w_json *stats = w_json_object();

    if (!stats)
        return w_fail(err, W_NOMEM, "no memory for the end frame");
    w_json_set_u64(stats, "docs", documents);
    w_json_set_u64(stats, "dropped", dropped);
    enum w_status status = w_writer_close(&stream->writer, stats, err);
    w_json_free(stats);
    return status ? status : w_output_commit(&stream->out, err);
}

static void abort_stream(struct stream *stream, const struct w_err *why)
{
    w_writer_abort(&stream->writer, "wbatch", why);
    w_output_abort(&stream->out);
}

/* ---- the work ---- */

struct job {
    const struct settings *set;
    struct w_corpus *corpus;
    struct w_parts *parts;
    struct w_pack *pack;
    struct w_batches *batches;
    struct w_validation *validation;
    struct stream training_stream, validation_stream;
};

/* Validation comes first: what is read for training goes past it. */
static enum w_status open_validation(struct job *job, struct w_err *err)
{
    const struct settings *set = job->set;
    const struct w_corpus_facts *facts = w_corpus_facts(job->corpus);
    const bool alone = set->split == SPLIT_VAL;
    const struct w_validation_options how = {.batch = set->batch,
                                             .length = set->length,
                                             .shard = set->shard,
                                             .shards = set->shards,
                                             .most = alone ? set->steps : 0};
    struct stream *stream = &job->validation_stream;
    struct w_header header = {0};

    if (!alone && !set->val_output)
        return W_DONE;
    enum w_status status = w_header_begin(&header, W_BATCH, BY, err);
    if (!status)
        status = w_validation_header(&header, facts, &how, err);
    if (!status) {
        w_token_header_write(&header, facts->vocab, facts->eot);
        status = fill_header(&header, set, facts, SPLIT_VAL, err);
    }
    if (!status)
        status =
            open_stream(stream, alone ? set->writing.output : set->val_output, &header, set, err);
    if (!status)
        status = w_validation_new(&job->validation, facts, &how, stream->writer, err);
    w_header_free(&header);
    return status;
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
                                          .window = (window + set->length - 1) / set->length};

    return w_batches_open(&job->batches, job->pack, &how, err);
}

static enum w_status open_training_stream(struct job *job, struct w_err *err)
{
    const struct settings *set = job->set;
    struct w_header header = {0};

    enum w_status status =
        make_header(&header, set, w_corpus_facts(job->corpus), job->batches, err);
    if (!status)
        status = open_stream(&job->training_stream, set->writing.output, &header, set, err);
    w_header_free(&header);
    return status;
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
        status = w_cli_check_signal(err);
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
        w_say("by document, --val-fraction %g leaves a part empty: the last tokens of the text are "
              "for validation",
              job->set->val_fraction);
}

/* Read what is left of the tokens; none of it is for batches for training. */
static enum w_status read_rest(struct job *job, struct w_err *err)
{
    const struct w_pack_counts *counts = w_pack_counts(job->pack);
    const double started_s = w_now_s();
    enum w_status status = W_DONE;

    while (!status) {
        status = w_cli_check_signal(err);
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

static enum w_status make_batches(struct job *job, struct w_err *err)
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

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct job job = {.set = set,
                      .training_stream = {.out = {.fd = -1}},
                      .validation_stream = {.out = {.fd = -1}}};

    enum w_status status = settle(set, err);
    if (!status)
        status = check_split(set, err);
    if (!status)
        status = w_cli_refuse_terminal(set->writing.output, "use -o FILE or | wtrain", err);
    if (!status && set->val_output)
        status = w_cli_refuse_same(set->writing.output, set->val_output, err);
    if (!status && argc == 0)
        status = w_cli_refuse_typing("name a token stream, or pipe one in: wtok encode ... |", err);
    if (!status)
        status = w_corpus_open(&job.corpus, argv, (size_t)argc, err);
    /* From here on a signal must not leave a temporary file. */
    w_cli_catch_signals();
    if (!status)
        status = make_batches(&job, err);
    if (status) {
        abort_stream(&job.training_stream, err);
        abort_stream(&job.validation_stream, err);
    }
    w_batches_close(&job.batches);
    w_validation_free(job.validation);
    w_pack_free(job.pack);
    w_parts_free(job.parts);
    w_corpus_close(&job.corpus);
    return status;
}

static const struct w_program program = {
    "wbatch",
    "pack a stream of tokens into batches for training",
    "[TOKENS ...]",
    "Reads token streams (files, or standard input), cuts them into sequences of T + 1 ids, and "
    "writes batches of B sequences in a random order that depends on the seed alone.",
    options,
    examples,
    sizeof(struct settings),
    run,
};

int main(int argc, char **argv)
{
    return w_cli_run(&program, argc, argv);
}
