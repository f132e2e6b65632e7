/* wcat - show, verify, join and cut streams.
 *
 * Every mode is a walk over the members of some files; what is done with them is a small set of
 * functions per mode. All output goes through one w_output, so that a full disk or a reader that
 * left is noticed in one place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strnum.h"
#include "data/id_stats.h"
#include "text/draft.h"
#include "tools/cli.h"
#include "tools/wcat.h"
#include "wire/frame.h"

static const struct w_option options[] = {
    {"verify", 0, W_OPT_FLAG, AT(verify),
     .help = "Check every byte of every file, ids against the vocabulary included. Quiet when all "
             "is well; -v prints a line per file."},
    {"stats", 0, W_OPT_FLAG, AT(stats),
     .help = "Print one JSON object per file: members, frames, records, bytes, ratio; for tokens "
             "the largest id, distinct ids and documents."},
    {"header", 0, W_OPT_FLAG, AT(header),
     .help = "Print the first header line of each file, and read no further."},
    {"notes", 0, W_OPT_FLAG, AT(notes), .help = "Print the notes (metrics) as JSON Lines."},
    {"raw", 0, W_OPT_FLAG, AT(raw), .help = "Write the bytes of the records."},
    {"tensor", 0, W_OPT_TEXT, AT(tensor), "NAME",
     .help = "With --raw: only the bytes of this tensor."},
    {"join", 0, W_OPT_FLAG, AT(join),
     .help = "Write the records of all members of all files as one member."},
    {"cut", 0, W_OPT_TEXT, AT(cut), "FROM:TO",
     .help = "Write the records FROM to TO - 1, counted over all files, as one member. Without TO: "
             "up to the end."},
    {"records", 0, W_OPT_TEXT, AT(records), "FROM:COUNT",
     .help = "Write COUNT records from number FROM, as one member."},
    {"output", 'o', W_OPT_TEXT, AT(output), "FILE",
     .help = "Write to FILE, which appears when it is complete, instead of standard output."},
    {"threads", 't', W_OPT_COUNT, AT(threads), "N", "1", 1, 256,
     .help = "Threads that compress. The bytes do not depend on it."},
    {"level", 0, W_OPT_COUNT, AT(level), "N", "0", 0, 9,
     .help = "Compression of what is written: 1 fast to 9 small; 0 stores."},
    {"no-provenance", 0, W_OPT_FLAG, AT(no_provenance),
     .help = "Leave the command line and the origin out of the header."},
    {0},
};
static const char *const examples[] = {
    "What is in it, frame by frame",
    "wcat wiki.tokens | jq -c '{type,offset,count}'",
    "How it was made",
    "wcat --header wiki.wts | jq '.src.argv, .src.src.argv'",
    "Say whether they are whole",
    "wcat --verify *.tokens && echo yes",
    "Shards into one",
    "wcat --join -o all.tokens shard-*.tokens",
    "The first million ids",
    "wcat --cut 0:1M -o small.tokens all.tokens",
    "One tensor as numbers",
    "wcat --raw --tensor wpe.weight wiki.wts | od -An -tf4 | head",
    "Ids that occur, from a pipe",
    "wtok encode -V wiki.vocab wiki/* | wcat --stats | jq .tokens",
    NULL,
};
static const struct w_program program = {
    "wcat",
    "show, verify, join and cut streams",
    "[FILE ...]",
    "Without a mode: a JSON object for each frame, for jq. Without FILE: standard input.",
    options,
    examples};

/* ---- output ---- */

/* Write a JSON value as a line; takes over json. */
static enum w_status put_json(struct w_output *out, struct w_json *json, struct w_err *err)
{
    char *text = NULL;
    size_t size;
    enum w_status status = w_json_line(json, &text, &size, err);

    if (!status)
        status = w_output_write(out, text, size, err);
    free(text);
    w_json_free(json);
    return status;
}

/* ---- a file ---- */

enum w_status wcat_open(struct source *s, const char *path, struct w_err *err)
{
    memset(s, 0, sizeof *s);
    enum w_status status = W_DONE;
    if (!strcmp(path, "-"))
        status = w_cli_refuse_typing("name a file or pipe a stream in; see wcat --help", err);
    if (!status)
        status = w_input_open(&s->in, path, err);
    if (!status)
        status = w_reader_open(&s->reader, &s->in, err);
    return status;
}

