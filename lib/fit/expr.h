/* expr.h - arithmetic in text. The formulas of wcachefit are the text that is shown and the text
 * that is computed, so that the two cannot differ.
 *
 *     4*B*T*(L*(10*d + F) + 2*d)          + - * / ^ ( ), names, decimal numbers
 *     ceil(threads / l2.instances)        min max floor ceil sqrt
 *     if(decode <= l3.bytes, 1, 2)        <= >= < > give 1 or 0
 *
 * Values are doubles: whole numbers are exact up to 2^53. A value that is not known is NaN, and so
 * is every result that needs it: a comparison too, and an if() whose condition is not known. */
#ifndef W_EXPR_H
#define W_EXPR_H

#include "base/status.h"

/* value() looks up a name of `length` bytes; false: there is no such name. */
struct w_expr_names {
    bool (*value)(const void *context, const char *name, size_t length, double *value);
    const void *context;
};

/* W_USAGE: an unknown name, or not an expression; the error quotes the place in the text. */
enum w_status w_expr_eval(const char *text, const struct w_expr_names *names, double *value,
                          struct w_err *err) W_MUST_CHECK;

/* The text with the values in place of the names ("?": not known), cut to fit `size`. */
void w_expr_substitute(const char *text, const struct w_expr_names *names, char *out, size_t size);

#endif
