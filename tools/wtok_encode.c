/* wtok encode - text to a stream of tokens. */
#include <stdlib.h>
#include <string.h>

#include "store/vocab_open.h"
#include "sys/clock.h"
#include "sys/ordered.h"
#include "text/special.h"
#include "text/text_batch.h"
#include "tools/wtok.h"
#include "wire/token_header.h"

/* Text that gets this few bytes a token is probably none, or of another script: with as many ids,
 * and a vocabulary of as many merges. */
#define DOUBT_BYTES 1.3
#define DOUBT_IDS 1000
#define DOUBT_MERGES 512

struct settings {
    struct w_writing writing;
    struct wtok_input input;
    const char *vocab, *allow_special; /* NULL: none */
    u64 threads;
    bool verify;
};

static const struct w_option options[] = {
    {"vocab", 'V', W_OPT_TEXT, AT(vocab), "FILE",
     .help = "The vocabulary: a file of wtok train, or a token stream or model that holds one."},
    W_WRITING_OPTIONS(struct settings, "1"),
    {"threads", 't', W_OPT_COUNT, AT(threads), "N", "1", .min = 1, .max = 256, .aside = true,
     .help = "Threads that encode. The bytes do not depend on it."},
    WTOK_INPUT_OPTIONS(struct settings),
    {"allow-special", 0, W_OPT_TEXT, AT(allow_special), .arg = "[=NAMES]", .optional = true,
     .help =
         "Encode these names of special tokens in the text, separated by commas, as the tokens; "
         "without NAMES, or with all, those of all special tokens. Default: they are plain "
         "text."},
    {"verify", 0, W_OPT_FLAG, AT(verify), .aside = true,
     .help = "Decode the tokens before they are written, and fail unless they give the text."},
    {0},
};

static const char *const examples[] = {
    "All files of a folder into one stream, on two threads",
    "wtok encode -V wiki.vocab -t 2 -o wiki.tok wiki/",
    "Straight into training",
    "wtok encode -V wiki.vocab wiki/ | wbatch -c fast.json | wtrain -c fast.json -o wiki.wts",
    "The ids of the tokens",
    "echo 'Hello world' | wtok encode -V wiki.vocab | wcat raw | od -An -tu2",
    NULL,
};

/* A batch of text, to be encoded on a thread. */
struct job {
    struct w_text_batch text;
    struct w_ids ids;
    u32 max; /* the largest id */
    enum w_status status;
    struct w_err err;
};

struct encoding {
    struct job *jobs;               /* by slot */
    struct w_encoder **encoders;    /* by thread */
    struct w_specials *specials;    /* NULL: their names are plain text */
    const struct w_vocab *verified; /* for --verify, to decode with; else NULL */
    u32 threads, slots;
    u32 eot_id;
    u32 id_bytes;
    bool has_merges; /* enough that text of any kind gets shorter */
    struct w_ordered *ordered;
    struct wtok_totals totals;
};

/* The largest id. Four maxima at a time, so that none waits for the one before. */
static u32 max_id(const u32 *ids, size_t count)
{
    u32 max[4] = {0};

    for (; count % 4; count--)
        max[0] = W_MAX(max[0], ids[count - 1]);
    for (size_t i = 0; i < count; i += 4)
        for (size_t k = 0; k < 4; k++)
            max[k] = W_MAX(max[k], ids[i + k]);
    return W_MAX(W_MAX(max[0], max[1]), W_MAX(max[2], max[3]));
}

/* Convert the ids to those of the stream, little-endian, in place: none gets longer. */
static void pack_ids(u32 *ids, size_t count, u32 id_bytes)
{
    u8 *bytes = (u8 *)ids;
    size_t i = 0;

    if (id_bytes == 2) {
        for (; i + 2 <= count; i += 2) /* two at a time: a write stays below unread ids */
            w_put32(bytes + 2 * i, ids[i] | ids[i + 1] << 16);
        if (i < count)
            w_put16(bytes + 2 * i, (u16)ids[i]);
    } else {
        for (; i < count; i++)
            w_put32(bytes + 4 * i, ids[i]);
    }
}

