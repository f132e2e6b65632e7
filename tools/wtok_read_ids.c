/* wtok read-ids - files of ids of other trainers, as a stream of tokens. */
#include <stdlib.h>
#include <string.h>

#include "store/vocab_open.h"
#include "tools/wtok.h"
#include "tools/wtok_ids.h"
#include "wire/token_header.h"

#define CHUNK_BYTES (1u << 18)

enum form { AUTO, NANOGPT, LLMC };

struct settings {
    struct w_writing writing;
    const char *vocab;
    u32 form;
};

static const struct w_option options[] = {
    {"vocab", 'V', W_OPT_TEXT, AT(vocab), "FILE",
     .help =
         "The vocabulary that made the ids: a file of wtok train or import, or a stream or model "
         "that holds one."},
    {"format", 'f', W_OPT_CHOICE, AT(form), "FORMAT", "auto", .choices = "auto|nanogpt|llmc",
     .help =
         "nanogpt: ids alone, u16, or u32 with more than 65,536 ids; llmc: the same after a head "
         "of 1,024 bytes. auto looks at the first bytes of each file."},
    W_WRITING_OPTIONS(struct settings, "0"),
    {0},
};

static const char *const examples[] = {
    "The tokens of nanoGPT's data, to train on here",
    "wtok read-ids -V gpt2.vocab -o train.tok train.bin",
    "All shards of llm.c as one stream",
    "wtok read-ids -V gpt2.vocab fineweb_train_*.bin | wbatch -c gpt2.json -o train.batches",
    NULL,
};

struct reading {
    const struct settings *set;
    const struct w_vocab *vocab;
    struct w_writer *writer;
    u8 *chunk; /* [CHUNK_BYTES] */
    u32 id_bytes;
    u32 last;   /* id that was written */
    bool leads; /* llm.c: the id that ends documents comes before them */
    struct wtok_totals totals;
};

/* Write ids of a file, of which `before` were read. */
static enum w_status take_ids(struct reading *r, const u8 *ids, u64 count, u64 before,
                              const char *name, struct w_err *err)
{
    const u32 vocab = w_vocab_size(r->vocab), eot = w_vocab_eot_id(r->vocab);

    for (u64 i = 0; i < count; i++) {
        const u32 id = w_id_at(ids, r->id_bytes, i);
        u32 size = 0;
        if (id >= vocab)
            return w_fail(err, W_MISMATCH,
                          "%s: its id number %llu is %u, but the vocabulary has %u: is it the one "
                          "that made the ids?",
                          name, (unsigned long long)(before + i), id, vocab);
        (void)w_vocab_text(r->vocab, id, &size);
        r->totals.documents += id == eot;
        r->totals.max = W_MAX(r->totals.max, id);
        r->totals.text_bytes += size;
        r->last = id;
    }
    return w_writer_records(r->writer, ids, count, err);
}

/* Skip the head of a shard, if there is one; *count: the ids that follow, UINT64_MAX if that is not
 * said. ids of the file's first chunk begin at *at. */
static enum w_status read_head(const struct reading *r, const u8 *chunk, size_t got,
                               const char *name, size_t *at, u64 *count, struct w_err *err)
{
    const u32 magic = got >= 12 ? w_get32(chunk) : 0, version = got >= 12 ? w_get32(chunk + 4) : 0;
    const bool narrow = magic == WTOK_LLMC_MAGIC_U16 && version == 1;
    const bool is_shard = narrow || (magic == WTOK_LLMC_MAGIC_U32 && version == 7);

    *at = 0;
    *count = UINT64_MAX;
    if (r->set->form == NANOGPT || (r->set->form == AUTO && !is_shard))
        return W_DONE;
    if (!is_shard || got < WTOK_LLMC_HEAD)
        return w_fail(err, W_CORRUPT,
                      "%s: is no shard of llm.c: its magic number and version are "
                      "%u and %u",
                      name, magic, version);
    if (narrow != (r->id_bytes == 2))
        return w_fail(err, W_MISMATCH,
                      "%s: has ids of %d bytes, but those of the vocabulary have %u: is it the one "
                      "that made the ids?",
                      name, narrow ? 2 : 4, r->id_bytes);
    *at = WTOK_LLMC_HEAD;
    *count = w_get32(chunk + 8);
    return W_DONE;
}

