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

struct settings {
    struct w_writing writing;
    const char *config, *seed_text, *shard_text;
    struct w_text_list sets;
    u64 batch, length, epochs, steps, start, window_tokens, split_seed, threads;
    double val_fraction;
    u32 split; /* enum w_subset */
    bool no_shuffle;
    /* computed from the above and from the configuration */
    u64 seed, shard, shards, vocab_size;
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
    {"split", 0, W_OPT_CHOICE, AT(split), "PART", "train", .choices = "train|val|all",
     .help = "Which documents to take, see --val-fraction."},
    {"val-fraction", 0, W_OPT_REAL, AT(val_fraction), "F", "0", .max = 1,
     .help = "Share of the documents that are for validation and not for training, chosen by a "
             "hash of their number."},
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
    "One document in a hundred for validation",
    "wbatch -c fast.json --val-fraction 0.01 --split val -o val.batch wiki.tok",
    "The others for training, for three epochs",
    "wbatch -c fast.json --val-fraction 0.01 --epochs 3 -o train.batch wiki.tok",
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
    struct w_conf conf = {0};
    enum w_status status = W_DONE;

    if (set->config) {
        status = w_conf_load(&conf, set->config, err);
        for (size_t i = 0; i < set->sets.count && !status; i++)
            status = w_conf_set(&conf, set->sets.items[i], err);
        if (!status)
            status = w_conf_check(&conf, err);
    } else if (set->sets.count) {
        status = w_fail(err, W_USAGE, "--set changes a configuration: name one with -c");
    }
    if (status)
        return status;
    set->batch = set->batch ? set->batch : conf.batch_size;
    set->length = set->length ? set->length : conf.max_length;
    set->seed = conf.seed;
    set->vocab_size = conf.vocab_size;
    if (!set->batch || !set->length)
        return w_fail(err, W_USAGE, "the size of a batch is needed: -c CONFIG, or -b B and -T T");
    if (set->split == W_SUBSET_VAL && set->val_fraction <= 0)
        return w_fail(err, W_USAGE, "--split val needs --val-fraction: it is 0");
    if (set->seed_text && w_parse_count(set->seed_text, 0, W_JSON_INT_MAX, &set->seed, err))
        return w_fail_at(err, W_USAGE, "--seed");
    return parse_shard(set, err);
}

static enum w_status check_vocabulary(const struct settings *set,
                                      const struct w_corpus_facts *facts, struct w_err *err)
{
    if (set->vocab_size && set->vocab_size < facts->vocab)
        return w_fail(err, W_MISMATCH,
                      "%s: vocab_size is %llu, but the tokens have a vocabulary of %u: raise "
                      "vocab_size or learn a smaller vocabulary",
                      set->config, (unsigned long long)set->vocab_size, facts->vocab);
    return W_DONE;
}

static enum w_status check_record(const struct settings *set, const struct w_corpus_facts *facts,
                                  struct w_err *err)
{
    const double bytes =
        (double)set->batch * (double)(set->length + 1) * (double)facts->columns.token_bytes;

    if (bytes > W_FRAME_RAW_MAX)
        return w_fail(err, W_USAGE,
                      "batches of %llu sequences of %llu + 1 ids have %.0f bytes: at most %d",
                      (unsigned long long)set->batch, (unsigned long long)set->length, bytes,
                      W_FRAME_RAW_MAX);
    return W_DONE;
}

static enum w_status open_batches(struct settings *set, struct w_corpus *corpus,
                                  struct w_pack **pack, struct w_batches **batches,
                                  struct w_err *err)
{
    const struct w_corpus_facts *facts = w_corpus_facts(corpus);
    u64 window = set->window_tokens;
    /* Without shuffling, a pipe that is read once needs no window. */
    if (!window && !facts->regular_files)
        window = set->no_shuffle && set->epochs == 1 ? 1 : PIPE_WINDOW_TOKENS;
    struct w_pack_options pack_options = {.length = set->length,
                                          .part = (enum w_subset)set->split,
                                          .val_fraction = set->val_fraction,
                                          .split_seed = set->split_seed,
                                          .shard = set->shard,
                                          .shards = set->shards};
    struct w_batches_options batch_options = {.batch = set->batch,
                                              .epochs = set->epochs,
                                              .start = set->start,
                                              .seed = set->seed,
                                              .shuffle = !set->no_shuffle,
                                              .window = (window + set->length - 1) / set->length};

    enum w_status status = check_vocabulary(set, facts, err);
    if (!status)
        status = check_record(set, facts, err);
    if (!status)
        status = w_pack_new(pack, corpus, &pack_options, err);
    if (!status)
        status = w_batches_open(batches, *pack, &batch_options, err);
    return status;
}

/* The header: what the records are and how they were chosen. batches: NULL if opening them
 * failed. */