/* Do the ids from number `first` on decode to the text? */
static enum w_status verify_part(const struct w_vocab *vocab, const struct w_ids *ids, size_t first,
                                 const u8 *text, size_t size, struct w_err *err)
{
    size_t at = 0;

    for (size_t i = first; i < ids->count; i++) {
        u32 id = ids->ids[i], length;
        const u8 *bytes = w_vocab_bytes(vocab, id, &length);
        if (!bytes || length > size - at || memcmp(bytes, text + at, length) != 0)
            return w_fail(err, W_CORRUPT, "id %u does not decode to the text: report this defect",
                          id);
        at += length;
    }
    return at == size ? W_DONE
                      : w_fail(err, W_CORRUPT, "the ids end before the text: report this defect");
}

static void encode_batch(void *context, u32 slot, u32 worker)
{
    struct encoding *e = context;
    struct job *job = &e->jobs[slot];
    const struct w_text_batch *b = &job->text;
    size_t from = 0;

    job->ids.count = 0;
    job->status = W_DONE;
    for (u32 i = 0; i < b->part_count && !job->status; from = b->parts[i++].end) {
        size_t size = b->parts[i].end - from, first = job->ids.count;
        job->status = w_specials_encode(e->specials, e->encoders[worker], b->text + from, size,
                                        &job->ids, &job->err);
        if (!job->status && e->verified)
            job->status =
                verify_part(e->verified, &job->ids, first, b->text + from, size, &job->err);
        if (!job->status && b->parts[i].ends)
            job->status = w_ids_append(&job->ids, e->eot_id, &job->err);
    }
    job->max = max_id(job->ids.ids, job->ids.count);
    pack_ids(job->ids.ids, job->ids.count, e->id_bytes);
}

static enum w_status start_encoding(struct encoding *e, const struct w_vocab *vocab, u32 threads,
                                    struct w_err *err)
{
    e->threads = threads;
    e->slots = w_ordered_slots(threads);
    e->eot_id = w_vocab_eot_id(vocab);
    e->has_merges = w_vocab_merge_count(vocab) >= DOUBT_MERGES;
    e->id_bytes = w_id_bytes(w_vocab_size(vocab));
    e->jobs = calloc(e->slots, sizeof *e->jobs);
    e->encoders = calloc(threads, sizeof *e->encoders);
    enum w_status status =
        e->jobs && e->encoders ? W_DONE : w_fail(err, W_NOMEM, "no memory for %u threads", threads);
    for (u32 i = 0; i < threads && !status; i++)
        status = w_encoder_new(&e->encoders[i], vocab, err);
    if (!status)
        status = w_ordered_new(&e->ordered, threads, e->slots, encode_batch, e, err);
    return status;
}

static void stop_encoding(struct encoding *e)
{
    w_ordered_free(e->ordered);
    for (u32 i = 0; i < e->slots && e->jobs; i++) {
        w_text_batch_release(&e->jobs[i].text);
        free(e->jobs[i].ids.ids);
    }
    for (u32 i = 0; i < e->threads && e->encoders; i++)
        w_encoder_free(e->encoders[i]);
    free(e->jobs);
    free(e->encoders);
    w_specials_free(e->specials);
}

/* Write the ids of a job. */
static enum w_status write_job(struct encoding *e, const struct job *job, struct w_writer *writer,
                               struct w_err *err)
{
    if (job->status) {
        *err = job->err;
        return job->status;
    }
    e->totals.documents += job->text.documents;
    e->totals.text_bytes += job->text.size;
    e->totals.max = W_MAX(e->totals.max, job->max);
    return w_writer_records(writer, job->ids.ids, job->ids.count, err);
}

static enum w_status encode_all(struct encoding *e, struct wtok_reader *reader,
                                struct w_writer *writer, struct w_err *err)
{
    enum w_status status = W_DONE;
    bool at_end = false;
    u32 slot;

