/* wtok write-ids - streams of tokens as files of ids for other trainers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/corpus.h"
#include "tools/wtok.h"
#include "tools/wtok_ids.h"

#define IDS 65536 /* that are written at a time */

enum form { NANOGPT, LLMC };

struct settings {
    const char *output;
    u64 shard_tokens;
    u32 form;
};

static const struct w_option options[] = {
    {"format", 'f', W_OPT_CHOICE, AT(form), "FORMAT", "nanogpt", .choices = "nanogpt|llmc",
     .help =
         "nanogpt: ids alone, u16, or u32 with more than 65,536 ids; llmc: the same after a head "
         "of 1,024 bytes, which needs regular files."},
    {"shard-tokens", 0, W_OPT_COUNT, AT(shard_tokens), "N", .min = 1,
     .help = "Write files of N ids, and a last one of the rest: with -o wiki.bin wiki_000001.bin "
             "and so on."},
    {"output", 'o', W_OPT_TEXT, AT(output), "FILE", .output = true,
     .help = "Write to FILE, which appears when it is complete. Default: standard output."},
    {0},
};

static const char *const examples[] = {
    "For nanoGPT",
    "wtok write-ids -o train.bin wiki.tok",
    "Shards of 100 million ids for llm.c",
    "wtok write-ids -f llmc --shard-tokens 100M -o wiki_train.bin wiki.tok",
    NULL,
};

struct writing {
    const struct settings *set;
    struct w_output out;
    bool open;
    u32 id_bytes;
    u64 read;           /* ids of the streams, for llm.c */
    u64 total, written; /* ids of all files; so far */
    u64 shard_left;     /* ids that the present file will get */
    u32 shard;          /* number of the next file, from 1 */
    u64 shards;         /* files that are complete */
};

/* "wiki_train.bin" becomes "wiki_train_000007.bin". */
static enum w_status name_shard(const struct writing *w, char *path, size_t size, struct w_err *err)
{
    const char *output = w->set->output, *slash = strrchr(output, '/');
    const char *dot = strrchr(slash ? slash : output, '.');
    const int stem = (int)(dot ? (size_t)(dot - output) : strlen(output));

    const int length = snprintf(path, size, "%.*s_%06u%s", stem, output, w->shard, dot ? dot : "");
    return length < (int)size ? W_DONE : w_fail(err, W_USAGE, "the name of the output is too long");
}

static enum w_status open_file(struct writing *w, struct w_err *err)
{
    const u64 left = w->total - w->written;
    char path[4096];
    u8 head[WTOK_LLMC_HEAD] = {0};
    enum w_status status = W_DONE;

    w->shard_left = w->set->shard_tokens ? W_MIN(left, w->set->shard_tokens) : left;
    if (w->set->shard_tokens)
        status = name_shard(w, path, sizeof path, err);
    if (!status)
        status = w_output_open(&w->out, w->set->shard_tokens ? path : w->set->output, err);
    if (status)
        return status;
    w->open = true;
    w->shard++;
    if (w->set->form != LLMC)
        return W_DONE;
    if (w->shard_left > INT32_MAX)
        return w_fail(err, W_USAGE,
                      "a shard of llm.c holds fewer than 2^31 ids: give "
                      "--shard-tokens 100M");
    w_put32(head, w->id_bytes == 2 ? WTOK_LLMC_MAGIC_U16 : WTOK_LLMC_MAGIC_U32);
    w_put32(head + 4, w->id_bytes == 2 ? 1 : 7);
    w_put32(head + 8, (u32)w->shard_left);
    return w_output_write(&w->out, head, sizeof head, err);
}

static enum w_status close_file(struct writing *w, struct w_err *err)
{
    w->open = false;
    w->shards++;
    return w_output_commit(&w->out, err);
}

/* Ids, to as many files as they need. */
static enum w_status put_ids(struct writing *w, const u8 *ids, u64 count, struct w_err *err)
{
    enum w_status status = W_DONE;

    while (count > 0 && !status) {
        if (!w->open)
            status = open_file(w, err);
        const u64 n = W_MIN(count, w->shard_left);
        if (!status)
            status = w_output_write(&w->out, ids, (size_t)(n * w->id_bytes), err);
        ids += n * w->id_bytes;
        count -= n;
        w->written += n;
        w->shard_left -= n;
        if (!status && w->shard_left == 0 && w->written < w->total)
            status = close_file(w, err);
    }
    return status;
}

