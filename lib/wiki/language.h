/* language.h - how the language of a wiki writes what templates compute: numbers, months, and the
 * names of languages and countries. */
#ifndef W_LANGUAGE_H
#define W_LANGUAGE_H

#include "wiki/span.h"

struct w_wiki_language {
    const char *thousands; /* between thousands */
    char decimal;          /* before the fraction */
    u8 least;              /* digits of the shortest number that is cut into thousands */
    bool english;
    const char *west;          /* its letter in coordinates */
    int names;                 /* the column of its names of languages and countries; -1: none */
    const char *const *months; /* 12, as they follow a day; NULL: they stay numbers */
};

/* Is a code, such as "de-at", one of a language, "de"? "" is English. */
bool w_wiki_language_is(const char *code, const char *language);

/* The language of a wiki by its code, such as "de" and "de-at"; "" is English. */
struct w_wiki_language w_wiki_language_of(const char *code);

/* The number of a month, 1 to 12, by that number or its name in a language; 0: it is none. */
u32 w_wiki_month_of(const struct w_wiki_language *in, struct w_span text);

/* What a country is called in a language, by its code of three letters ("DEU" in ISO 3166, "GER" of
 * the Olympic Committee; with the year of a flag too, "DEU-1871") or by that name; empty if it is
 * not known. */
struct w_span w_wiki_country_name(const struct w_wiki_language *in, struct w_span code);

/* What a language is called in another, by its code ("en" and "en-us" are English); empty if that
 * is not known. */
struct w_span w_wiki_language_name(const struct w_wiki_language *in, struct w_span code);

#endif
