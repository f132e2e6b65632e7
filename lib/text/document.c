/* Documents out of files, in pieces that are cut where no word is cut. A window over the file grows
 * until it holds what decides about its next document; each format is one function that looks for
 * the end of a document in the window. Every byte is looked at once for its format and once for the
 * cut. */
#include "text/document.h"

#include <stdlib.h>
#include <string.h>

#include "sys/json_line.h"
#include "sys/text_files.h"
#include "text/special.h"

#define WINDOW_BYTES ((size_t)4 << 20) /* of a file, in memory; room for two of the longest words */
#define READ_BYTES ((size_t)64 << 10)  /* at a time: used while it is in the CPU's cache */

/* A window of the present file: bytes[at..end) are read and not yet given out. */
struct w_documents {
    struct w_document_options options;
    struct w_text_files files;
    bool is_open, at_eof;
    enum w_format format; /* of the present file */
    u8 *bytes;
    size_t at, end, room;
    u64 base;                /* offset of the window in the file */
    u64 document_left;       /* bytes that may still be given of the present document */
    u64 text_left;           /* the same of all text */
    bool inside;             /* wiki: after a <doc> line */
    bool cut;                /* the document gave a piece already */
    struct w_json_line json; /* holds the text given out last */
    struct w_buffer normal;  /* with options.nfc: text in NFC */
    size_t given;            /* bytes of `normal` that were given out */
};

enum w_format w_format_guess(const u8 *bytes, size_t size, bool is_all)
{
    static const char blanks[] = {' ', '\t', '\r'}, tag[] = {'<', 'd', 'o', 'c', ' '};
    const u8 *newline = size ? memchr(bytes, '\n', size) : NULL;
    size_t end = newline ? (size_t)(newline - bytes) : size, inside = 1;

    if (size >= sizeof tag && !memcmp(bytes, tag, sizeof tag))
        return W_FORMAT_WIKI;
    if (end == 0 || bytes[0] != '{')
        return W_FORMAT_PLAIN;
    while (memchr(blanks, bytes[end - 1], sizeof blanks)) /* ends at the brace */
        end--;
    while (inside < end && memchr(blanks, bytes[inside], sizeof blanks))
        inside++;
    bool begins = inside < end && (bytes[inside] == '"' || bytes[inside] == '}');
    /* A first line longer than the bytes seen is taken for an object: prose has shorter ones. */
    bool ends = bytes[end - 1] == '}' || (!newline && !is_all);
    return begins && ends ? W_FORMAT_JSONL : W_FORMAT_PLAIN;
}

enum w_status w_documents_open(struct w_documents **documents,
                               const struct w_document_options *options, struct w_err *err)
{
    struct w_documents *d = calloc(1, sizeof *d);

    *documents = d;
    if (d) {
        d->options = *options;
        d->files = (struct w_text_files){.list = options->files,
                                         .binary = options->binary,
                                         .otherwise = "--binary takes any file as it is",
                                         .threads = options->threads};
        d->document_left = options->document_bytes_max;
        d->text_left = options->text_bytes_max;
        d->room = WINDOW_BYTES;
        d->bytes = malloc(d->room);
    }
    if (!d || !d->bytes) {
        w_documents_close(documents);
        return w_fail(err, W_NOMEM, "no memory to read documents");
    }
    return W_DONE;
}

void w_documents_close(struct w_documents **documents)
{
    struct w_documents *d = *documents;

    *documents = NULL;
    if (!d)
        return;
    w_text_files_release(&d->files);
    w_json_line_release(&d->json);
    w_buffer_free(&d->normal);
    free(d->bytes);
    free(d);
}

u64 w_documents_bytes(const struct w_documents *d)
{
    return w_text_files_bytes(&d->files);
}

const struct w_kind_counts *w_documents_left_out(const struct w_documents *d)
{
    return &d->files.left_out;
}

const struct w_kind_counts *w_documents_doubtful(const struct w_documents *d)
{
    return &d->files.doubtful;
}

/* ---- the window ---- */

/* Move unused bytes to the front and read more: as many as these at least, so that looking at them
 * again after each time is linear. */
static enum w_status fill(struct w_documents *d, struct w_err *err)
{
    size_t got;

    memmove(d->bytes, d->bytes + d->at, d->end - d->at);
    d->end -= d->at;
    d->base += d->at;
    d->at = 0;
    const size_t size = W_MIN(d->room - d->end, W_MAX(d->end, READ_BYTES));
    enum w_status status = w_unpack_read(d->files.unpack, d->bytes + d->end, size, &got, err);
    d->at_eof = got < size;
    d->end += got;
    return status;
}

/* Nothing more fits into the window. */
static bool is_full(const struct w_documents *d)
{
    return d->end - d->at == d->room;
}

/* Are these bytes at offset i? */
static bool starts(const struct w_documents *d, size_t i, const char *text)
{
    size_t size = strlen(text);
    return d->end - i >= size && !memcmp(d->bytes + i, text, size);
}

