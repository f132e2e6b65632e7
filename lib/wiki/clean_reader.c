/* Lines come from a window of the file, are cleaned by the file's form, and gathered until there
 * are enough to give out. The head of a block, its tag and title, is held back until some text
 * follows: an empty block is not written. An object is parsed for the value of its text, and only
 * the bytes of that value (json_span.h) are replaced. */
#include "wiki/clean_reader.h"

#include <stdlib.h>
#include <string.h>

#include "sys/json_line.h"
#include "text/document.h"
#include "wiki/wiki_block.h"

#define READ_BYTES ((size_t)4 << 20) /* at a time; the first ones show the form of a file */
#define GIVE_BYTES ((size_t)1 << 20) /* of text: enough for a call */
#define LINE_BYTES ((size_t)256 << 20)

struct w_clean_reader {
    struct w_clean_reader_options options;
    struct w_clean clean;
    struct w_clean_reader_counts counts; /* except removed, which clean has */
    struct w_buffer out;                 /* of the present call */
    u8 last; /* byte given out, of any file; a newline before the first */
    /* The present file. */
    struct w_unpack *unpack;
    const char *name;
    struct w_buffer bytes; /* the window: [at, bytes.size) is not used yet */
    size_t at;
    bool at_eof, has_given;
    u64 line; /* for messages */
    enum w_format form;
    struct w_buffer head;  /* the lines of a block before its text: written when there is text */
    unsigned head_lines;   /* 0: outside of a block */
    bool has_text;         /* the block has text, and its head is written */
    struct w_buffer piece; /* the text left of a line of a block, or of an object */
    struct w_json_line json;
};

enum w_status w_clean_reader_new(struct w_clean_reader **reader,
                                 const struct w_clean_reader_options *options, struct w_err *err)
{
    struct w_clean_reader *c = *reader = calloc(1, sizeof *c);

    if (!c)
        return w_fail(err, W_NOMEM, "no memory to clean text");
    c->options = *options;
    c->last = '\n';
    return W_DONE;
}

void w_clean_reader_free(struct w_clean_reader *c)
{
    if (!c)
        return;
    w_buffer_free(&c->bytes);
    w_buffer_free(&c->head);
    w_buffer_free(&c->piece);
    w_buffer_free(&c->out);
    w_json_line_release(&c->json);
    w_clean_release(&c->clean);
    free(c);
}

struct w_clean_reader_counts w_clean_reader_counts(const struct w_clean_reader *c)
{
    struct w_clean_reader_counts counts = c->counts;

    counts.removed = c->clean.counts;
    return counts;
}

/* ---- the window ---- */

static enum w_status no_memory(const struct w_clean_reader *c, struct w_err *err)
{
    return w_fail(err, W_NOMEM, "%s: no memory for line %llu", c->name,
                  (unsigned long long)c->line);
}

/* Drop used bytes and read more. */
static enum w_status fill(struct w_clean_reader *c, struct w_err *err)
{
    size_t left = c->bytes.size - c->at;

    if (left >= LINE_BYTES)
        return w_fail(err, W_LIMIT, "%s: line %llu is longer than %zu bytes", c->name,
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
        c->counts.read_bytes += size;
    }
    return W_DONE;
}

/* The next line with its newline, if it has one. False: more has to be read first, or there is
 * none. */
static bool take_line(struct w_clean_reader *c, struct w_span *line)
{
    size_t left = c->bytes.size - c->at;
    const u8 *from = c->bytes.at + c->at, *newline = left ? memchr(from, '\n', left) : NULL;

    if (!newline && (!c->at_eof || left == 0))
        return false;
    *line = (struct w_span){from, newline ? (size_t)(newline - from) + 1 : left};
    c->at += line->size;
    c->line++;
    return true;
}

static bool begins(struct w_span s, const char *text)
{
    size_t size = strlen(text);
    return s.size >= size && !memcmp(s.at, text, size);
}

/* Find the form of the file by its first bytes, after a byte order mark and empty lines. */
static void look(struct w_clean_reader *c)
{
    struct w_span all = w_span_unmarked((struct w_span){c->bytes.at, c->bytes.size});
    enum w_unescape unescape = c->options.unescape;

    c->at = c->bytes.size - all.size;
    struct w_span first = w_span_trim(all);
    /* A first line that is cut may be an object: broken JSON has to fail, not to pass as text. */
    c->form = w_format_guess(first.at, (size_t)(all.at + all.size - first.at), false);
    c->clean.escaped =
        unescape == W_UNESCAPE_YES || (unescape == W_UNESCAPE_AUTO && w_clean_is_escaped(all));
}

