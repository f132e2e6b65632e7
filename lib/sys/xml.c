/* A parser for machine-written XML, without recursion or backtracking.
 *
 * A window of a little more than 1 MiB moves over the input. Each step takes one tag, comment or
 * run of text; when the window does not hold all of it, more is read and the step begins again.
 * Text runs are found by memchr() and a table of special bytes, and copied once, to the caller's
 * buffer; so the cost is about that of copying. Element names are kept on a stack, one after
 * another in a buffer, to match the closing tags. */
#include "sys/xml.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "sys/utf16.h"

#define MARKUP_BYTES ((size_t)1 << 20) /* longest tag, comment... */
#define CHUNK_BYTES ((size_t)64 << 10) /* read into the window at a time: stays in the cache */
#define WINDOW_BYTES (MARKUP_BYTES + W_UTF16_ROOM(CHUNK_BYTES))
#define MOST_ATTRIBUTES 64
#define REFERENCE_BYTES ((size_t)40) /* longest "&#...;", with zeros before the number */

struct w_xml {
    struct w_unpack *unpack;
    const char *name;
    const struct w_xml_handlers *handlers;
    void *context;
    const u8 *packed; /* given by unpack, not yet in the window */
    size_t packed_size;
    enum w_status ended; /* unpacking, once what came before is read; W_DONE: it has not */
    struct w_err ended_err;
    u8 *window; /* [at, end) is not read yet */
    size_t at, end;
    u64 base;    /* offset of the window in the file */
    bool any;    /* a document has begun */
    bool looked; /* at the file's first bytes, which say whether it is UTF-16 */
    bool is_utf16;
    struct w_utf16 utf16;
    struct w_buffer names; /* of the open elements, each with a zero */
    size_t name_at[W_XML_DEEPEST];
    unsigned depth;
    bool complete; /* the outermost element is closed */
    struct w_buffer attributes;
    struct w_buffer *into; /* where text goes, or NULL */
    size_t most;
    bool skips_newline; /* see struct text */
};

/* ---- the window ---- */

enum w_status w_xml_new(struct w_xml **xml, struct w_unpack *unpack, const char *name,
                        const struct w_xml_handlers *handlers, void *context, struct w_err *err)
{
    struct w_xml *x = calloc(1, sizeof *x);

    *xml = NULL;
    if (x)
        x->window = malloc(WINDOW_BYTES);
    if (!x || !x->window) {
        w_xml_free(x);
        return w_fail(err, W_NOMEM, "no memory to read XML");
    }
    x->unpack = unpack;
    x->name = name;
    x->handlers = handlers;
    x->context = context;
    *xml = x;
    return W_DONE;
}

void w_xml_free(struct w_xml *x)
{
    if (!x)
        return;
    w_buffer_free(&x->names);
    w_buffer_free(&x->attributes);
    free(x->window);
    free(x);
}

static enum w_status fail_here(const struct w_xml *x, enum w_status status, struct w_err *err)
{
    return w_fail_at(err, status, "%s: byte %llu of the XML", x->name,
                     (unsigned long long)(x->base + x->at));
}

static enum w_status broken(const struct w_xml *x, const char *what, struct w_err *err)
{
    return fail_here(x, w_fail(err, W_CORRUPT, "%s", what), err);
}

/* Does the file begin with a byte order mark of UTF-16? */
static void look(struct w_xml *x)
{
    x->looked = true;
    if (x->packed_size >= 2 && x->packed[0] + x->packed[1] == 0xfe + 0xff) {
        x->is_utf16 = true;
        x->utf16.big_endian = x->packed[0] == 0xfe;
    }
}

/* Move the unread bytes to the front and read a whole chunk after them, if there is one, since the
 * unread bytes are scanned again each time. W_END at the end of the file. */
