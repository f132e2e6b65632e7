/* clean.h - remove the markup that other extractors left in the text of wiki pages.
 *
 *     struct w_clean clean = {.escaped = w_clean_is_escaped(begin_of_file)};
 *     w_clean_text(&clean, text, &out);          // any number of texts, or parts of whole lines
 *
 * Removed are: the names that stand for formulas and code (formula_12, codice_3), templates and
 * unmatched braces, tags of HTML and of MediaWiki (references with their content), lines of tables;
 * then empty parentheses, and the spaces and commas around what was removed. Links leave their
 * label, entities their character, <br> a line end. Other text does not change: prose about a
 * function f() or HTML's &lt;b&gt; keeps its words.
 *
 * A line is cleaned alone, in time linear in its length. */
#ifndef W_CLEAN_H
#define W_CLEAN_H

#include "wiki/span.h"

struct w_clean_counts {
    u64 placeholders; /* formula_N and codice_N */
    u64 parentheses;  /* empty ones */
    u64 templates;    /* {{...}} */
    u64 braces;       /* unmatched runs of them */
    u64 tags;
    u64 links;
    u64 entities;
    u64 lines; /* of tables, or with nothing left */
};

struct w_clean {
    bool escaped;       /* < > & " are written as entities throughout: see below */
    bool after_blank;   /* the last line written was empty */
    bool after_removed; /* lines were removed after it */
    struct w_clean_counts counts;
    struct w_buffer line;
};

/* Append what is left of a text. A last line without a newline stays without one. Memory that was
 * missing sets out->failed. */
void w_clean_text(struct w_clean *, struct w_span text, struct w_buffer *out);

/* Only undo the escapes of an escaped file in a line, such as a title. Valid until the next call;
 * memory that was missing sets line.failed of the struct. */
struct w_span w_clean_unescape(struct w_clean *, struct w_span line);

void w_clean_release(struct w_clean *);

/* Newer extractors write text as HTML, older ones as it is. Text is escaped if entities for < >
 * & are in it, and no '<' outside of lines that begin with <doc or </doc>. */
bool w_clean_is_escaped(struct w_span text);

#endif
