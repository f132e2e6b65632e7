/* wcat verify - check that streams are whole. */
#include <string.h>

#include "tools/wcat.h"
#include "wire/frame.h"

static const char *const examples[] = {
    "Are all of them whole?",
    "wcat verify *.tokens && echo yes",
    NULL,
};

struct counting {
    struct source source;
    struct totals *totals;
};

static void count_frame(void *context, u64 offset, const struct w_frame *f)
{
    const struct counting *c = context;
    struct totals *t = c->totals;

    t->frames++;
    t->bytes += W_FRAME_BYTES + (u64)f->stored_len;
    if (f->type == W_FRAME_DATA) {
        t->records += f->count;
        t->raw += f->raw_len;
        t->stored += f->stored_len;
    }
    wcat_progress(&c->source, offset);
}

static enum w_status read_member(struct source *s, const struct w_header *h, struct w_header *first,
                                 struct totals *t, struct w_err *err)
{
    const void *records;
    u64 count, at = 0;
    enum w_status status = W_DONE;

    if (first && t->members == 0)
        status = w_header_from_json(first, w_json_copy(h->json), err);
    t->members++;
    t->tokens |= h->kind == W_TOKENS;
    if (!status)
        status = w_id_stats_begin(&t->ids, h, err);
    for (; !status && !(status = w_reader_records(s->reader, &records, &count, err)); at += count) {
        status = w_id_stats_look(&t->ids, h, records, count, at, err);
        if (status)
            w_fail_at(err, status, "%s: member %llu", s->in.name, (unsigned long long)t->members);
    }
    return status == W_END ? W_DONE : status;
}

enum w_status wcat_count(const char *path, struct totals *t, struct w_header *first,
                         struct w_err *err)
{
    struct counting c = {.totals = t};
    const struct w_header *h;

    memset(t, 0, sizeof *t);
    enum w_status status = wcat_open(&c.source, path, err);
    if (!status)
        w_reader_on_frame(c.source.reader, count_frame, &c);
    while (!status && !(status = w_reader_member(c.source.reader, &h, err)))
        status = read_member(&c.source, h, first, t, err);
    wcat_close(&c.source);
    w_id_stats_free(&t->ids);
    return status == W_END ? W_DONE : status;
}

static enum w_status verify_file(const char *path, struct w_err *err)
{
    char members[W_COUNTED], frames[W_COUNTED], records[W_COUNTED];
    struct totals t;

    enum w_status status = wcat_count(path, &t, NULL, err);
    if (!status)
        w_detail("%s: whole: %s, %s, %s, %llu bytes", !strcmp(path, "-") ? "standard input" : path,
                 w_counted(members, t.members, "member"), w_counted(frames, t.frames, "frame"),
                 w_counted(records, t.records, "record"), (unsigned long long)t.bytes);
    return status;
}

enum w_status wcat_verify_all(char **paths, struct w_err *err)
{
    enum w_status status = W_DONE;

    w_signals_catch();
    for (paths = w_cli_paths(paths); *paths; paths++) {
        struct w_err here = {0};
        enum w_status found = verify_file(*paths, &here);
        if (found && status)
            w_warn("%s", err->text);
        if (found)
            status = found, *err = here;
    }
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    (void)set, (void)argc;
    return wcat_verify_all(argv, err);
}

const struct w_program wcat_verify_program = {
    "wcat verify",
    "check every byte of streams",
    "[FILE ...]",
    "Checks every file, ids against the vocabulary included. Prints nothing if all are whole; -v "
    "prints a line for each file.",
    NULL,
    examples,
    0,
    run,
};
