/* wwiki --clean: text of other extractors, line by line, in the form that it has. */
#include <string.h>

#include "sys/json.h"
#include "sys/json_span.h"
#include "sys/unpack.h"
#include "text/document.h"
#include "tools/wwiki.h"

#define READ_BYTES                                                                                 \
    ((size_t)4 << 20) /* at a time; what decides about a file is in the first of them */
#define LINE_BYTES ((size_t)256 << 20)

/* A file, and what is known about it. */
struct cleaning {
    struct run *run;
    struct w_input in;
    struct w_unpack *unpack;
    struct w_buffer bytes; /* [at, bytes.size) is not used yet */
    size_t at;
    bool at_eof;
    u64 line, read_bytes;
    enum w_format form;
    struct w_clean clean;
    struct w_buffer head;  /* the lines of a block before its text: written when there is text */
    unsigned head_lines;   /* 0: outside of a block */
    bool has_text;         /* the block has, and its head is written */
    struct w_buffer piece; /* what is left of a line of a block, or of the text of an object */
    struct w_buffer out;
    bool has_written; /* of this file */
    u8 last;          /* byte that was written, of any file; a newline before the first */
};

static enum w_status no_memory(const struct cleaning *c, struct w_err *err)
{
    return w_fail(err, W_NOMEM, "%s: no memory for line %llu", c->in.name,
                  (unsigned long long)c->line);
}

/* Drop what was used and read more. */
static enum w_status fill(struct cleaning *c, struct w_err *err)
{
    size_t left = c->bytes.size - c->at;

    if (left >= LINE_BYTES)
        return w_fail(err, W_LIMIT, "%s: line %llu is longer than %zu bytes", c->in.name,
                      (unsigned long long)c->line + 1, LINE_BYTES);
    if (left > 0)
        memmove(c->bytes.at, c->bytes.at + c->at, left);
    c->bytes.size = left;
    c->at = 0;
    while (c->bytes.size - left < READ_BYTES) {
        const u8 *piece = NULL;
        size_t size = 0;
        enum w_status status = w_unpack_next(c->unpack, &piece, &size, err);
        c->at_eof = status == W_END;
        if (status)
            return c->at_eof ? W_DONE : status;
        w_buffer_put(&c->bytes, piece, size);
        if (c->bytes.failed)
            return no_memory(c, err);
        c->read_bytes += size;
    }
    return W_DONE;
}

/* Write what there is. Where a file ends without a newline, what comes of the next begins a line. */
static enum w_status flush(struct cleaning *c, struct w_err *err)
{
    struct w_output *out = &c->run->out;
    enum w_status status = W_DONE;

    if (c->out.size == 0)
        return W_DONE;
    if (!c->has_written && c->last != '\n')
        status = w_output_write(out, "\n", 1, err);
    if (!status)
        status = w_output_write(out, c->out.at, c->out.size, err);
    c->has_written = true;
    c->last = w_buffer_last(&c->out);
    c->out.size = 0;
    return status;
}

/* The next line with its newline, if it has one. W_END behind the last. */
static enum w_status next_line(struct cleaning *c, struct w_span *line, struct w_err *err)
{
    for (;;) {
        size_t left = c->bytes.size - c->at;
        const u8 *from = c->bytes.at + c->at, *newline = left ? memchr(from, '\n', left) : NULL;
        if (newline || (c->at_eof && left > 0)) {
            *line = (struct w_span){from, newline ? (size_t)(newline - from) + 1 : left};
            c->at += line->size;
            c->line++;
            return W_DONE;
        }
        if (c->at_eof)
            return W_END;
        enum w_status status = fill(c, err);
        if (status)
            return status;
    }
}

static bool begins(struct w_span s, const char *text)
{
    size_t size = strlen(text);
    return s.size >= size && !memcmp(s.at, text, size);
}

/* What the first bytes of the file say, behind a byte order mark and empty lines. */
static void look(struct cleaning *c)
{
    struct w_span all = w_span_unmarked((struct w_span){c->bytes.at, c->bytes.size});
    u32 unescape = c->run->set->unescape;

    c->at = c->bytes.size - all.size;
    struct w_span first = w_span_trim(all);
    /* A line that is cut is taken for an object: it fails rather than passes as text. */
    c->form = w_format_guess(first.at, (size_t)(all.at + all.size - first.at), false);
    c->clean.escaped =
        unescape == UNESCAPE_YES || (unescape == UNESCAPE_AUTO && w_clean_is_escaped(all));
}

/* ---- a line of each form ---- */

static void clean_block_line(struct cleaning *c, struct w_span line)
{
    bool closes = begins(line, "</doc>") && w_span_trim(line).size == 6;

    if (c->head_lines == 0 && !begins(line, "<doc ")) {
        w_buffer_span(&c->out, line); /* between blocks */
        return;
    }
    if (closes) {
        c->head_lines = 0;
        c->run->counts.documents += c->has_text;
        c->run->counts.empty += !c->has_text;
        if (c->has_text)
            w_buffer_span(&c->out, line);
        return;
    }
    if (c->head_lines < 2) { /* the tag and the title */
        if (c->head_lines++ == 0) {
            c->head.size = 0;
            c->has_text = c->clean.after_blank = c->clean.after_removed = false;
        }
        if (c->head_lines == 1)
            w_buffer_span(&c->head, line);
        else
            w_wiki_block_text(&c->head, w_clean_unescape(&c->clean, line));
        return;
    }
    c->piece.size = 0;
    w_clean_text(&c->clean, line, &c->piece);
    struct w_span piece = {c->piece.at, c->piece.size};
    if (!c->has_text && w_span_trim(piece).size) {
        c->has_text = true;
        w_buffer_put(&c->out, c->head.at, c->head.size);
    }
    w_wiki_block_text(c->has_text ? &c->out : &c->head, piece);
    if (c->piece.failed || c->head.failed || c->clean.line.failed)
        c->out.failed = true;
}

