/* member.h - where a value stands in the text of a JSON object.
 *
 * Whoever changes one string of an object that others wrote changes its bytes alone: numbers, names,
 * blanks and the order of the rest stay as they were written. A parser has to have found the text right
 * before (json.h). */
#ifndef W_MEMBER_H
#define W_MEMBER_H

#include "wiki/span.h"

/* The value of a member of an object, by its place from 0 on, with the quotes if it is a string; empty
 * if there are not so many. */
struct w_span w_member_value(struct w_span object, size_t index);

#endif
