/* wcat split - the documents of token streams that are for training, or those for validation. */
#include "data/parts.h"
#include "tools/wcat.h"

struct settings {
    struct w_writing writing;
    double val_fraction;
    u64 split_seed, threads;
    u32 part; /* index into the choices: 1 is for validation */
};

static const struct w_option options[] = {
    W_WRITING_OPTIONS(struct settings, "1"),
    {"split", 0, W_OPT_CHOICE, AT(part), "PART", "train", .choices = "train|val",
     .help = "Which documents to take."},
    {"val-fraction", 0, W_OPT_REAL, AT(val_fraction), "F", "0.1", .min = 1e-9, .max = 1,
     .help = "Share of the documents that are for validation, chosen by a hash of their number: "
             "the same ones as by wbatch. Where that leaves a part empty, as of one document, the "
             "end of the text is for validation."},
    {"split-seed", 0, W_OPT_COUNT, AT(split_seed), "SEED", "0", .help = "Seed of that hash."},
    {"threads", 't', W_OPT_COUNT, AT(threads), "N", "1", 1, 256, .aside = true,
     .help = "Threads that compress. The bytes do not depend on it."},
    {0},
};

static const char *const examples[] = {
    "One document in ten apart, before anything is counted or trained",
    "wcat split --split val -o val.tokens wiki.tokens && wcat split -o train.tokens wiki.tokens",
    NULL,
};

struct split {
    const struct settings *set;
    struct w_parts_options options;
    struct w_corpus *corpus;
    struct w_parts *parts;
    struct w_writer *writer;
    u64 docs, max; /* written: documents, and the largest id */
};

/* Write a run of the part that is wanted. */
static enum w_status take(struct split *s, const struct w_run *run, struct w_err *err)
{
    const struct w_corpus_facts *facts = w_corpus_facts(s->corpus);

    for (u64 i = 0; i < run->count; i++) {
        const u64 id = w_corpus_id(facts, run->records, i);
        s->max = W_MAX(s->max, id);
    }
    s->docs += run->ends;
    return w_writer_records(s->writer, run->records, run->count, err);
}

static enum w_status take_all(struct split *s, struct w_err *err)
{
    struct w_run run;
    enum w_status status = W_DONE;

    while (!status && !(status = w_parts_next(s->parts, &run, err)))
        if (run.validation == (s->set->part == 1))
            status = take(s, &run, err);
    if (w_parts_are_inside(s->parts))
        w_say_split_inside(s->options.val_fraction);
    return status == W_END ? W_DONE : status;
}

/* What was chosen goes into the header. */
static enum w_status open_writer(struct split *s, struct w_output *out, struct w_err *err)
{
    const struct settings *set = s->set;
    const struct w_write_options write = w_cli_write_options(&set->writing, set->threads);
    struct w_header header = {0};

    enum w_status status =
        wcat_header(&header, w_corpus_facts(s->corpus)->header, !set->writing.no_provenance, err);
    if (!status) {
        w_parts_say(&header, &s->options, set->part == 1 ? "val" : "train");
        status = w_writer_open(&s->writer, out, &header, &write, err);
    }
    w_header_free(&header);
    return status;
}

static enum w_status close_writer(struct split *s, struct w_err *err)
{
    struct w_json *stats = w_json_object();

    if (!stats)
        return w_fail(err, W_NOMEM, "no memory for the end frame");
    w_json_set_u64(stats, "docs", s->docs);
    w_json_set_u64(stats, "max", s->max);
    enum w_status status = w_writer_close(&s->writer, stats, err);
    w_json_free(stats);
    return status;
}

static enum w_status split_all(const void *settings, char **paths, struct w_output *out,
                               struct w_err *err)
{
    const struct settings *set = settings;
    struct split s = {
        .set = set, .options = {.val_fraction = set->val_fraction, .split_seed = set->split_seed}};
    size_t count = 0;

    while (paths[count])
        count++;
    enum w_status status = w_corpus_open(&s.corpus, paths, count, err);
    if (!status)
        status = w_parts_new(&s.parts, s.corpus, &s.options, err);
    if (!status)
        status = open_writer(&s, out, err);
    if (!status)
        status = take_all(&s, err);
    if (!status)
        status = close_writer(&s, err);
    w_writer_abort(&s.writer, "wcat", err);
    w_parts_free(s.parts);
    w_corpus_close(&s.corpus);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    enum w_status status = w_cli_refuse_terminal(set->writing.output, "use -o FILE or a pipe", err);

    if (!status && argc == 0)
        status = w_cli_refuse_typing("name a token stream, or pipe one in", err);
    return status ? status : wcat_write(set->writing.output, argv, split_all, set, err);
}

const struct w_program wcat_split_program = {
    "wcat split",
    "take the documents for training, or those for validation",
    "[TOKENS ...]",
    "Writes a part of the documents of token streams as one member; the same documents as wbatch "
    "takes with the same options.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
