/* wbatch - tokens in, batches out: pack, split, shuffle, repeat, shard. */
#include "tools/wbatch.h"

#include <string.h>

#include "base/strnum.h"

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
        if (!status)
            status = w_cli_set_keys(conf, &set->sets, err);
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
    w_signals_catch();
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