void wcat_close(struct source *s)
{
    w_reader_close(&s->reader);
    w_input_close(&s->in);
}

/* ---- listing frames ---- */

struct listing {
    struct w_output *out;
    struct w_json *line; /* of the frame before, until what belongs to it is known */
    bool pending;        /* there is such a frame; its line may be NULL for want of memory */
    u64 member;
    enum w_status status;
    struct w_err err;
};

static void list_flush(struct listing *l)
{
    if (l->pending && !l->status)
        l->status = put_json(l->out, l->line, &l->err);
    else
        w_json_free(l->line);
    l->line = NULL;
    l->pending = false;
}

static void list_frame(void *context, u64 offset, const struct w_frame *f)
{
    struct listing *l = context;
    char type[2] = {(char)f->type, 0};

    list_flush(l);
    l->member += f->type == W_FRAME_HEADER;
    l->line = w_json_object();
    l->pending = true;
    w_json_set_string(l->line, "type", type);
    w_json_set_u64(l->line, "member", l->member);
    w_json_set_u64(l->line, "offset", offset);
    w_json_set_u64(l->line, "seq", f->seq);
    w_json_set_u64(l->line, "pos", f->pos);
    w_json_set_u64(l->line, "count", f->count);
    w_json_set_u64(l->line, "raw", f->raw_len);
    w_json_set_u64(l->line, "stored", f->stored_len);
    w_json_set_string(l->line, "codec", f->codec == W_ZLIB ? "zlib" : "stored");
}

static void list_note(void *context, const struct w_json *note)
{
    struct listing *l = context;
    w_json_set(l->line, "note", w_json_copy(note));
}

static enum w_status list_file(const char *path, struct w_output *out, struct w_err *err)
{
    struct source s;
    struct listing l = {.out = out};
    const struct w_header *h;
    const void *records;
    u64 count;

    enum w_status status = wcat_open(&s, path, err);
    if (!status) {
        w_reader_on_frame(s.reader, list_frame, &l);
        w_reader_on_note(s.reader, list_note, &l);
    }
    while (!status && !l.status && !(status = w_reader_member(s.reader, &h, err))) {
        w_json_set(l.line, "header", w_json_copy(h->json));
        while (!l.status && !(status = w_reader_records(s.reader, &records, &count, err)))
            ;
        if (status == W_END) {
            w_json_set(l.line, "end", w_json_copy(w_reader_end(s.reader)));
            status = W_DONE;
        }
    }
    list_flush(&l);
    if (l.status)
        *err = l.err;
    wcat_close(&s);
    return l.status ? l.status : status == W_END ? W_DONE : status;
}

/* ---- headers and notes ---- */

static enum w_status show_header(const char *path, struct w_output *out, struct w_err *err)
{
    struct source s;
    const struct w_header *h;

    enum w_status status = wcat_open(&s, path, err);
    if (!status)
        status = w_reader_member(s.reader, &h, err);
    if (!status)
        status = put_json(out, w_json_copy(h->json), err);
    wcat_close(&s);
    return status;
}

static void show_note(void *context, const struct w_json *note)
{
    struct listing *l = context;
    if (!l->status)
        l->status = put_json(l->out, w_json_copy(note), &l->err);
}

static enum w_status show_notes(const char *path, struct w_output *out, struct w_err *err)
{
    struct source s;
    struct listing l = {.out = out};
    const struct w_header *h;

    enum w_status status = wcat_open(&s, path, err);
    if (!status)
        w_reader_on_note(s.reader, show_note, &l);
    while (!status && !l.status)
        status = w_reader_member(s.reader, &h, err);
    if (l.status)
        *err = l.err;
    wcat_close(&s);
    return l.status ? l.status : status == W_END ? W_DONE : status;
}

/* ---- verify and statistics: both read everything ---- */

struct totals {
    u64 members, frames, records, raw, stored, bytes;
    struct w_id_stats ids;
    bool tokens;
};

static void count_frame(void *context, u64 offset, const struct w_frame *f)
{
    struct totals *t = context;

    t->frames++;
    t->bytes += W_FRAME_BYTES + (u64)f->stored_len;
    if (f->type == W_FRAME_DATA) {
        t->records += f->count;
        t->raw += f->raw_len;
        t->stored += f->stored_len;
    }
    (void)offset;
}

