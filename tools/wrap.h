/* wrap.h - text in lines that fit a terminal of 80 columns. */
#ifndef W_WRAP_H
#define W_WRAP_H

#include <stdio.h>

#include "base/base.h"

#define W_WRAP_COLUMNS 79 /* the last column stays free */

/* Write words with a blank between them, and a new line, with so many blanks before it, where the
 * next word would pass the last column. column: where the first word begins. No newline at the end.
 * A word that is longer than a line is not cut. */
void w_wrap(FILE *, const char *text, u32 column, u32 indent);

/* Columns of UTF-8 text on a terminal: the bytes that begin a character. */
u32 w_columns_of(const char *text, size_t bytes);

#endif
