/* language.h - how the language of a wiki writes what templates compute: numbers, months, and the
 * names of languages. */
#ifndef W_LANGUAGE_H
#define W_LANGUAGE_H

#include "wiki/span.h"

struct w_wiki_language {
    const char *thousands; /* between thousands */
    char decimal;          /* before the fraction */
    u8 least;              /* digits of the shortest number that is cut into thousands */
    bool english;
    int names;                 /* the column of its names of languages; -1: it has none */
    const char *const *months; /* 12, as they follow a day; NULL: they stay numbers */
};

/* Is a code, such as "de-at", one of a language, "de"? "" is English. */
bool w_wiki_language_is(const char *code, const char *language);

/* The language of a wiki by its code, such as "de" and "de-at"; "" is English. */
struct w_wiki_language w_wiki_language_of(const char *code);

/* What a language is called in another, by its code ("en" and "en-us" are English); empty if that
 * is not known. */
struct w_span w_wiki_language_name(const struct w_wiki_language *in, struct w_span code);

#endif