    while (!status) {
        while (!at_end && w_ordered_next(e->ordered, &slot)) {
            status = w_signals_check(err);
            if (!status)
                status = w_text_batch_fill(&e->jobs[slot].text, reader->documents, err);
            at_end = status == W_END;
            if (status && !at_end)
                return status;
            if (!at_end)
                w_ordered_submit(e->ordered);
        }
        if (!w_ordered_take(e->ordered, &slot))
            return w_signals_check(err);
        status = write_job(e, &e->jobs[slot], writer, err);
        w_ordered_return(e->ordered);
        wtok_reader_progress(reader, "encoded", false);
    }
    return status;
}

/* What the user has to know of text that may not be what was meant. */
static void say_doubts(const struct encoding *e, const struct wtok_reader *reader, u64 tokens)
{
    u64 ids = tokens - e->totals.documents;

    wtok_reader_say_files(reader);
    if (e->has_merges && ids >= DOUBT_IDS &&
        (double)e->totals.text_bytes < DOUBT_BYTES * (double)ids)
        w_warn("only %.2f bytes a token: is this text, and of the kind that the vocabulary was "
               "learned from?",
               (double)e->totals.text_bytes / (double)ids);
}

static enum w_status close_writer(struct w_writer **writer, const struct encoding *e,
                                  const struct wtok_reader *reader, struct w_err *err)
{
    double seconds = w_now_s() - reader->started_s;
    u64 tokens = w_writer_count(*writer);
    char documents[W_COUNTED];

    enum w_status status = wtok_writer_close(writer, &e->totals, err);
    if (!status)
        say_doubts(e, reader, tokens);
    if (!status)
        w_say("%llu tokens of %llu bytes (%.3f bytes/token) in %s; %.2f s, %.1f MB/s",
              (unsigned long long)tokens, (unsigned long long)e->totals.text_bytes,
              tokens > e->totals.documents
                  ? (double)e->totals.text_bytes / (double)(tokens - e->totals.documents)
                  : 0,
              w_counted(documents, e->totals.documents, "document"), seconds,
              seconds > 0 ? (double)e->totals.text_bytes / 1e6 / seconds : 0);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    struct w_vocab *vocab = NULL;
    struct wtok_reader reader = {0};
    struct encoding e = {0};
    struct w_output out = {.fd = -1};
    struct w_writer *writer = NULL;
    struct wtok_reading reading = {
        .input = &set->input, .threads = (u32)set->threads, .outputs = {set->writing.output}};

    if (!set->vocab)
        return w_fail(err, W_USAGE, "say which vocabulary: -V FILE (make one with 'wtok train')");
    enum w_status status =
        w_cli_refuse_terminal(set->writing.output, "use -o FILE or | wbatch", err);
    if (!status)
        status = w_vocab_open(&vocab, set->vocab, err);
    if (!status && set->allow_special)
        status = w_specials_new(&e.specials, vocab, set->allow_special, err);
    if (!status) {
        reading.split = w_vocab_split(vocab);
        reading.nfc = w_vocab_nfc(vocab);
        reading.specials = e.specials;
        status = wtok_reader_open(&reader, &reading, argc, argv, err);
    }
    if (set->verify)
        e.verified = vocab;
    if (!status)
        status = start_encoding(&e, vocab, (u32)set->threads, err);
    w_signals_catch();
    if (!status)
        status = w_output_open(&out, set->writing.output, err);
    if (!status)
        status = wtok_writer_open(&writer, &out, vocab, &set->writing, set->threads, err);
    if (!status)
        status = encode_all(&e, &reader, writer, err);
    if (!status)
        status = close_writer(&writer, &e, &reader, err);
    if (!status)
        status = w_output_commit(&out, err);
    if (status)
        w_writer_abort(&writer, "wtok encode", err);
    w_output_abort(&out);
    stop_encoding(&e);
    wtok_reader_close(&reader);
    w_vocab_free(vocab);
    return status;
}

const struct w_program wtok_encode_program = {
    "wtok encode",
    "turn text into a stream of tokens",
    "[FILE|FOLDER ...]",
    "Reads text (standard input, if no file is named) and writes the ids of its tokens as a stream "
    "that carries the vocabulary. Each document ends with an id that text cannot give.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
