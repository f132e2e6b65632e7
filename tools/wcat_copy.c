/* wcat copy - the records of many members as one, all or a range of them. */
#include <stdlib.h>
#include <string.h>

#include "tools/wcat.h"

struct settings {
    struct w_writing writing;
    u64 threads;
    u64 from, to, count; /* to, count: 0 where not given; once checked, the range is [from, to) */
};

static const struct w_option options[] = {
    W_WRITING_OPTIONS(struct settings, "1"),
    {"from", 0, W_OPT_COUNT, AT(from), "N", "0",
     .help = "Begin with record N; the first is 0. Records are counted over all files."},
    {"to", 0, W_OPT_COUNT, AT(to), "N", .min = 1,
     .help = "End before record N. Default: after the last."},
    {"count", 'n', W_OPT_COUNT, AT(count), "N", .min = 1, .help = "Instead of --to: N records."},
    {"threads", 't', W_OPT_COUNT, AT(threads), "N", "1", 1, 256, .aside = true,
     .help = "Threads that compress. The bytes do not depend on it."},
    {0},
};

static const char *const examples[] = {
    "Shards into one",
    "wcat copy -o all.tokens shard-*.tokens",
    "The first million ids",
    "wcat copy --to 1M -o small.tokens all.tokens",
    NULL,
};

struct copy {
    const struct settings *set;
    struct w_output *out;
    struct w_writer *writer; /* NULL until the first header is known */
    struct w_json *header;   /* the first one */
    struct w_id_stats ids;
    u64 at; /* number of the next record, over all members */
};

/* *same: are both equal, or both missing? */
static enum w_status compare(const struct w_json *a, const struct w_json *b, bool *same,
                             struct w_err *err)
{
    char *x = a && b ? w_json_text(a, err) : NULL, *y = a && b ? w_json_text(b, err) : NULL;
    bool texts = x && y;

    *same = texts ? !strcmp(x, y) : !a && !b;
    free(x);
    free(y);
    return a && b && !texts ? W_NOMEM : W_DONE;
}

static enum w_status check_agreement(const struct copy *c, const struct w_header *h,
                                     const char *file, struct w_err *err)
{
    for (size_t i = 0; wcat_of_records[i]; i++) {
        bool same;
        enum w_status status = compare(w_json_get(c->header, wcat_of_records[i]),
                                       w_json_get(h->json, wcat_of_records[i]), &same, err);
        if (status)
            return status;
        if (!same)
            return w_fail(err, W_MISMATCH, "%s: its \"%s\" is not that of the first stream", file,
                          wcat_of_records[i]);
    }
    return W_DONE;
}

/* Open the writer, with a header made from the first one. */
static enum w_status copy_begin(struct copy *c, const struct w_header *first, struct w_err *err)
{
    struct w_header mine = {0};
    const struct w_write_options write = w_cli_write_options(&c->set->writing, c->set->threads);
    bool traced = !c->set->writing.no_provenance;

    c->header = w_json_copy(first->json);
    if (!c->header)
        return w_fail(err, W_NOMEM, "no memory for a header");
    enum w_status status = wcat_header(&mine, first, traced, err);
    if (!status)
        status = w_writer_open(&c->writer, c->out, &mine, &write, err);
    w_header_free(&mine);
    return status;
}

/* Copy the records of the reader's present member that are in the range. */
static enum w_status copy_member(struct copy *c, struct source *s, const struct w_header *h,
                                 struct w_err *err)
{
    const void *records;
    u64 count, from = c->set->from, known = w_reader_known_count(s->reader), start = c->at;

    enum w_status status = w_id_stats_begin(&c->ids, h, err);
    /* In a regular file, records before the range are not read. */
    if (!status && from > c->at && known > 0) {
        u64 skip = W_MIN(from - c->at, known);
        c->at += skip;
        if (skip == known)
            return W_DONE;
        status = w_reader_seek(s->reader, skip, err);
    }
    while (!status && c->at < c->set->to) {
        status = w_reader_records(s->reader, &records, &count, err);
        u64 begin = W_MAX(c->at, from), end = W_MIN(c->at + count, c->set->to);
        if (!status && begin < end) {
            const u8 *bytes = (const u8 *)records + (begin - c->at) * h->record_bytes;
            status = w_id_stats_look(&c->ids, h, bytes, end - begin, begin - start, err);
            if (status)
                w_fail_at(err, status, "%s", s->in.name);
            else
                status = w_writer_records(c->writer, bytes, end - begin, err);
        }
        c->at += count;
    }
    return status == W_END ? W_DONE : status;
}

static enum w_status copy_file(struct copy *c, const char *path, struct w_err *err)
{
    struct source s;
    const struct w_header *h;

    enum w_status status = wcat_open(&s, path, err);
    while (!status && c->at < c->set->to && !(status = w_reader_member(s.reader, &h, err))) {
        if (w_kind_is_blob(h->kind))
            status = w_fail(err, W_MISMATCH,
                            "%s: %s can be neither joined nor cut: see wcat raw --tensor",
                            s.in.name, w_kind_name(h->kind));
        else if (c->writer)
            status = check_agreement(c, h, s.in.name, err);
        else
            status = copy_begin(c, h, err);
        if (!status)
            status = copy_member(c, &s, h, err);
    }
    wcat_close(&s);
    return status == W_END ? W_DONE : status;
}

static enum w_status copy_all(const void *settings, char **paths, struct w_output *out,
                              struct w_err *err)
{
    const struct settings *set = settings;
    struct copy c = {.set = set, .out = out};
    struct w_json *stats = NULL;
    enum w_status status = W_DONE;

    for (; *paths && !status && c.at < set->to; paths++)
        status = copy_file(&c, *paths, err);
    bool short_of = c.at < (set->to == UINT64_MAX ? set->from : set->to);
    if (!status && short_of)
        status = w_fail(err, W_MISMATCH, "there are only %llu records", (unsigned long long)c.at);
    if (!status && !(stats = w_json_object()))
        status = w_fail(err, W_NOMEM, "no memory for the end frame");
    if (!status) {
        if (c.ids.said.id_bytes) {
            w_json_set_u64(stats, "max", c.ids.max);
            w_json_set_u64(stats, "docs", c.ids.docs);
        }
        status = w_writer_close(&c.writer, stats, err);
    }
    w_writer_abort(&c.writer, "wcat", err);
    w_json_free(stats);
    w_json_free(c.header);
    w_id_stats_free(&c.ids);
    return status;
}

/* Make [from, to) of the options. */
static enum w_status find_range(struct settings *set, struct w_err *err)
{
    if (set->to && set->count)
        return w_fail(err, W_USAGE, "--to and --count both say where the range ends: give one");
    if (set->to && set->to <= set->from)
        return w_fail(err, W_USAGE, "--to: the range is empty: it begins with record %llu",
                      (unsigned long long)set->from);
    if (!set->to)
        set->to = set->count ? set->from + set->count : UINT64_MAX;
    return W_DONE;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    enum w_status status = find_range(set, err);

    if (!status)
        status = w_cli_refuse_terminal(set->writing.output, "use -o FILE or a pipe", err);
    (void)argc;
    return status ? status : wcat_write(set->writing.output, argv, copy_all, set, err);
}

const struct w_program wcat_copy_program = {
    "wcat copy",
    "join streams, or cut records out of them",
    "[FILE ...]",
    "Writes the records of all members of all files, or a range of them, as one member.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