static enum w_status read_file(struct reading *r, const char *path, bool first, struct w_err *err)
{
    struct w_input in = {0};
    u64 count = UINT64_MAX, read = 0;
    size_t got = 0, at = 0;
    bool begun = false;

    enum w_status status = w_input_open(&in, path, err);
    while (!status && !(status = w_signals_check(err)) &&
           !(status = w_input_read(&in, r->chunk, CHUNK_BYTES, &got, err)) && (got || !begun)) {
        at = 0;
        if (!begun)
            status = read_head(r, r->chunk, got, in.name, &at, &count, err);
        const bool shard = !begun && at > 0;
        const u64 n = (got - at) / r->id_bytes;
        if (!status && (got - at) % r->id_bytes)
            status =
                w_fail(err, W_CORRUPT, "%s: ends within an id of %u bytes", in.name, r->id_bytes);
        begun = true;
        r->leads = r->leads || shard;
        /* The mark before the first document. */
        const u64 skipped = first && shard && n > 0 &&
                            w_id_at(r->chunk + at, r->id_bytes, 0) == w_vocab_eot_id(r->vocab);
        if (!status && n > skipped)
            status = take_ids(r, r->chunk + at + skipped * r->id_bytes, n - skipped, read + skipped,
                              in.name, err);
        read += n;
        if (got < CHUNK_BYTES)
            break;
    }
    if (!status && count != UINT64_MAX && count != read)
        status = w_fail(err, W_TRUNCATED, "%s: has %llu ids, its head says %llu", in.name,
                        (unsigned long long)read, (unsigned long long)count);
    w_input_close(&in);
    return status;
}

/* The last document gets its end, if it has none, and the stream. */
static enum w_status close_writer(struct reading *r, struct w_err *err)
{
    const u32 eot = w_vocab_eot_id(r->vocab);
    u8 id[4];
    enum w_status status = W_DONE;

    if (w_writer_count(r->writer) > 0 && r->last != eot) {
        w_put32(id, eot);
        status = take_ids(r, id, 1, 0, "", err);
        if (!status && !r->leads)
            w_say("the last document had no end: id %u was added", eot);
    }
    const u64 tokens = w_writer_count(r->writer);
    if (!status)
        status = wtok_writer_close(&r->writer, &r->totals, err);
    if (!status)
        w_say("%llu tokens of %llu bytes in %llu documents", (unsigned long long)tokens,
              (unsigned long long)r->totals.text_bytes, (unsigned long long)r->totals.documents);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    char **paths = w_cli_paths(argv);
    struct reading r = {.set = set};
    struct w_vocab *vocab = NULL;
    struct w_output out = {.fd = -1};

    if (!set->vocab)
        return w_fail(err, W_USAGE, "say which vocabulary made the ids: -V FILE");
    enum w_status status =
        w_cli_refuse_terminal(set->writing.output, "use -o FILE or | wbatch", err);
    if (!status && argc == 0)
        status = w_cli_refuse_typing("name files of ids", err);
    if (!status)
        status = w_vocab_open(&vocab, set->vocab, err);
    r.vocab = vocab;
    r.chunk = malloc(CHUNK_BYTES);
    if (!status && !r.chunk)
        status = w_fail(err, W_NOMEM, "no memory for a buffer");
    r.id_bytes = status ? 2 : w_id_bytes(w_vocab_size(vocab));
    w_signals_catch();
    if (!status)
        status = w_output_open(&out, set->writing.output, err);
    if (!status)
        status = wtok_writer_open(&r.writer, &out, vocab, &set->writing, 1, err);
    for (char **path = paths; *path && !status; path++)
        status = read_file(&r, *path, path == paths, err);
    if (!status)
        status = close_writer(&r, err);
    if (!status)
        status = w_output_commit(&out, err);
    if (status)
        w_writer_abort(&r.writer, "wtok read-ids", err);
    w_output_abort(&out);
    free(r.chunk);
    w_vocab_free(vocab);
    return status;
}

const struct w_program wtok_read_ids_program = {
    "wtok read-ids",
    "read files of ids of other trainers",
    "[FILE ...]",
    "Reads the train.bin of nanoGPT or shards of llm.c and writes the ids as one stream of tokens, "
    "which carries the vocabulary. llm.c puts the id that ends documents before each, and here it "
    "stands after each: it is moved.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
