/* json_span.h - find a value in the text of a JSON object.
 *
 * For changing one string of an object that another program wrote: its numbers, names, blanks and
 * order stay as they were written. The text must have passed the parser (json.h) before. */
#ifndef W_JSON_SPAN_H
#define W_JSON_SPAN_H

#include "base/base.h"

/* The value of a member of an object, by the member's place from 0 on: a pointer into the object,
 * with the quotes if it is a string. NULL if it has fewer members. */
const char *w_json_span(const char *object, size_t size, size_t index, size_t *value_size);

#endif
