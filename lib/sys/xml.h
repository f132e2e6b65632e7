/* xml.h - XML that machines write, element by element, in bounded memory. The only user of expat.
 *
 * What a document holds goes to three handlers as it is read:
 *
 *     w_xml_new(&x, unpack, name, &handlers, context, &err);
 *     while (!(status = w_xml_begin(x, &err)))             // W_END: no more documents
 *         while (!(status = w_xml_run(x, &err)))           // W_END: this one is complete
 *             ...                                          // a handler asked for a pause
 *
 * Several documents may follow each other, as `cat` joins them. UTF-8, UTF-16 and ISO 8859-1 come in,
 * valid UTF-8 goes to the handlers. Refused, because no machine needs them and attackers do: document
 * types and with them entities, deep nesting, a piece of markup of more than 1 MiB. */
#ifndef W_XML_H
#define W_XML_H

#include "sys/unpack.h"

#define W_XML_DEEPEST 64 /* elements in elements */

/* A handler returns W_DONE to go on, W_END for a pause behind this event, or fails. */
struct w_xml_handlers {
    /* attributes: name, value, name, value, ..., NULL */
    enum w_status (*start)(void *context, const char *name, const char *const *attributes,
                           struct w_err *err);
    enum w_status (*end)(void *context, const char *name, struct w_err *err);
    /* A piece of the text of the present element: a run of text may come in any number of pieces. */
    enum w_status (*text)(void *context, const char *bytes, size_t size, struct w_err *err);
};

struct w_xml;

/* Handlers and context stay the caller's, the name (for messages) as well. */
enum w_status w_xml_new(struct w_xml **, struct w_unpack *, const char *name,
                        const struct w_xml_handlers *, void *context,
                        struct w_err *err) W_MUST_CHECK;
void w_xml_free(struct w_xml *); /* accepts NULL */

/* Go to the next document. W_END if nothing but white space is left. */
enum w_status w_xml_begin(struct w_xml *, struct w_err *err) W_MUST_CHECK;

/* Read until a handler asks for a pause, or the document ends: W_END. W_TRUNCATED if the bytes end
 * before. Errors name the place. */
enum w_status w_xml_run(struct w_xml *, struct w_err *err) W_MUST_CHECK;

/* Where the present event is, in bytes of XML from the begin of the file. */
u64 w_xml_offset(const struct w_xml *);

#endif