static enum w_status read_member(struct source *s, const struct w_header *h, struct totals *t,
                                 struct w_err *err)
{
    const void *records;
    u64 count, first = 0;

    t->members++;
    t->tokens |= h->kind == W_TOKENS;
    enum w_status status = w_id_stats_begin(&t->ids, h, err);
    for (; !status && !(status = w_reader_records(s->reader, &records, &count, err));
         first += count) {
        status = w_id_stats_look(&t->ids, h, records, count, first, err);
        if (status)
            w_fail_at(err, status, "%s: member %llu", s->in.name, (unsigned long long)t->members);
    }
    return status == W_END ? W_DONE : status;
}

static enum w_status read_file(const char *path, struct totals *t, struct w_err *err)
{
    struct source s;
    const struct w_header *h;

    memset(t, 0, sizeof *t);
    enum w_status status = wcat_open(&s, path, err);
    if (!status)
        w_reader_on_frame(s.reader, count_frame, t);
    while (!status && !(status = w_reader_member(s.reader, &h, err)))
        status = read_member(&s, h, t, err);
    wcat_close(&s);
    w_id_stats_free(&t->ids);
    return status == W_END ? W_DONE : status;
}

static enum w_status verify_file(const char *path, struct w_output *out, struct w_err *err)
{
    struct totals t;
    (void)out;

    enum w_status status = read_file(path, &t, err);
    if (!status)
        w_detail("%s: whole: %llu members, %llu frames, %llu records, %llu bytes",
                 !strcmp(path, "-") ? "standard input" : path, (unsigned long long)t.members,
                 (unsigned long long)t.frames, (unsigned long long)t.records,
                 (unsigned long long)t.bytes);
    return status;
}

static enum w_status show_stats(const char *path, struct w_output *out, struct w_err *err)
{
    struct totals t;

    enum w_status status = read_file(path, &t, err);
    if (status)
        return status;
    struct w_json *j = w_json_object();
    char *name = w_utf8_mended(path, strlen(path)); /* a path may hold anything, JSON may not */
    w_json_set_string(j, "file", name ? name : "");
    free(name);
    w_json_set_u64(j, "bytes", t.bytes);
    w_json_set_u64(j, "members", t.members);
    w_json_set_u64(j, "frames", t.frames);
    w_json_set_u64(j, "records", t.records);
    w_json_set_u64(j, "raw", t.raw);
    w_json_set_u64(j, "stored", t.stored);
    w_json_set_real(j, "ratio", t.stored ? (double)t.raw / (double)t.stored : 1);
    if (t.tokens) {
        struct w_json *tokens = w_json_object();
        w_json_set_u64(tokens, "max", t.ids.max);
        w_json_set_u64(tokens, "distinct", t.ids.distinct);
        w_json_set_u64(tokens, "docs", t.ids.docs);
        w_json_set(j, "tokens", tokens);
    }
    return put_json(out, j, err);
}

/* ---- raw bytes ---- */

static enum w_status raw_tensor(struct source *s, const struct w_array *a, struct w_output *out,
                                struct w_err *err)
{
    const void *bytes;
    u64 count;

    enum w_status status = w_reader_seek(s->reader, a->offset, NULL, err);
    for (u64 left = a->bytes; left > 0 && !status; left -= count) {
        status = w_reader_records(s->reader, &bytes, &count, err);
        count = W_MIN(count, left);
        if (!status)
            status = w_output_write(out, bytes, count, err);
    }
    return status;
}

static enum w_status raw_file(const struct settings *set, const char *path, struct w_output *out,
                              struct w_err *err)
{
    struct source s;
    const struct w_header *h;
    const void *records;
    u64 count;
    bool found = false;

    enum w_status status = wcat_open(&s, path, err);
    while (!status && !found && !(status = w_reader_member(s.reader, &h, err))) {
        const struct w_array *a =
            set->tensor && h->kind == W_TENSORS ? w_header_find(h, set->tensor) : NULL;
        if (a)
            status = raw_tensor(&s, a, out, err);
        while (!status && !set->tensor &&
               !(status = w_reader_records(s.reader, &records, &count, err)))
            status = w_output_write(out, records, count * h->record_bytes, err);
        status = status == W_END ? W_DONE : status;
        found = a != NULL;
    }
    if (status == W_END && set->tensor)
        status = w_fail(err, W_MISMATCH, "%s: no tensor is called %s: see wcat --header", s.in.name,
                        set->tensor);
    wcat_close(&s);
    return status == W_END ? W_DONE : status;
}