/* The offset of the next newline from i on, or of the end of the window. */
static size_t line_end(const struct w_documents *d, size_t i)
{
    const u8 *newline = memchr(d->bytes + i, '\n', d->end - i);
    return newline ? (size_t)(newline - d->bytes) : d->end;
}

static enum w_status open_next(struct w_documents *d, struct w_err *err)
{
    enum w_status status = w_text_files_next(&d->files, err);

    if (status)
        return status;
    d->is_open = true;
    d->at = d->end = 0;
    d->base = 0;
    d->inside = d->cut = false;
    w_json_line_release(&d->json);
    w_json_line_init(&d->json, d->options.field);
    status = fill(d, err);
    size_t mark = w_utf8_mark(d->bytes, d->end);
    d->format = d->options.format;
    if (d->format == W_FORMAT_AUTO)
        d->format = w_format_guess(d->bytes + mark, d->end - mark, d->at_eof);
    if (d->format != W_FORMAT_PLAIN) /* which is the file, byte for byte */
        d->at = mark;
    return status;
}

/* ---- pieces ---- */

/* Give out bytes[at..end) as a piece and go on at `next`. */
static void give(struct w_documents *d, size_t end, size_t next, bool ends,
                 struct w_text_piece *piece)
{
    *piece = (struct w_text_piece){.text = d->bytes + d->at, .size = end - d->at, .ends = ends};
    d->at = next;
    d->cut = !ends;
}

/* Where the part of a document that is in the window can be cut. Not at its start if the window is
 * full. What is to be normalised is cut at words after that. */
static size_t part_end(const struct w_documents *d)
{
    const struct w_document_options *o = &d->options;
    const u8 *part = d->bytes + d->at;
    const size_t size = d->end - d->at;

    return d->at + (o->nfc ? w_specials_nfc_cut(o->specials, part, size)
                           : w_specials_cut(o->specials, o->split, part, size));
}

/* Give out the first part of a document that is longer than the window. */
static void give_part(struct w_documents *d, struct w_text_piece *piece)
{
    size_t cut = part_end(d);

    give(d, cut, cut, false, piece);
}

/* Each of the following gives the next piece of the present file, or W_END after the last. */

static enum w_status next_plain(struct w_documents *d, struct w_text_piece *piece,
                                struct w_err *err)
{
    enum w_status status = W_DONE;
    size_t cut = d->at;

    while (!status && !d->at_eof && cut == d->at) {
        if (!is_full(d))
            status = fill(d, err);
        cut = part_end(d);
    }
    if (status)
        return status;
    if (!d->at_eof)
        give(d, cut, cut, false, piece);
    else if (d->at < d->end || d->cut)
        give(d, d->end, d->end, true, piece);
    else
        return W_END;
    return W_DONE;
}

static enum w_status next_line(struct w_documents *d, struct w_text_piece *piece, struct w_err *err)
{
    enum w_status status = W_DONE;

    for (;; status = fill(d, err)) {
        if (status)
            return status;
        while (!d->cut && d->at < d->end && d->bytes[d->at] == '\n')
            d->at++;
        size_t end = line_end(d, d->at);
        if (end < d->end || (d->at_eof && (d->at < d->end || d->cut))) {
            give(d, end, end + (end < d->end), true, piece);
            return W_DONE;
        }
        if (d->at_eof)
            return W_END;
        if (is_full(d)) {
            give_part(d, piece);
            return W_DONE;
        }
    }
}

/* Find the line `</doc>`. False if it is not in the window as a whole. */
static bool find_close(const struct w_documents *d, size_t *line, size_t *next)
{
    static const char tag[] = "</doc>";
    const size_t size = sizeof tag - 1;

    for (size_t i = d->at; i < d->end; i++) {
        /* memchr() for the rare '<' takes a third of the time of comparing at each byte */
        const u8 *found = memchr(d->bytes + i, '<', d->end - i);
        if (!found)
            return false;
        i = (size_t)(found - d->bytes);
        size_t after = i + size;
        if (!starts(d, i, tag))
            continue;
        if (after < d->end && d->bytes[after] == '\r')
            after++;
        bool at_start = i == d->at ? !d->cut : d->bytes[i - 1] == '\n';
        bool at_end = after < d->end ? d->bytes[after] == '\n' : d->at_eof;
        if (at_start && at_end) {
            *line = i;
            *next = W_MIN(after + 1, d->end);
            return true;
        }
    }
    return false;
}

/* Go past the next line `<doc ...>`. W_END if there is none, W_NO if more has to be read first. */
static enum w_status enter_block(struct w_documents *d, struct w_err *err)
{
    while (d->at < d->end && memchr(" \r\n", d->bytes[d->at], 3))
        d->at++;
    if (d->at == d->end)
        return d->at_eof ? W_END : W_NO;
    size_t end = line_end(d, d->at), last = end;
    if (end == d->end && !d->at_eof && !is_full(d))
        return W_NO;
    while (last > d->at && (d->bytes[last - 1] == '\r' || d->bytes[last - 1] == ' '))
        last--;
    if (!starts(d, d->at, "<doc ") || d->bytes[last - 1] != '>')
        return w_fail(err, W_CORRUPT,
                      "%s: byte %llu: neither a <doc ...> line nor inside a block (is it another "
                      "format?)",
                      d->files.in.name, (unsigned long long)(d->base + d->at));
    d->at = W_MIN(end + 1, d->end);
    d->inside = true;
    return W_DONE;
}

