/* inlines.h - templates that stand for words in a sentence, and the words they stand for.
 *
 * Nearly every template is a box, a note or a source, and leaves nothing in the text. A few carry
 * words: {{convert|10|km|mi}}, {{lang|fr|bonjour}}, {{nowrap|...}}. This table has a pattern for each
 * of them; what is not in it is dropped. A table begins with the built-in rows and can be extended
 * and changed by a text file:
 *
 *     # a comment; a row is a name, "=" and what is put in the template's place
 *     nowrap   = {1}
 *     lang     = {2}
 *     nihongo  = {1}[ ({2}[, {3}])]
 *     flagicon =
 *
 * See inlines.c for the patterns, and wwiki(1) for users. */
#ifndef W_INLINES_H
#define W_INLINES_H

#include "base/status.h"
#include "wiki/span.h"

struct w_inline_table;

/* A table with the built-in rows. */
enum w_status w_inline_table_new(struct w_inline_table **, struct w_err *) W_MUST_CHECK;
void w_inline_table_free(struct w_inline_table *); /* accepts NULL */

/* Add the rows of a text file, whose text is given; a later row of a name replaces an earlier one.
 * An error names the line. */
enum w_status w_inline_table_add(struct w_inline_table *, struct w_span text,
                                 struct w_err *) W_MUST_CHECK;

#endif