/* How many ids there are and will be, read as a whole: for llm.c the end of each document stands
 * before it, and so one more is written where the last has none. */
static enum w_status count_ids(struct writing *w, char **paths, int count, struct w_err *err)
{
    struct w_corpus *corpus = NULL;
    const struct w_corpus_facts *facts = NULL;
    const u8 *records;
    u64 n = 0;
    bool ends = false;

    enum w_status status = w_corpus_open(&corpus, paths, (size_t)count, err);
    bool again = count > 0; /* standard input is not read twice */
    for (int i = 0; i < count; i++)
        again = again && strcmp(paths[i], "-") != 0;
    if (!status)
        facts = w_corpus_facts(corpus);
    if (!status && (!again || !facts->regular_files))
        status = w_fail(err, W_USAGE,
                        "how many ids a file has stands before them: name regular files of tokens, "
                        "not a pipe");
    while (!status && !(status = w_corpus_read(corpus, &records, &n, err))) {
        w->read += n;
        if (n)
            ends = w_corpus_id(facts, records, n - 1) == facts->eot;
    }
    w->total = w->read ? w->read + !ends : 0;
    w_corpus_close(&corpus);
    return status == W_END ? W_DONE : status;
}

/* All ids; for llm.c the one that ends the last document comes first. */
static enum w_status copy_ids(struct writing *w, struct w_corpus *corpus, struct w_err *err)
{
    const struct w_corpus_facts *facts = w_corpus_facts(corpus);
    const bool moves = w->set->form == LLMC && w->total > 0;
    const bool drops_last = moves && w->total == w->read;
    const u8 *records;
    u64 count, seen = 0;
    u8 *ids = malloc(IDS * 4), mark[4];
    enum w_status status = ids ? W_DONE : w_fail(err, W_NOMEM, "no memory for ids");

    w_put32(mark, facts->eot);
    if (!status && moves)
        status = put_ids(w, mark, 1, err);
    while (!status && !(status = w_corpus_read(corpus, &records, &count, err)))
        for (u64 i = 0, n; i < count && !status; i += n) {
            n = W_MIN(count - i, (u64)IDS);
            for (u64 k = 0; k < n; k++)
                memcpy(ids + k * w->id_bytes,
                       records + (i + k) * facts->record_bytes + facts->id_at, w->id_bytes);
            seen += n;
            status = put_ids(w, ids, n - (drops_last && seen == w->read), err);
        }
    free(ids);
    return status == W_END ? W_DONE : status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct writing w = {.set = set, .out = {.fd = -1}, .total = UINT64_MAX, .shard = 1};
    struct w_corpus *corpus = NULL;

    enum w_status status = w_cli_refuse_terminal(set->output, "use -o FILE or a pipe", err);
    if (!status && argc == 0)
        status = w_cli_refuse_typing("name a token stream, or pipe one in: wtok encode ... |", err);
    if (!status && set->shard_tokens && !set->output)
        status = w_fail(err, W_USAGE, "--shard-tokens goes with -o FILE");
    w_signals_catch();
    if (!status && set->form == LLMC)
        status = count_ids(&w, argv, argc, err);
    if (!status)
        status = w_corpus_open(&corpus, argv, (size_t)argc, err);
    if (!status)
        w.id_bytes = w_corpus_facts(corpus)->id_bytes;
    if (!status)
        status = copy_ids(&w, corpus, err);
    if (!status && !w.open && w.shards == 0)
        status = open_file(&w, err); /* of no ids */
    if (!status && w.open)
        status = close_file(&w, err);
    if (!status)
        w_say("%llu ids of %u bytes in %llu file%s", (unsigned long long)w.written, w.id_bytes,
              (unsigned long long)w.shards, w.shards == 1 ? "" : "s");
    w_output_abort(&w.out);
    w_corpus_close(&corpus);
    return status;
}

const struct w_program wtok_write_ids_program = {
    "wtok write-ids",
    "write files of ids for other trainers",
    "[TOKENS ...]",
    "Writes the ids of token streams as nanoGPT and llm.c read them. The files do not carry the "
    "vocabulary: give the other program the same one (wtok export).",
    options,
    examples,
    sizeof(struct settings),
    run,
};
