#include "sys/xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#define MARKUP_BYTES (1ull << 20) /* expat holds a piece of markup whole, and looks at it again */
#define SLICE_BYTES ((size_t)64 << 10) /* for expat at a time: stays in the cache */

struct w_xml {
    XML_Parser parser;
    struct w_unpack *unpack;
    const char *name;
    const struct w_xml_handlers *handlers;
    void *context;
    const u8 *bytes; /* given by unpack, not yet to expat */
    size_t size;
    u64 given; /* bytes that the present parser got */
    u64 base;  /* offset of its first byte */
    unsigned depth;
    bool paused;          /* resume before more is given */
    bool complete;        /* the outermost element is closed */
    bool started;         /* a document has begun */
    enum w_status status; /* what a handler said */
    struct w_err *err;
};

static void stop(struct w_xml *x, enum w_status status)
{
    /* While it stops, expat may still report the end of an element without content. */
    if (!x->status)
        x->status = status;
    XML_StopParser(x->parser, x->status == W_END && !x->complete);
}

static void on_start(void *context, const char *name, const char **attributes)
{
    struct w_xml *x = context;

    if (++x->depth > W_XML_DEEPEST)
        stop(x, w_fail(x->err, W_LIMIT, "elements are nested more than %d deep", W_XML_DEEPEST));
    if (x->status)
        return;
    enum w_status status =
        x->handlers->start(x->context, name, (const char *const *)attributes, x->err);
    if (status)
        stop(x, status);
}

static void on_end(void *context, const char *name)
{
    struct w_xml *x = context;
    enum w_status status = W_DONE;

    x->complete = --x->depth == 0;
    if (!x->status || x->status == W_END)
        status = x->handlers->end(x->context, name, x->err);
    if (status || x->complete)
        stop(x, status ? status : W_END);
}

static void on_text(void *context, const char *bytes, int size)
{
    struct w_xml *x = context;

    if (x->status)
        return;
    enum w_status status = x->handlers->text(x->context, bytes, (size_t)size, x->err);
    if (status)
        stop(x, status);
}

static void on_doctype(void *context, const char *name, const char *system, const char *public,
                       int internal)
{
    struct w_xml *x = context;

    (void)name, (void)system, (void)public, (void)internal;
    stop(x, w_fail(x->err, W_CORRUPT, "a document type (DTD), which no dump has"));
}

enum w_status w_xml_new(struct w_xml **xml, struct w_unpack *unpack, const char *name,
                        const struct w_xml_handlers *handlers, void *context, struct w_err *err)
{
    struct w_xml *x = calloc(1, sizeof *x);

    *xml = NULL;
    if (x)
        x->parser = XML_ParserCreate(NULL);
    if (!x || !x->parser) {
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
    if (x && x->parser)
        XML_ParserFree(x->parser);
    free(x);
}

u64 w_xml_offset(const struct w_xml *x)
{
    XML_Index index = XML_GetCurrentByteIndex(x->parser);
    return x->base + (index > 0 ? (u64)index : 0);
}

enum w_status w_xml_begin(struct w_xml *x, struct w_err *err)
{
    x->base += x->given;
    x->given = 0;
    for (;;) {
        /* A zero is the other half of a space in UTF-16. */
        while (x->size && memchr(" \t\r\n", *x->bytes, 5))
            x->bytes++, x->size--, x->base++;
        if (x->size)
            break;
        enum w_status status = w_unpack_next(x->unpack, &x->bytes, &x->size, err);
        if (status == W_END && !x->started)
            return w_fail(err, W_TRUNCATED, "%s: empty", x->name);
        if (status)
            return status;
    }
    if (!XML_ParserReset(x->parser, NULL))
        return w_fail(err, W_NOMEM, "no memory to read XML");
    XML_SetUserData(x->parser, x);
    XML_SetElementHandler(x->parser, on_start, on_end);
    XML_SetCharacterDataHandler(x->parser, on_text);
    XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
    x->depth = 0;
    x->paused = x->complete = false;
    x->started = true;
    return W_DONE;
}

static enum w_status fail_here(const struct w_xml *x, enum w_status status, struct w_err *err)
{
    return w_fail_at(err, status, "%s: line %llu, byte %llu of the XML", x->name,
                     (unsigned long long)XML_GetCurrentLineNumber(x->parser),
                     (unsigned long long)w_xml_offset(x));
}

/* The document's last byte has been seen: what expat got behind it belongs to the next one. */
static void give_back(struct w_xml *x)
{
    u64 end = (u64)XML_GetCurrentByteIndex(x->parser) + (u64)XML_GetCurrentByteCount(x->parser);
    size_t rest = (size_t)(x->given - end);

    x->bytes -= rest;
    x->size += rest;
    x->given = end;
}

/* What expat said about the bytes that it was given. */
static enum w_status judge(struct w_xml *x, enum XML_Status result, u64 slice, struct w_err *err)
{
    if (x->status && x->status != W_END)
        return fail_here(x, x->status, err);
    if (x->complete) {
        give_back(x);
        return W_END;
    }
    if (result == XML_STATUS_SUSPENDED) {
        x->paused = true;
        return W_DONE;
    }
    if (result == XML_STATUS_ERROR) {
        enum XML_Error error = XML_GetErrorCode(x->parser);
        enum w_status status = error == XML_ERROR_NO_MEMORY
                                   ? w_fail(err, W_NOMEM, "no memory to read XML")
                                   : w_fail(err, W_CORRUPT, "%s", XML_ErrorString(error));
        return fail_here(x, status, err);
    }
    u64 held = x->base + x->given - w_xml_offset(x);
    if (held > MARKUP_BYTES + slice)
        return fail_here(x, w_fail(err, W_LIMIT, "markup of more than %llu bytes", MARKUP_BYTES),
                         err);
    return W_DONE;
}

enum w_status w_xml_run(struct w_xml *x, struct w_err *err)
{
    enum w_status status = W_DONE;

    if (x->complete)
        return W_END;
    x->err = err;
    x->status = W_DONE;
    if (x->paused) {
        x->paused = false;
        status = judge(x, XML_ResumeParser(x->parser), SLICE_BYTES, err);
    }
    while (!status && !x->paused) {
        if (x->size == 0) {
            status = w_unpack_next(x->unpack, &x->bytes, &x->size, err);
            if (status == W_END)
                return w_fail(err, W_TRUNCATED,
                              "%s: the XML ends at byte %llu, before its last tag", x->name,
                              (unsigned long long)(x->base + x->given));
            if (status)
                return status;
        }
        size_t slice = W_MIN(x->size, SLICE_BYTES);
        x->bytes += slice;
        x->size -= slice;
        x->given += slice;
        status = judge(x, XML_Parse(x->parser, (const char *)x->bytes - slice, (int)slice, 0),
                       slice, err);
    }
    return status;
}
