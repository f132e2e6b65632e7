/* marks.h - text with marks: the output of the second step to a page's text, which removes the
 * markup, and the input of the third, which sets spaces, lines and sections. A mark is a byte that
 * no text has, because the second step drops control characters. Line ends are still those of the
 * source. */
#ifndef W_MARKS_H
#define W_MARKS_H

#include "wiki/span.h"
#include "wiki/wikitext.h"

enum w_mark {
    W_MARK_HOLE = 1, /* visible markup was left out here */
    W_MARK_LINE,     /* the text goes on in a new line */
    W_MARK_BLOCK,    /* the text goes on in a new paragraph */
    W_MARK_ITEM,     /* from here to the line end is an item of a list */
    W_MARK_ROW,      /* from here to the line end is a line of its own */
    W_MARK_HEADING,  /* from here to the line end is a heading; a digit follows, its level */
    W_MARK_RAW,      /* from here to RAW_END spaces and line ends stay */
    W_MARK_RAW_END,
    /* An invisible hole: letters around it belong to one word. (9 and 10 are white space.) */
    W_MARK_NOTHING = 11,
};

/* The third step; see finish.c. Replaces *text; memory that was missing sets text->failed. */
void w_wiki_finish(const struct w_wikitext_options *, struct w_span marked, struct w_buffer *text);

#endif
