/* json_span.h - where a value stands in the text of a JSON object.
 *
 * Whoever changes one string of an object that others wrote changes its bytes alone: numbers, names,
 * blanks and the order of the rest stay as they were written. A parser has to have found the text right
 * before (json.h). */
#ifndef W_JSON_SPAN_H
#define W_JSON_SPAN_H

#include "base/base.h"

/* The value of a member of an object, by the member's place from 0 on: a pointer into the object, with
 * the quotes if it is a string. NULL if there are not so many. */
const char *w_json_span(const char *object, size_t size, size_t index, size_t *value_size);

#endif