static enum w_status make_header(struct w_header *header, const struct settings *set,
                                 const struct w_corpus_facts *facts,
                                 const struct w_batches *batches, struct w_err *err)
{
    const u64 epoch_len = batches ? w_batches_epoch_len(batches) : 0;
    u32 data_crc = 0;
    const struct w_json *tok = w_header_tok(facts->header);

    enum w_status status = w_header_begin(header, W_BATCH, BY, err);
    if (!status)
        status = w_columns_add(&facts->columns, header, set->batch, set->length + 1, err);
    if (status)
        return status;
    w_token_header_write(header, facts->vocab, facts->eot);
    w_json_set_u64(header->json, "seed", set->seed);
    w_json_set_bool(header->json, "shuffle", !set->no_shuffle);
    w_json_set_u64(header->json, "epochs", set->epochs);
    w_origin_set_start(header,
                       (struct w_batch_place){.pos = set->start,
                                              .crc = batches ? w_batches_start_crc(batches) : 0});
    if (batches && w_batches_data_crc(batches, &data_crc))
        w_json_set_hex32(header->json, "data_crc", data_crc);
    if (epoch_len)
        w_json_set_u64(header->json, "epoch_len", epoch_len);
    if (set->val_fraction > 0) {
        struct w_json *split = w_json_object();
        static const char *const names[] = {"train", "val", "all"};
        w_json_set_string(split, "part", names[set->split]);
        w_json_set_real(split, "val_fraction", set->val_fraction);
        w_json_set_u64(split, "seed", set->split_seed);
        w_json_set(header->json, "split", split);
    }
    if (set->shards > 1) {
        struct w_json *shard = w_json_array();
        w_json_add_u64(shard, set->shard);
        w_json_add_u64(shard, set->shards);
        w_json_set(header->json, "shard", shard);
    }
    if (tok)
        w_header_set_tok(header, w_json_copy(tok));
    if (!set->writing.no_provenance)
        status = w_prov_add(header, w_cli_provenance(), facts->header, err);
    return status;
}

static enum w_status open_writer(struct w_writer **writer, struct w_output *out,
                                 const struct settings *set, const struct w_corpus_facts *facts,
                                 const struct w_batches *batches, struct w_err *err)
{
    struct w_header header = {0};
    const struct w_write_options write_options = w_cli_write_options(&set->writing, set->threads);

    enum w_status status = make_header(&header, set, facts, batches, err);
    if (!status)
        status = w_writer_open(writer, out, &header, &write_options, err);
    w_header_free(&header);
    return status;
}

static enum w_status write_batches(const struct settings *set, struct w_batches *batches,
                                   size_t record_bytes, struct w_writer *writer, struct w_err *err)
{
    const double epochs = (double)set->epochs * (double)w_batches_epoch_len(batches);
    const double steps = (double)set->steps, rest = epochs - (double)set->start;
    const double started_s = w_now_s();
    enum w_status status = W_DONE;
    u8 *record = malloc(record_bytes);

    if (!record)
        return w_fail(err, W_NOMEM, "no memory for a batch");
    while (!status && !(set->steps && w_writer_count(writer) == set->steps)) {
        if (w_signal_stop)
            status = w_fail(err, W_SIGNAL, "stopped by a signal");
        else
            status = w_batches_next(batches, record, err);
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

/* The end frame, with counts of documents taken and sequences dropped. */
static enum w_status close_writer(struct w_writer **writer, const struct settings *set,
                                  const struct w_pack *pack, const struct w_batches *batches,
                                  struct w_err *err)
{
    const struct w_pack_counts *counts = w_pack_counts(pack);
    u64 dropped = w_batches_dropped(batches), written = w_writer_count(*writer);
    struct w_json *stats = w_json_object();

    if (!stats)
        return w_fail(err, W_NOMEM, "no memory for the end frame");
    w_json_set_u64(stats, "docs", counts->part_documents);
    w_json_set_u64(stats, "dropped", dropped);
    enum w_status status = w_writer_close(writer, stats, err);
    w_json_free(stats);
    if (!status)
        w_say("%llu batches of %llu x (%llu + 1) ids, %llu sequences dropped; read %llu tokens in "
              "%llu documents, took %llu in %llu",
              (unsigned long long)written, (unsigned long long)set->batch,
              (unsigned long long)set->length, (unsigned long long)dropped,
              (unsigned long long)counts->tokens, (unsigned long long)counts->documents,
              (unsigned long long)counts->part_tokens, (unsigned long long)counts->part_documents);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct w_corpus *corpus = NULL;
    struct w_pack *pack = NULL;
    struct w_batches *batches = NULL;
    struct w_writer *writer = NULL;
    struct w_output out = {.fd = -1};

    enum w_status status = settle(set, err);
    if (!status)
        status = w_cli_refuse_terminal(set->writing.output, "use -o FILE or | wtrain", err);
    if (!status && argc == 0)
        status = w_cli_refuse_typing("name a token stream, or pipe one in: wtok encode ... |", err);
    if (!status)
        status = w_corpus_open(&corpus, argv, (size_t)argc, err);
    if (status)
        goto out;

    status = open_batches(set, corpus, &pack, &batches, err);
    /* From here on a signal must not leave a temporary file. */
    w_cli_catch_signals();
    /* The stream is opened also after a failure, so that the consumer gets the reason. */
    struct w_err second = {0}, *spare = status ? &second : err;
    enum w_status opened = w_output_open(&out, set->writing.output, spare);
    if (!opened)
        opened = open_writer(&writer, &out, set, w_corpus_facts(corpus), batches, spare);
    if (!status)
        status = opened;
    if (!status) {
        u64 record_bytes = set->batch * w_pack_sequence_bytes(pack);
        status = write_batches(set, batches, (size_t)record_bytes, writer, err);
    }
    if (!status)
        status = close_writer(&writer, set, pack, batches, err);
    if (!status)
        status = w_output_commit(&out, err);
out:
    if (status)
        w_writer_abort(&writer, "wbatch", err);
    w_output_abort(&out);
    w_batches_close(&batches);
    w_pack_free(pack);
    w_corpus_close(&corpus);
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