/* The value of a member of an object: as text, and as it is written in the line. */
static enum w_status find_text(struct w_span line, const struct w_json *json, const char *field,
                               struct w_span *text, struct w_span *written, struct w_err *err)
{
    const struct w_json *child = w_json_first(json);
    const char *string = NULL;
    enum w_status status = w_json_need_string(json, field, &string, err);
    size_t index = 0;

    if (status)
        return status;
    for (; child && strcmp(w_json_key(child), field); child = w_json_next(child))
        index++;
    *text = w_span_of(string);
    written->at = (const u8 *)w_json_span((const char *)line.at, line.size, index, &written->size);
    return W_DONE;
}

/* Only the bytes of the text change, and only where something was removed. */
static enum w_status clean_object(struct cleaning *c, struct w_span line, struct w_err *err)
{
    struct w_json *json = NULL;
    struct w_span all = w_span_trim(line), text, written;

    if (all.size == 0)
        return W_DONE;
    enum w_status status = w_json_parse(&json, (const char *)all.at, all.size, err);
    if (!status)
        status = find_text(line, json, c->run->set->field, &text, &written, err);
    if (status) {
        w_json_free(json);
        return w_fail_at(err, status, "%s: line %llu", c->in.name, (unsigned long long)c->line);
    }
    c->piece.size = 0;
    c->clean.after_blank = c->clean.after_removed = false;
    w_clean_text(&c->clean, text, &c->piece);
    struct w_span left = {c->piece.at, c->piece.size};
    if (w_span_trim(left).size == 0) {
        c->run->counts.empty++;
    } else {
        bool same = w_span_is(left, text);
        size_t before = (size_t)(written.at - line.at) + 1, behind = before + written.size - 2;
        w_buffer_put(&c->out, line.at, same ? line.size : before);
        if (!same) {
            w_wiki_json_text(&c->out, left);
            w_buffer_put(&c->out, line.at + behind, line.size - behind);
        }
        c->run->counts.documents++;
    }
    c->out.failed = c->out.failed || c->piece.failed;
    w_json_free(json);
    return W_DONE;
}

static enum w_status clean_lines(struct cleaning *c, struct w_err *err)
{
    enum w_status status = W_DONE;
    struct w_span line;

    while (!status && !(status = next_line(c, &line, err))) {
        if (w_signal_stop)
            status = w_fail(err, W_SIGNAL, "stopped by a signal");
        else if (c->form == W_FORMAT_JSONL)
            status = clean_object(c, line, err);
        else if (c->form == W_FORMAT_WIKI)
            clean_block_line(c, line);
        else
            w_clean_text(&c->clean, line, &c->out);
        if (!status && c->out.failed)
            status = no_memory(c, err);
        if (!status && c->out.size >= READ_BYTES / 4) {
            status = flush(c, err);
            wwiki_progress(c->run, w_unpack_consumed(c->unpack), false);
        }
    }
    if (status == W_END && c->head_lines)
        status = w_fail(err, W_TRUNCATED, "%s: ends inside a <doc> block", c->in.name);
    return status == W_END ? flush(c, err) : status;
}

static enum w_status clean_file(struct cleaning *c, const char *path, struct w_err *err)
{
    c->at = c->bytes.size = 0;
    c->line = c->read_bytes = 0;
    c->head_lines = 0;
    c->at_eof = c->has_written = false;
    c->clean.after_blank = c->clean.after_removed = false;
    enum w_status status = w_input_open(&c->in, path, err);
    if (status)
        return status;
    status = w_unpack_open(&c->unpack, &c->in, c->run->threads, err);
    if (!status)
        status = fill(c, err);
    if (!status) {
        look(c);
        status = clean_lines(c, err);
    }
    if (c->unpack)
        c->run->bytes += w_unpack_consumed(c->unpack);
    c->run->counts.read_bytes += c->read_bytes;
    w_unpack_close(&c->unpack);
    c->unpack = NULL;
    w_input_close(&c->in);
    return status;
}

enum w_status wwiki_clean(struct run *run, struct w_err *err)
{
    struct cleaning c = {.run = run, .last = '\n'};
    enum w_status status = W_DONE;

    for (size_t i = 0; i < run->files.count && !status; i++)
        status = clean_file(&c, run->files.paths[i], err);
    run->counts.cleaned = c.clean.counts;
    run->counts.text_bytes = run->out.bytes;
    w_buffer_free(&c.bytes);
    w_buffer_free(&c.head);
    w_buffer_free(&c.piece);
    w_buffer_free(&c.out);
    w_clean_release(&c.clean);
    return status;
}