/* ---- lines, by form ---- */

static void clean_block_line(struct w_clean_reader *c, struct w_span line)
{
    bool closes = begins(line, "</doc>") && w_span_trim(line).size == 6;

    if (c->head_lines == 0 && !begins(line, "<doc ")) {
        w_buffer_span(&c->out, line); /* between blocks */
        return;
    }
    if (closes) {
        c->head_lines = 0;
        c->counts.documents += c->has_text;
        c->counts.empty += !c->has_text;
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

/* Only the bytes of the text change, and only where something was removed. */
static enum w_status clean_object(struct w_clean_reader *c, struct w_span line, struct w_err *err)
{
    struct w_json_line *json = &c->json;
    size_t used;

    enum w_status status = w_json_line_feed(json, line.at, line.size, &used, err);
    if (status == W_NO) /* the last line, without a newline */
        status = w_json_line_end(json, err);
    if (status)
        return w_fail_at(err, status, "%s", c->name);
    if (!json->has_text)
        return W_DONE;
    struct w_span text = {json->text.at, json->text.size};
    c->piece.size = 0;
    c->clean.after_blank = c->clean.after_removed = false;
    w_clean_text(&c->clean, text, &c->piece);
    struct w_span left = {c->piece.at, c->piece.size};
    if (w_span_trim(left).size == 0) {
        c->counts.empty++;
    } else {
        bool same = w_span_is(left, text);
        size_t before = (size_t)json->value_at + 1; /* with the quote */
        size_t after = before + (size_t)json->value_size - 2;
        w_buffer_put(&c->out, line.at, same ? line.size : before);
        if (!same) {
            w_wiki_json_text(&c->out, left);
            w_buffer_put(&c->out, line.at + after, line.size - after);
        }
        c->counts.documents++;
    }
    c->out.failed = c->out.failed || c->piece.failed;
    return W_DONE;
}

static enum w_status clean_line(struct w_clean_reader *c, struct w_span line, struct w_err *err)
{
    enum w_status status = W_DONE;

    if (c->form == W_FORMAT_JSONL)
        status = clean_object(c, line, err);
    else if (c->form == W_FORMAT_WIKI)
        clean_block_line(c, line);
    else
        w_clean_text(&c->clean, line, &c->out);
    return status || !c->out.failed ? status : no_memory(c, err);
}

/* ---- a file ---- */

enum w_status w_clean_reader_begin(struct w_clean_reader *c, struct w_unpack *unpack,
                                   const char *name, struct w_err *err)
{
    c->unpack = unpack;
    c->name = name;
    c->at = c->bytes.size = 0;
    c->line = 0;
    c->head_lines = 0;
    c->at_eof = c->has_given = false;
    c->clean.after_blank = c->clean.after_removed = false;
    w_json_line_release(&c->json);
    w_json_line_init(&c->json, c->options.field);
    enum w_status status = fill(c, err);
    if (!status)
        look(c);
    return status;
}

enum w_status w_clean_reader_next(struct w_clean_reader *c, struct w_span *text, struct w_err *err)
{
    enum w_status status = W_DONE;
    struct w_span line;
    bool any = false;

    c->out.size = 0;
    for (; !status && c->out.size < GIVE_BYTES && take_line(c, &line); any = true)
        status = clean_line(c, line, err);
    if (!status && c->out.size < GIVE_BYTES && !c->at_eof)
        status = fill(c, err);
    else if (!status && !any && c->head_lines)
        status = w_fail(err, W_TRUNCATED, "%s: ends inside a <doc> block", c->name);
    else if (!status && !any)
        status = W_END;
    if (!status && c->out.size > 0) {
        if (!c->has_given && c->last != '\n')
            w_buffer_insert(&c->out, 0, "\n", 1);
        c->has_given = true;
        c->last = w_buffer_last(&c->out);
    }
    if (!status && c->out.failed)
        status = no_memory(c, err);
    *text = (struct w_span){c->out.at, c->out.size};
    return status;
}
