/* inlines.h - templates that stand for words in a sentence, and the words they stand for.
 *
 * Nearly every template is a box, a note or a source, and leaves nothing in the text. A few carry
 * words: {{convert|10|km|mi}}, {{lang|fr|bonjour}}, {{nowrap|...}}. This table has a pattern for
 * each of them; other templates are left out. Wikis of different languages have other templates of
 * one name, so that a table is for a language: it begins with the rows of inline_rows.h that mean
 * the same everywhere and those of the language. It can be extended and changed by a text file of
 * the same form:
 *
 *     # a comment
 *     nowrap      = {1}
 *     nihongo     = {1} ({2}, {3}) || {1} ({2}) || {1}
 *     lang-*      = {#:language}: {1} || {1}
 *     birth date  = {df?}{3} {2:month} {1} || {2:month} {3}, {1}
 *     chem        = {*}
 *     flagicon    =
 *
 * A row is the name of a template, "=" and a pattern. In a name, capital and small letters are
 * equal, and so are '_' and a space. A name that ends in ":" is a function, {{lc:TEXT}}, and TEXT
 * its argument 1. One with a part that may differ is for all templates of such names that have no
 * row of their own; of several rows that fit the last one is taken:
 *
 *     lang-*        any text: {{lang-fr}}
 *     <number>e     digits: {{2e}}, {{82e}}
 *     <roman>e      a Roman number up to XXXIX
 *     1er <month>   the name of a month
 *     <country>     three capital letters of ISO 3166 or the Olympic Committee, {{DEU}}, also with
 *                   the year of a flag, {{DEU-1871}}; or a name
 *     <language>S   the code of a language: {{enS}}
 *     <ruler>       a name and a Roman number: {{Louis XIV}}
 *     <ship>        the letters before the name of a ship: {{HMS}}
 *
 * A pattern is text in which {NAME} stands for the template's argument of that name; arguments
 * without one are called 1, 2 and so on. Patterns with "||" between them are alternatives: the
 * first whose arguments are all present and not empty is taken; if there is none, nothing is
 * written. A row without a pattern is for a template that is invisible, such as {{shy}} in a word.
 * In braces:
 *
 *     {1|text}      argument 1, or the argument "text" without 1; and so on
 *     {df?}         nothing, but the alternative needs the argument
 *     {3=2?}        nothing, but argument 3 has to be "2"; an empty one is as good as none
 *     {#}           what that part of the name is
 *     {*} {*, }     all arguments that have a number, with nothing or ", " between them; or "\n"
 *     {1:lines}     its line ends stay, as in a poem
 *     {2:month}     the name of the month with that number
 *     {2:month?}    nothing, but argument 2 has to be a month, by its number or name
 *     {1:number}    thousands separated, and the point, as the language does
 *     {1:power}     the same, and 1.5e6 as 1.5 × 10⁶
 *     {1:decimal}   the point alone
 *     {1:unit}      a unit with its powers raised, km2 as km²
 *     {1:sup}       a number as superscript
 *     {1:sub}       a number as subscript, if it follows a number
 *     {1:upper} {1:lower} {1:capital}    letters A to Z; capital: the first one
 *     {1:language}  the name of the language with that code, in the wiki's language; the
 *                   alternative needs that there is one
 *     {1:country}   the same for a country
 *
 * What stands between "\[" and "\]" is written only if its arguments are present, without the
 * commas and semicolons in front where it is the first: "\[; pinyin: {p}\]". An alternative of
 * nothing else needs one of them.
 *
 * In the text of a pattern "\n" is a line end, "\n\n" the end of a paragraph, "\s" a space that
 * would be lost at the ends of a pattern, "\d" a space if a digit precedes it, so that
 * 6{{frac|1|2}} is not read as 61/2, and "\" before any other character that character. An
 * alternative names an argument once at most. Some rules are no patterns: "@convert" is a measure
 * in the form of {{convert}}, "@cvt" one with the symbol of its unit, "@val" a number with what is
 * uncertain of it in that of {{val}}, "@coord" a place on the globe, "@coordinate" one in the
 * form of the German {{Coordinate}}, "@math" TeX, "@title" the name of the page. */
#ifndef W_INLINES_H
#define W_INLINES_H

#include "base/status.h"
#include "wiki/site.h"

struct w_inline_table;

/* A table with the built-in rows for a site, by its language; NULL is English. It does not keep the
 * site. Fails with W_NOMEM. */
enum w_status w_inline_table_new(struct w_inline_table **, const struct w_wiki_site *,
                                 struct w_err *) W_MUST_CHECK;
void w_inline_table_free(struct w_inline_table *); /* accepts NULL */

/* Add the rows of a text file, whose text is given; a later row of a name replaces an earlier one.
 * W_USAGE for a line without "=", a name that is too long, a pattern that is wrong (the error
 * names the line), or text that is not UTF-8; W_LIMIT for more than 1 GiB; W_NOMEM. */
enum w_status w_inline_table_add(struct w_inline_table *, struct w_span text,
                                 struct w_err *) W_MUST_CHECK;

/* The pattern for a template's name, as written in the page; false if it has none. *part: what of
 * the name the row's "*" or "<...>" stands for, or empty. Any number of threads may ask one
 * table. */
bool w_inline_table_find(const struct w_inline_table *, struct w_span name, struct w_span *pattern,
                         struct w_span *part);

#endif
