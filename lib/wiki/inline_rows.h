/* inline_rows.h - the built-in tables of templates that stand for words, in the form that inlines.h
 * describes. A row is for the wikis of some languages: the English {{date}} is another template
 * than the French one. */
#ifndef W_INLINE_ROWS_H
#define W_INLINE_ROWS_H

#include "base/base.h"

struct w_inline_rows {
    const char *language; /* its code; NULL: every language */
    const char *rows;
    bool wiktionary; /* of Wiktionary alone, in addition to the others */
};

extern const struct w_inline_rows w_inline_rows[];
extern const size_t w_inline_rows_count;

/* {{HMS|Victory|1765|2}}: the name of a ship, its number or year, and what of these to show. */
#define W_ROW_SHIPS                                                                                \
    "<ship> = {3=1?}{2} || {3=2?}{1} || {3=3?}{1} ({2}) || {3=5?}{#} ({2}) || {3=6?}{#} {1} || "   \
    "{#} {1} ({2}) || {#} {1}\n"

/* The text of one language each. */
extern const char w_inline_rows_en[], w_inline_rows_en_wiktionary[], w_inline_rows_de[],
    w_inline_rows_fr[], w_inline_rows_es[], w_inline_rows_it[], w_inline_rows_pt[],
    w_inline_rows_nl[], w_inline_rows_pl[], w_inline_rows_ru[], w_inline_rows_ja[],
    w_inline_rows_zh[], w_inline_rows_bg[];

#endif