static enum w_status next_block(struct w_documents *d, struct w_text_piece *piece,
                                struct w_err *err)
{
    for (;;) {
        enum w_status status = d->inside ? W_DONE : enter_block(d, err);
        size_t line, next;
        if (status && status != W_NO)
            return status;
        if (!status && find_close(d, &line, &next)) {
            d->inside = false;
            while (line > d->at && (d->bytes[line - 1] == '\n' || d->bytes[line - 1] == '\r'))
                line--;
            if (line > d->at || d->cut) {
                give(d, line, next, true, piece);
                return W_DONE;
            }
            d->at = next;
            continue;
        }
        if (d->at_eof)
            return w_fail(err, W_TRUNCATED, "%s: ends inside a <doc> block", d->files.in.name);
        if (!status && is_full(d)) {
            give_part(d, piece);
            return W_DONE;
        }
        status = fill(d, err);
        if (status)
            return status;
    }
}

static enum w_status next_object(struct w_documents *d, struct w_text_piece *piece,
                                 struct w_err *err)
{
    struct w_json_line *json = &d->json;
    enum w_status status = W_DONE;
    size_t used;

    while (!status) {
        if (d->at == d->end && d->at_eof) {
            status = w_json_line_end(json, err);
        } else {
            if (d->at == d->end)
                status = fill(d, err);
            if (status)
                return status;
            status = w_json_line_feed(json, d->bytes + d->at, d->end - d->at, &used, err);
            d->at += used;
        }
        if (status == W_NO)
            status = W_DONE;
        else if (!status && json->has_text && json->text.size) {
            *piece = (struct w_text_piece){json->text.at, json->text.size, true};
            return W_DONE;
        }
    }
    return status == W_END ? W_END : w_fail_at(err, status, "%s", d->files.in.name);
}

/* The next piece of all files, without limits. */
static enum w_status next_piece(struct w_documents *d, struct w_text_piece *piece,
                                struct w_err *err)
{
    for (;;) {
        enum w_status status = d->is_open ? W_DONE : open_next(d, err);
        if (status)
            return status;
        switch (d->format) {
        case W_FORMAT_LINES: status = next_line(d, piece, err); break;
        case W_FORMAT_WIKI: status = next_block(d, piece, err); break;
        case W_FORMAT_JSONL: status = next_object(d, piece, err); break;
        default: status = next_plain(d, piece, err);
        }
        if (status != W_END)
            return status;
        d->is_open = false;
    }
}

/* The same in NFC. What is after the last certain end of a word waits for the next piece. */
static enum w_status next_normalised(struct w_documents *d, struct w_text_piece *piece,
                                     struct w_err *err)
{
    const struct w_document_options *o = &d->options;
    struct w_buffer *n = &d->normal;
    enum w_status status = W_DONE;
    bool certain = false;

    n->size -= d->given;
    if (n->size)
        memmove(n->at, n->at + d->given, n->size);
    d->given = 0;
    while (!status && !certain) {
        status = next_piece(d, piece, err);
        if (!status)
            status = w_specials_normalize(o->specials, n, piece->text, piece->size, err);
        if (!status)
            d->given =
                piece->ends ? n->size : w_specials_cut(o->specials, o->split, n->at, n->size);
        certain = !status && (piece->ends || d->given > 0);
    }
    if (!status)
        *piece = (struct w_text_piece){.text = n->at, .size = d->given, .ends = piece->ends};
    return status;
}

/* Cut a piece to what is left of a limit. After a cut nothing is left, so that later pieces are
 * empty. */
static void limit_piece(const struct w_documents *d, struct w_text_piece *piece, u64 *left)
{
    if (piece->size > *left) {
        piece->size = w_specials_cut(d->options.specials, d->options.split, piece->text, *left);
        *left = 0;
    } else {
        *left -= piece->size;
    }
}

enum w_status w_documents_next(struct w_documents *d, struct w_text_piece *piece, struct w_err *err)
{
    const struct w_document_options *o = &d->options;

    if (o->text_bytes_max && d->text_left == 0)
        return W_END;
    enum w_status status = o->nfc ? next_normalised(d, piece, err) : next_piece(d, piece, err);
    if (status)
        return status;
    if (o->document_bytes_max)
        limit_piece(d, piece, &d->document_left);
    if (o->text_bytes_max) {
        limit_piece(d, piece, &d->text_left);
        piece->ends |= d->text_left == 0;
    }
    if (piece->ends)
        d->document_left = o->document_bytes_max;
    return W_DONE;
}
