/* entity.h - characters by name or number: &nbsp; &eacute; &#8211; &#x2013; */
#ifndef W_ENTITY_H
#define W_ENTITY_H

#include "wiki/span.h"

/* The character reference that begins with the '&' at text[0]. Returns its length in bytes; 0 if it
 * is none, or its number is that of no character: then the '&' is text. */
size_t w_entity_parse(struct w_span text, u32 *code);

#endif
