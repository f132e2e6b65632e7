/* wcat show - what is in streams, as JSON Lines. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "sys/fdio.h"
#include "tools/wcat.h"
#include "wire/frame.h"

struct settings {
    bool verify, raw;
    u32 what; /* 0: auto; else 1 + an index into views */
    const char *output;
};

static const struct w_option options[] = {
    {"what", 0, W_OPT_CHOICE, AT(what), "WHAT", "auto",
     .choices = "auto|summary|frames|header|notes|stats",
     .help =
         "What to show. A summary of each file, for people; a line for each frame; or the first "
         "header line of each file, without reading further; or the notes (metrics); or one line "
         "for each file, read as a whole: members, frames, records, bytes, ratio; for tokens the "
         "largest id, distinct ids and documents. auto is the summary on a terminal, else the "
         "frames."},
    /* The commands that are also options, for scripts that use them so. */
    {"verify", 0, W_OPT_FLAG, AT(verify), .help = "Instead of showing, do what wcat verify does."},
    {"raw", 0, W_OPT_FLAG, AT(raw), .help = "Instead of showing, do what wcat raw does."},
    WCAT_OUTPUT_OPTION(struct settings),
    {0},
};

static const char *const examples[] = {
    "What is it?",
    "wcat --what summary wiki.tokens",
    "How it was made",
    "wcat --what header wiki.wts | jq '.src.argv, .src.src.argv'",
    "Ids that occur, from a pipe",
    "wtok encode -V wiki.vocab wiki/* | wcat --what stats | jq .tokens",
    NULL,
};

/* Write a JSON value as a line; takes over json. */
static enum w_status put_json(struct w_output *out, struct w_json *json, struct w_err *err)
{
    char *text = NULL;
    size_t size = 0;

    enum w_status status = w_json_line(json, &text, &size, err);
    if (!status)
        status = w_output_write(out, text, size, err);
    free(text);
    w_json_free(json);
    return status;
}

/* ---- frames ---- */

struct listing {
    struct w_output *out;
    struct w_json *line; /* of the latest frame, until its text has been read */
    bool pending;        /* there is such a frame; its line is NULL if there was no memory */
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

/* ---- statistics ---- */

static enum w_status show_stats(const char *path, struct w_output *out, struct w_err *err)
{
    struct totals t;

    enum w_status status = wcat_count(path, &t, NULL, err);
    if (status)
        return status;
    struct w_json *j = w_json_object();
    char *name = w_utf8_mended(path, strlen(path)); /* a path may hold any bytes, JSON only UTF-8 */
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

/* ---- the command ---- */

static enum w_status show_all(const void *settings, char **paths, struct w_output *out,
                              struct w_err *err)
{
    static enum w_status (*const views[])(const char *, struct w_output *, struct w_err *) = {
        wcat_summary, list_file, show_header, show_notes, show_stats};
    const struct settings *set = settings;
    const bool people = !set->output && w_is_terminal(STDOUT_FILENO);
    const u32 view = set->what ? set->what - 1 : !people;
    enum w_status status = W_DONE;

    for (; *paths && !status; paths++)
        status = views[view](*paths, out, err);
    return status;
}

static enum w_status run(struct settings *set, int argc, char **argv, struct w_err *err)
{
    (void)argc;
    if (set->verify && set->raw)
        return w_fail(err, W_USAGE, "--verify writes nothing: leave --raw out");
    if (set->raw)
        return wcat_raw_all(argv, set->output, err);
    if (!set->verify)
        return wcat_write(set->output, argv, show_all, set, err);
    if (set->output)
        return w_fail(err, W_USAGE, "--verify writes nothing: leave --output out");
    return wcat_verify_all(argv, err);
}

const struct w_program wcat_show_program = {
    "wcat show",
    "show what is in a stream, to people or as JSON Lines",
    "[FILE ...]",
    "On a terminal, what it is, what it was made from, and whether it is whole; else a JSON object "
    "for each frame, for jq. --what chooses.",
    options,
    examples,
    sizeof(struct settings),
    run,
};