static enum w_status fill(struct w_xml *x, struct w_err *err)
{
    if (x->end - x->at >= MARKUP_BYTES)
        return fail_here(x, w_fail(err, W_LIMIT, "markup of more than %zu bytes", MARKUP_BYTES),
                         err);
    memmove(x->window, x->window + x->at, x->end - x->at);
    x->base += x->at;
    x->end -= x->at;
    x->at = 0;
    for (size_t got = 0; got < CHUNK_BYTES;) {
        if (x->packed_size == 0 && !x->ended)
            x->ended = w_unpack_next(x->unpack, &x->packed, &x->packed_size, &x->ended_err);
        if (x->ended && got > 0)
            return W_DONE;
        if (x->ended) {
            *err = x->ended_err;
            return x->ended;
        }
        if (!x->looked)
            look(x);
        size_t chunk = W_MIN(x->packed_size, CHUNK_BYTES - got);
        if (x->is_utf16) {
            x->end += w_utf16_convert(&x->utf16, x->packed, chunk, x->window + x->end);
        } else {
            memcpy(x->window + x->end, x->packed, chunk);
            x->end += chunk;
        }
        x->packed += chunk;
        x->packed_size -= chunk;
        got += chunk;
    }
    return W_DONE;
}

static bool is_blank(u8 c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Are these bytes next? Sets *more if they may be, but the window ends before the last of them. */
static bool is_next(const struct w_xml *x, const char *text, bool *more)
{
    size_t size = strlen(text), left = x->end - x->at;
    bool same = !memcmp(x->window + x->at, text, W_MIN(size, left));

    *more |= same && left < size;
    return same && left >= size;
}

/* Skip markup that begins with `open` and ends with `close`. W_NO if its end is not in the
 * window. */
static enum w_status skip(struct w_xml *x, const char *open, const char *close)
{
    const u8 *from = x->window + x->at + strlen(open);
    const u8 *found = memmem(from, (size_t)(x->window + x->end - from), close, strlen(close));

    if (!found)
        return W_NO;
    x->at = (size_t)(found - x->window) + strlen(close);
    return W_DONE;
}

/* Skip what is allowed between documents. W_NO if more has to be read first. */
static enum w_status skip_between(struct w_xml *x)
{
    enum w_status status = W_DONE;

    while (!status) {
        bool more = false;
        while (x->at < x->end && is_blank(x->window[x->at]))
            x->at++;
        if (is_next(x, "\xef\xbb\xbf", &more)) /* byte order mark */
            x->at += 3;
        else if (is_next(x, "<!--", &more))
            status = skip(x, "<!--", "-->");
        else if (is_next(x, "<?", &more))
            status = skip(x, "<?", "?>");
        else
            return more ? W_NO : W_DONE;
    }
    return status;
}

enum w_status w_xml_begin(struct w_xml *x, struct w_err *err)
{
    enum w_status status = W_DONE;

    while (!status && skip_between(x) == W_NO)
        status = fill(x, err);
    if (status == W_END && x->at < x->end) {
        if (x->window[x->at] != '<')
            return broken(x, "not XML", err);
        status = W_DONE; /* w_xml_run() reports that it is cut short */
    }
    if (status == W_END && !x->any)
        return w_fail(err, W_TRUNCATED, "%s: empty", x->name);
    x->any = true;
    x->depth = 0;
    x->names.size = 0;
    x->complete = x->skips_newline = false;
    x->into = NULL;
    return status;
}

void w_xml_collect(struct w_xml *x, struct w_buffer *into, size_t most)
{
    x->into = into;
    x->most = most;
}

/* ---- text ---- */

bool w_xml_is_char(u32 code)
{
    return code < 0x20 ? code == '\t' || code == '\n' || code == '\r'
                       : code <= 0x10ffff && (code < 0xd800 || code >= 0xe000) && code != 0xfffe &&
                             code != 0xffff;
}

size_t w_xml_number(const u8 *digits, size_t size, bool hex, u32 *code)
{
    size_t i = 0;

    for (*code = 0; i < size; i++) {
        u32 digit = (u8)(digits[i] - '0') < 10                  ? digits[i] - (u32)'0'
                    : hex && (u8)((digits[i] | 0x20) - 'a') < 6 ? (digits[i] | 0x20u) - 'a' + 10
                                                                : 99;
        if (digit == 99)
            break;
        *code = W_MIN(*code * (hex ? 16 : 10) + digit, W_XML_NO_CHAR);
    }
    return i;
}

/* Length of the UTF-8 sequence of a character that XML allows, else 0. *more: its rest may follow
 * after the end. */
static size_t sequence(const u8 *p, size_t size, bool *more)
{
    u32 code;
    size_t length = w_utf8_decode(p, size, &code);

    *more = length == 0 && w_utf8_is_cut(p, size);
    return length && w_xml_is_char(code) ? length : 0;
}

/* The character of a reference "&...;" of `size` bytes, or 0. */
static u32 reference(const u8 *p, size_t size)
{
    static const struct {
        const char *name;
        u32 code;
    } names[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
    bool hex = size > 3 && p[2] == 'x';
    size_t from = hex ? 3 : 2;
    u32 code;

    for (size_t i = 0; i < W_COUNTOF(names); i++)
        if (strlen(names[i].name) == size && !memcmp(names[i].name, p, size))
            return names[i].code;
    if (size < 4 || p[1] != '#' ||
        w_xml_number(p + from, size - 1 - from, hex, &code) != size - 1 - from)
        return 0;
    return w_xml_is_char(code) ? code : 0; /* without digits it is 0, which is not allowed */
}

/* 1: bytes that end a run of text that is copied unchanged. */
static const u8 is_special[256] = {
    [0 ... 8] = 1, [11 ... 31] = 1, ['<'] = 1, ['&'] = 1, [0x80 ... 0xff] = 1,
};

/* The state of copying a text. */
struct text {
    bool raw;           /* CDATA: '<' and '&' are themselves */
    bool skips_newline; /* the last byte was a carriage return */
    const char *wrong;  /* what stopped it, or NULL */
};

/* Append bytes[0..size) to out, which has room for them, with references replaced by their
 * characters. Returns the bytes used: all, or those before an incomplete reference or character, or
 * before an error. */
static size_t put_text(struct w_buffer *out, const u8 *bytes, size_t size, struct text *t)
{
    size_t i = 0;

    while (i < size) {
        size_t from = i;
        bool more = false;
        if (t->skips_newline) {
            t->skips_newline = false;
            i += bytes[i] == '\n';
            continue;
        }
        while (i < size && !is_special[bytes[i]])
            i++;
        while (i < size && bytes[i] >= 0x80) {
            size_t length = sequence(bytes + i, size - i, &more);
            if (length == 0)
                break;
            i += length;
        }
        memcpy(out->at + out->size, bytes + from, i - from);
        out->size += i - from;
        if (i == size || more)
            break;
        if (t->raw && (bytes[i] == '<' || bytes[i] == '&')) {
            out->at[out->size++] = bytes[i++];
        } else if (bytes[i] == '&') {
            const u8 *end = memchr(bytes + i, ';', W_MIN(size - i, REFERENCE_BYTES));
            u32 code = end ? reference(bytes + i, (size_t)(end - bytes) - i + 1) : 0;
            if (!end && size - i < REFERENCE_BYTES)
                break;
            if (!code)
                t->wrong = "a reference that only a document type could explain";
            out->size += code ? w_utf8_put(out->at + out->size, code) : 0;
            i = code ? (size_t)(end - bytes) + 1 : i;
        } else if (bytes[i] == '\r') { /* ends a line, alone or before a newline */
            out->at[out->size++] = '\n';
            t->skips_newline = true;
            i++;
        } else if (is_special[bytes[i]]) {
            t->wrong = bytes[i] < 0x80 ? "a character that XML must not have"
                                       : "not UTF-8 (iconv can convert it)";
        }
        if (t->wrong)
            break;
    }
    return i;
}

/* Append a part of an element's text to the caller's buffer. Returns the bytes used. */
static size_t collect(struct w_xml *x, const u8 *bytes, size_t size, bool raw,
                      enum w_status *status, struct w_err *err)
{
    struct text text = {.raw = raw, .skips_newline = x->skips_newline};

    if (!x->into)
        return size;
    if (!w_buffer_room(x->into, size)) {
        *status = w_fail(err, W_NOMEM, "no memory for text");
        return 0;
    }
    size_t used = put_text(x->into, bytes, size, &text);
    x->skips_newline = text.skips_newline;
    x->at = (size_t)(bytes - x->window) + used;
    if (text.wrong)
        *status = broken(x, text.wrong, err);
    else if (x->into->size > x->most)
        *status = fail_here(
            x, w_fail(err, W_LIMIT, "an element with more than %zu bytes of text", x->most), err);
    return used;
}

/* Read text up to the next '<' or the end of the window. W_NO if more has to be read first. */
static enum w_status read_text(struct w_xml *x, struct w_err *err)
{
    const u8 *from = x->window + x->at, *found = memchr(from, '<', x->end - x->at);
    size_t size = found ? (size_t)(found - from) : x->end - x->at, used;
    enum w_status status = W_DONE;

    if (x->depth == 0)
        for (size_t i = 0; i < size; i++)
            if (!is_blank(from[i]))
                return broken(x, "text outside of the elements: is it XML?", err);
    used = collect(x, from, size, false, &status, err);
    x->at = (size_t)(from - x->window) + used;
    if (status)
        return status;
    if (used < size && found)
        return broken(x, "a reference or a character that is cut short", err);
    return found ? W_DONE : W_NO;
}

/* ---- tags ---- */

static bool ends_name(u8 c)
{
    return is_blank(c) || c == '/' || c == '>' || c == '=' || c == '<' || c == '"' || c == '\'';
}

/* Cut the next `name="value"` from a tag. False if it is not well-formed. */
static bool cut_attribute(struct w_xml *x, const u8 **at, const u8 *end, const char **name,
                          const char **value)
{
    struct w_buffer *out = &x->attributes;
    const u8 *p = *at, *from = p, *close;
    struct text text = {0};

    while (p < end && !ends_name(*p))
        p++;
    *name = (const char *)out->at + out->size;
    memcpy(out->at + out->size, from, (size_t)(p - from));
    out->size += (size_t)(p - from);
    out->at[out->size++] = 0;
    if (p == from)
        return false;
    while (p < end && is_blank(*p))
        p++;
    if (p == end || *p++ != '=')
        return false;
    while (p < end && is_blank(*p))
        p++;
    if (p == end || (*p != '"' && *p != '\'') ||
        !(close = memchr(p + 1, *p, (size_t)(end - p - 1))))
        return false;
    from = p + 1;
    *value = (const char *)out->at + out->size;
    if (put_text(out, from, (size_t)(close - from), &text) != (size_t)(close - from))
        return false;
    out->at[out->size++] = 0;
    *at = close + 1;
    return true;
}

static enum w_status end_element(struct w_xml *x, struct w_err *err)
{
    x->names.size = x->name_at[--x->depth];
    x->complete = x->depth == 0;
    x->into = NULL;
    enum w_status status = x->handlers->end(x->context, err);
    return status && status != W_END ? fail_here(x, status, err) : status;
}

/* A start tag: the bytes after '<', up to '>'. */
static enum w_status read_start(struct w_xml *x, const u8 *tag, const u8 *end, struct w_err *err)
{
    const char *attributes[2 * MOST_ATTRIBUTES + 1];
    bool closed = end > tag && end[-1] == '/';
    const u8 *p = tag;
    size_t count = 0;

    end -= closed;
    while (p < end && !ends_name(*p))
        p++;
    if (p == tag)
        return broken(x, "a tag without a name", err);
    if (x->depth == W_XML_DEEPEST)
        return fail_here(
            x, w_fail(err, W_LIMIT, "elements are nested more than %d deep", W_XML_DEEPEST), err);
    x->name_at[x->depth++] = x->names.size;
    /* Each string of a tag ends with a NUL in the place of '=' or quotes: all together fit its
     * size. */
    x->attributes.size = 0;
    w_buffer_put(&x->names, tag, (size_t)(p - tag));
    w_buffer_byte(&x->names, 0);
    if (x->names.failed || !w_buffer_room(&x->attributes, (size_t)(end - tag) + 1))
        return w_fail(err, W_NOMEM, "no memory to read XML");
    while (p < end) {
        const u8 *from = p;
        while (p < end && is_blank(*p))
            p++;
        if (p == end)
            break;
        if (p == from || count == 2 * MOST_ATTRIBUTES ||
            !cut_attribute(x, &p, end, &attributes[count], &attributes[count + 1]))
            return broken(x, "a tag that is not well-formed", err);
        count += 2;
    }
    attributes[count] = NULL;
    x->into = NULL;
    enum w_status status = x->handlers->start(
        x->context, (const char *)x->names.at + x->name_at[x->depth - 1], attributes, err);
    if (status && status != W_END)
        return fail_here(x, status, err);
    enum w_status ended = closed ? end_element(x, err) : W_DONE;
    return ended ? ended : status;
}

static enum w_status read_end(struct w_xml *x, const u8 *tag, const u8 *end, struct w_err *err)
{
    while (end > tag && is_blank(end[-1]))
        end--;
    const char *name = x->depth ? (char *)x->names.at + x->name_at[x->depth - 1] : "";
    if (x->depth == 0 || strlen(name) != (size_t)(end - tag) ||
        memcmp(name, tag, (size_t)(end - tag)))
        return broken(x, "a closing tag that does not match", err);
    return end_element(x, err);
}

/* The '>' of the tag that begins at p, not one in quotes; or NULL. */
static const u8 *find_tag_end(const u8 *p, const u8 *end)
{
    u8 quote = 0;

    for (; p < end; p++)
        if (quote ? *p == quote : *p == '"' || *p == '\'')
            quote = quote ? 0 : *p;
        else if (!quote && *p == '>')
            return p;
    return NULL;
}

static enum w_status read_cdata(struct w_xml *x, const char *open, struct w_err *err)
{
    size_t from = x->at + strlen(open), after;
    enum w_status status = skip(x, open, "]]>");

    if (status)
        return status;
    after = x->at;
    if (collect(x, x->window + from, after - 3 - from, true, &status, err) < after - 3 - from &&
        !status)
        status = broken(x, "a character that is cut short", err);
    x->at = after;
    x->skips_newline = false;
    return status;
}

/* Read markup, which begins with '<'. W_NO if more has to be read first. */
static enum w_status read_markup(struct w_xml *x, struct w_err *err)
{
    static const char cdata[] = "<![CDATA[";
    bool more = false;

    x->skips_newline = false;
    if (is_next(x, "<!--", &more))
        return skip(x, "<!--", "-->");
    if (is_next(x, cdata, &more))
        return x->depth ? read_cdata(x, cdata, err)
                        : broken(x, "text outside of the elements", err);
    if (more)
        return W_NO;
    if (is_next(x, "<?", &more))
        return skip(x, "<?", "?>");
    if (is_next(x, "<!", &more))
        return broken(x, "a document type (DTD), which no dump has", err);
    const u8 *tag = x->window + x->at + 1, *end = find_tag_end(tag, x->window + x->end);
    if (!end)
        return W_NO;
    enum w_status status =
        *tag == '/' ? read_end(x, tag + 1, end, err) : read_start(x, tag, end, err);
    x->at = (size_t)(end + 1 - x->window);
    return status;
}

enum w_status w_xml_run(struct w_xml *x, struct w_err *err)
{
    while (!x->complete) {
        enum w_status status = W_NO;
        if (x->at < x->end)
            status = x->window[x->at] == '<' ? read_markup(x, err) : read_text(x, err);
        if (status == W_NO)
            status = fill(x, err);
        else if (status == W_END)
            return W_DONE; /* a pause */
        if (status == W_END)
            return w_fail(err, W_TRUNCATED, "%s: the XML ends at byte %llu, before its last tag",
                          x->name, (unsigned long long)(x->base + x->end));
        if (status)
            return status;
    }
    return W_END;
}
