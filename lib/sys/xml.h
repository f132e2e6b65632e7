/* xml.h - XML that machines write, element by element, in bounded memory.
 *
 *     w_xml_new(&x, unpack, name, &handlers, context, &err);
 *     while (!(status = w_xml_begin(x, &err)))             // W_END: no more documents
 *         while (!(status = w_xml_run(x, &err)))           // W_END: this one is complete
 *             ...                                          // a handler asked for a pause
 *
 * Two handlers are called at the start and the end of each element. The text of an element is
 * collected where its start handler asked for that, and skipped otherwise. Several documents may
 * follow each other, as `cat` joins them. UTF-8 comes in, or UTF-16 with its byte order mark; valid
 * UTF-8 goes out.
 *
 * Dumps are 90 GB of text in few elements, so text has to be fast: here it takes a third of the
 * time that a general parser (expat) needs. Features that machine-written data does not use are
 * refused: document types, and with them entities other than &lt; &gt; &amp; &quot; &apos; and
 * numbers; also nesting deeper than 64 and markup of more than 1 MiB. Not checked: duplicate
 * attributes, and characters that names must not have. */
#ifndef W_XML_H
#define W_XML_H

#include "base/buffer.h"
#include "sys/unpack.h"

#define W_XML_DEEPEST 64 /* elements in elements */

/* May XML have this character? (Its "Char", https://www.w3.org/TR/xml/#charsets.) */
bool w_xml_is_char(u32 code);

/* The digits of a reference by number, such as those of "&#8211;" and "&#x2013;". Returns how many
 * there are; a number that is too large for a character gives W_XML_NO_CHAR. */
#define W_XML_NO_CHAR 0x110000u
size_t w_xml_number(const u8 *digits, size_t size, bool hex, u32 *code);

/* A handler returns W_DONE to go on, W_END for a pause after this tag, or fails. */
struct w_xml_handlers {
    /* attributes: name, value, name, value, ..., NULL */
    enum w_status (*start)(void *context, const char *name, const char *const *attributes,
                           struct w_err *err);
    enum w_status (*end)(void *context, struct w_err *err);
};

struct w_xml;

/* Handlers, context and name (for messages) stay the caller's. W_NOMEM. */
enum w_status w_xml_new(struct w_xml **, struct w_unpack *, const char *name,
                        const struct w_xml_handlers *, void *context,
                        struct w_err *err) W_MUST_CHECK;
void w_xml_free(struct w_xml *); /* accepts NULL */

/* Go to the next document. W_END if only white space, comments and instructions are left;
 * W_TRUNCATED: an empty input; W_CORRUPT: not XML; else as w_xml_run(). */
enum w_status w_xml_begin(struct w_xml *, struct w_err *err) W_MUST_CHECK;

/* Read until a handler asks for a pause, or the document ends: W_END. W_TRUNCATED: the input ends
 * before; W_CORRUPT: not well-formed, not UTF-8, or refused; W_LIMIT: nesting, markup or text over
 * its limit; W_NOMEM; else as w_unpack_next() and the handlers. Errors name the place. */
enum w_status w_xml_run(struct w_xml *, struct w_err *err) W_MUST_CHECK;

/* To be called by the start handler: append the element's text, up to the next tag, to `into`,
 * which may then have at most `most` bytes. */
void w_xml_collect(struct w_xml *, struct w_buffer *into, size_t most);

#endif