/* ---- choosing ---- */

/* "FROM:TO" or "FROM:COUNT". */
static enum w_status parse_slice(struct settings *set, struct w_err *err)
{
    char from[32];
    const char *text = set->cut ? set->cut : set->records;
    const char *name = set->cut ? "--cut" : "--records", *colon = strchr(text, ':');
    enum w_status status = W_DONE;

    set->slice = true;
    set->to = UINT64_MAX;
    if (!colon || (size_t)(colon - text) >= sizeof from)
        return w_fail(err, W_USAGE, "%s: expected %s", name, set->cut ? "FROM:TO" : "FROM:COUNT");
    snprintf(from, sizeof from, "%.*s", (int)(colon - text), text);
    if (from[0])
        status = w_parse_count(from, 0, W_JSON_INT_MAX, &set->from, err);
    if (!status && colon[1]) {
        status = w_parse_count(colon + 1, 1, W_JSON_INT_MAX, &set->to, err);
        if (!status && set->records)
            set->to += set->from;
        if (!status && set->to <= set->from)
            status = w_fail(err, W_USAGE, "the slice is empty");
    }
    return status ? w_fail_at(err, status, "%s", name) : W_DONE;
}

static enum w_status check_settings(struct settings *set, struct w_err *err)
{
    int modes = set->verify + set->stats + set->header + set->notes + set->raw + set->join +
                (set->cut != NULL) + (set->records != NULL);
    bool binary = set->raw || set->join || set->cut || set->records;

    set->to = UINT64_MAX;
    if (modes > 1)
        return w_fail(err, W_USAGE,
                      "one mode at a time: --verify, --stats, --header, --notes, "
                      "--raw, --join, --cut or --records");
    if (set->tensor && !set->raw)
        return w_fail(err, W_USAGE, "--tensor goes with --raw");
    if (set->output && set->verify)
        return w_fail(err, W_USAGE, "--verify writes nothing: leave --output out");
    if (set->cut || set->records) {
        enum w_status status = parse_slice(set, err);
        if (status)
            return status;
    }
    return binary ? w_cli_refuse_terminal(set->output, "use -o FILE or a pipe", err) : W_DONE;
}

/* One file after the other. All are verified, whatever the first ones are like. */
static enum w_status each_file(const struct settings *set, char **paths, struct w_output *out,
                               struct w_err *err)
{
    enum w_status (*show)(const char *, struct w_output *, struct w_err *) =
        set->verify   ? verify_file
        : set->stats  ? show_stats
        : set->header ? show_header
        : set->notes  ? show_notes
                      : list_file;
    enum w_status status = W_DONE;

    for (; *paths && (!status || set->verify); paths++) {
        struct w_err here = {0};
        enum w_status found =
            set->raw ? raw_file(set, *paths, out, &here) : show(*paths, out, &here);
        if (found && status)
            w_warn("%s", err->text);
        if (found)
            status = found, *err = here;
    }
    return status;
}

static enum w_status run(struct settings *set, char **paths, struct w_err *err)
{
    static char *standard_input[] = {"-", NULL};
    struct w_output out;

    enum w_status status = check_settings(set, err);
    if (status)
        return status;
    w_cli_catch_signals(); /* a signal must not leave a temporary file behind */
    status = w_output_open(&out, set->output, err);
    if (status)
        return status;
    paths = *paths ? paths : standard_input;
    if (set->join || set->slice)
        status = wcat_copy(set, paths, &out, err);
    else
        status = each_file(set, paths, &out, err);
    if (!status)
        return w_output_commit(&out, err);
    w_output_abort(&out);
    return status;
}

int main(int argc, char **argv)
{
    struct settings set = {0};
    struct w_err err = {0};

    int stop = w_cli_parse(&program, &set, &argc, &argv);
    if (stop)
        return stop - 1;
    enum w_status status = run(&set, argv, &err);
    return w_cli_finish(status, &err);
}
