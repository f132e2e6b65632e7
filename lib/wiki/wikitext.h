/* wikitext.h - MediaWiki's markup to the text that a reader of the page sees.
 *
 *     w_wikitext_new(&r, &options, &err);
 *     w_wikitext_render(r, title, source, &text, &err);      // any number of pages
 *     w_wikitext_free(r);
 *
 * Three steps, each linear in the size of the page:
 *
 *     source            [[Rome|The city]] ({{audio|x}}; since '''753''' BC)
 *       |   markup.h    scan: where each pair begins and ends, in one pass with a stack
 *       v
 *     list of markup    a link, a template, as ranges of the source
 *       |   walk.c      walk: the visible text of each; link.c, template.c, table.c, element.c,
 *       v               line.c and quotes.c remove the markup and leave marks
 *     text with marks   The city (<hole>; since 753 BC)          (marks.h)
 *       |   finish.c    finish: spaces, lines and sections; mends what holes leave
 *       v
 *     text              The city (since 753 BC)
 *
 * No wikitext is an error: any bytes give some text, in time linear in their number. Markup that is
 * not closed ends with its line, paragraph or section and affects no more than that. Valid UTF-8
 * gives valid UTF-8.
 *
 * The text: a paragraph is one line, a blank line lies between paragraphs, a list item or a line
 * break is a line, headings are paragraphs. Sections without text have no heading. Pictures,
 * categories, references, tables (see the options), notes and all templates that inlines.h does not
 * know leave nothing; spaces, empty parentheses and punctuation that only separated them from the
 * text go too, and a blank separates words that would become one. No line end is written at the end
 * of a page. */
#ifndef W_WIKITEXT_H
#define W_WIKITEXT_H

#include "wiki/inlines.h"
#include "wiki/site.h"

enum w_wiki_headings {
    W_HEADINGS_PLAIN,  /* Early life */
    W_HEADINGS_MARKED, /* == Early life == */
    W_HEADINGS_NONE,
};

struct w_wikitext_options {
    const struct w_wiki_site *site;       /* its language and names; NULL: English ones */
    const struct w_inline_table *inlines; /* NULL: the built-in rows for the site's language */
    enum w_wiki_headings headings;
    const char *math;     /* stands for mathematics and chemistry; NULL: their TeX source */
    const char *item;     /* before the text of list items, such as "- "; NULL: nothing */
    const char *sections; /* headings of sections to leave out, "References|External links"; NULL:
                             the built-in English list; "": none */
    bool tables;          /* keep tables: a line for a row, " | " between cells */
};

struct w_wikitext; /* for one thread; owns its buffers */

/* The objects that the options point to have to outlive the renderer. Fails with W_NOMEM. */
enum w_status w_wikitext_new(struct w_wikitext **, const struct w_wikitext_options *,
                             struct w_err *) W_MUST_CHECK;
void w_wikitext_free(struct w_wikitext *); /* accepts NULL */

/* The text of a page; *text is valid until the next call. The title replaces {{PAGENAME}}. W_LIMIT:
 * a page of more than 1 GiB; W_NOMEM. */
enum w_status w_wikitext_render(struct w_wikitext *, struct w_span title, struct w_span source,
                                struct w_span *text, struct w_err *) W_MUST_CHECK;

#endif
