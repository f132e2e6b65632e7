/* render_private.h - for the files of lib/wiki alone: the second step to a page's text, a walk over
 * the page and its markup (markup.h) that writes text with marks (marks.h).
 *
 * Each function gets a range of the page, or a markup by its index, and appends its visible text.
 * They call each other for the markup inside; pairs nest W_MARKUP_DEPTH deep at most, and no part
 * of the page is walked twice, so that depth and time are bounded. */
#ifndef W_RENDER_PRIVATE_H
#define W_RENDER_PRIVATE_H

#include "wiki/entity.h"
#include "wiki/language.h"
#include "wiki/markup.h"
#include "wiki/marks.h"

/* The quotes of a line: '' and ''' switch italics and bold and leave no text, if they come in
 * pairs. */
struct w_quotes {
    u32 italics, bolds; /* how many */
    /* Where in the output an apostrophe is inserted if one ''' has to be read as ' and ''. Plus 1;
     * 0: no such place. By what precedes the ''': a word of one letter, a longer one, a space. */
    size_t after_letter, after_word, after_space;
};

/* A range of the page's source. */
struct w_range {
    u32 begin, end;
    u32 markup; /* index of the first markup that begins in or after it */
};

#define W_ARGUMENTS_MAX 100

/* The arguments of a template; those beyond the first W_ARGUMENTS_MAX are left out. */
struct w_arguments {
    u32 count;
    struct w_argument {
        struct w_span name; /* empty: it has only a number */
        u32 number;         /* from 1 on, its place or its name; 0: it has another name */
        struct w_range value;
    } items[W_ARGUMENTS_MAX];
};

struct w_wikitext {
    struct w_wikitext_options options;
    struct w_wiki_language language;
    bool variants;                      /* -{ }- is markup */
    struct w_inline_table *own_inlines; /* where the options name none */
    struct w_markup_list markup;
    struct w_buffer marked; /* output of the second step */
    struct w_buffer text;   /* output of the third */
    const u8 *source;
    struct w_span title;
    struct w_quotes quotes;
    u32 poems;         /* <poem>s that are open */
    size_t sup, sub;   /* where the last <sup> and <sub> began in the output */
    size_t sup_around; /* and the <sup> in which that <sup> stands */
};

/* walk.c: append the text of a range. at_line: it begins a line of the page, so that "*" begins a
 * list. */
void w_wiki_walk(struct w_wikitext *, struct w_range, bool at_line);

/* The first byte c in a range that is not inside a markup; the range's end if there is none.
 * Moves the range's markup there. */
u32 w_wiki_find(const struct w_wikitext *, struct w_range *, u8 c);

/* line.c: the markup at the beginning of a line, at range->begin, which moves past it. */
void w_wiki_line_begin(struct w_wikitext *, struct w_range *);
/* The end of the line at range->begin, or of the line where markup that begins in it ends. Moves
 * range->markup there. */
u32 w_wiki_line_skip(struct w_wikitext *, struct w_range *);
/* quotes.c: a run of two or more apostrophes. */
void w_wiki_quotes_run(struct w_wikitext *, u32 size);
void w_wiki_quotes_end_line(struct w_wikitext *);

/* link.c */
void w_wiki_put_link(struct w_wikitext *, u32 index);
void w_wiki_put_address(struct w_wikitext *, u32 index);
void w_wiki_put_variant(struct w_wikitext *, u32 index);
/* table.c */
void w_wiki_put_table(struct w_wikitext *, u32 index);
/* template.c */
void w_wiki_put_template(struct w_wikitext *, u32 index);
void w_wiki_put_argument(struct w_wikitext *, u32 index);
/* The argument with a name or number; NULL if it is missing or empty. */
const struct w_range *w_wiki_argument_find(const struct w_arguments *, struct w_span name);
/* Go to the argument with the next number that is not empty; NULL if there is none. Begin with
 * 0. */
const struct w_range *w_wiki_argument_next(const struct w_arguments *, u32 *number);
/* measure.c: the arguments of {{convert}}, or of {{cvt}}, which abbreviates. */
void w_wiki_put_measure(struct w_wikitext *, const struct w_arguments *, bool abbreviate);
/* A word between two numbers of one measure, as it is written: "to" is " to "; NULL: no such
 * word. */
const char *w_wiki_range_word(struct w_span word);
#define W_WORD_MAX 64 /* bytes */
/* The text of an argument or NULL, which is not written to the output; empty if it is longer than
 * W_WORD_MAX. */
struct w_span w_wiki_word_of(struct w_wikitext *, const struct w_range *value, u8 word[W_WORD_MAX]);
/* number.c: the arguments of {{val}}. */
void w_wiki_put_number(struct w_wikitext *, const struct w_arguments *);
/* Write a number that was appended from an offset on as the language does: "1234.5" is "1,234.5" or
 * "1 234,5". */
void w_wiki_group_digits(struct w_wikitext *, size_t from);
/* The same, with a power of ten: "1.5e6" is "1.5×10⁶", where `times` is "×10". */
void w_wiki_group_power(struct w_wikitext *, size_t from, const char *times);
/* In a unit that was appended from an offset on, raise digits: "km2" is "km²", "s-1" is "s⁻¹". */
void w_wiki_raise_digits(struct w_wikitext *, size_t from);
/* coordinates.c: the arguments of {{coord}}, and of the German {{Coordinate}}. */
void w_wiki_put_coordinates(struct w_wikitext *, const struct w_arguments *);
void w_wiki_put_coordinate(struct w_wikitext *, const struct w_arguments *);
/* element.c */
void w_wiki_put_mathematics(struct w_wikitext *, struct w_span tex);
void w_wiki_put_tag(struct w_wikitext *, u32 index);
void w_wiki_put_element(struct w_wikitext *, u32 index);

/* Append text without markup: entities become characters, line ends stay. */
void w_wiki_put_plain(struct w_wikitext *, struct w_span);
/* Append the character reference at the start of a text; returns its size in bytes, at least 1.
 * twice: "&amp;nbsp;" is one, too. */
size_t w_wiki_put_reference(struct w_wikitext *, struct w_span, bool twice);
/* script.c: change digits and signs that were appended from an offset on to superscripts, digits
 * after a number to subscripts; other text that begins as a number gets ^ or _. Other text
 * stays. */
void w_wiki_superscript(struct w_wikitext *, size_t from);
void w_wiki_subscript(struct w_wikitext *, size_t from);

static inline void w_wiki_put_mark(struct w_wikitext *r, enum w_mark mark)
{
    w_buffer_byte(&r->marked, (u8)mark);
}

static inline struct w_span w_wiki_source(const struct w_wikitext *r, u32 begin, u32 end)
{
    return (struct w_span){r->source + begin, end - begin};
}

/* The range inside a markup. */
static inline struct w_range w_wiki_inside(const struct w_wikitext *r, u32 index)
{
    const struct w_markup *m = &r->markup.items[index];
    return (struct w_range){m->body, m->body_end, index + 1};
}

#endif
