/* inline_rows.h - the built-in table of templates that stand for words. */
#ifndef W_INLINE_ROWS_H
#define W_INLINE_ROWS_H

extern const char w_inline_rows[]; /* in the form that inlines.h describes */

#endif
