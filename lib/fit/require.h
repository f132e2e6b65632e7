/* require.h - requirements that a configuration has to meet on a machine, as text:
 *
 *     ram<=80%,params<=30M,hours<=6,tok/s>=1000,attn@L2,l2.attention<=100%
 *
 * A requirement compares a figure (fit/figures.h) or a short name with a number, which may end in
 * %, or in a suffix of counts; or it is NAME@LEVEL: that kernel's working set fits that cache. A
 * figure that is not known meets no requirement. */
#ifndef W_REQUIRE_H
#define W_REQUIRE_H

#include "fit/evaluate.h"

/* Is called for each requirement in the order of the text; value: of its figure, as text. */
typedef void w_require_look(void *context, const struct w_fit *, const char *requirement,
                            const char *key, const char *value, bool holds);

/* W_DONE: all hold. W_NO: one does not hold; the first such one is named, with the value of its
 * figure. W_USAGE: one is not understood, wherever it is in the text. look may be NULL. */
enum w_status w_require_check(const struct w_fit *, const char *text, w_require_look *look,
                              void *context, struct w_err *) W_MUST_CHECK;

#endif
