/* disambiguation.h - is a page only a list of what its name may mean? */
#ifndef W_DISAMBIGUATION_H
#define W_DISAMBIGUATION_H

#include "wiki/span.h"

/* By its title, "Mercury (disambiguation)", by the magic word, or by the template that marks
 * such pages in one of the largest wikis. */
bool w_is_disambiguation(struct w_span title, struct w_span source);

#endif
