/* Two tables by language: numbers and months as MediaWiki writes them (of its languages' messages
 * separatorTransformTable, minimumGroupingDigits and january-gen), and names (language_names.h). */
#include "wiki/language.h"

#include <string.h>

#include "wiki/language_names.h"

#define CODE_BYTES 12

/* In the order of the names. */
static const struct w_wiki_language languages[] = {
    {"en",
     ",",
     ".",
     4,
     {"January", "February", "March", "April", "May", "June", "July", "August", "September",
      "October", "November", "December"}},
    {"de",
     ".",
     ",",
     4,
     {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
      "November", "Dezember"}},
    {"fr",
     " ",
     ",",
     4,
     {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
      "octobre", "novembre", "décembre"}},
    {"es",
     " ",
     ",",
     5,
     {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
      "octubre", "noviembre", "diciembre"}},
    {"it",
     " ",
     ",",
     4,
     {"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre",
      "ottobre", "novembre", "dicembre"}},
    {"pt",
     " ",
     ",",
     4,
     {"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro",
      "outubro", "novembro", "dezembro"}},
    {"nl",
     ".",
     ",",
     4,
     {"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september",
      "oktober", "november", "december"}},
    {"pl",
     " ",
     ",",
     5,
     {"stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września",
      "października", "listopada", "grudnia"}},
    {"ru",
     " ",
     ",",
     5,
     {"января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября",
      "октября", "ноября", "декабря"}},
    {"ja",
     ",",
     ".",
     4,
     {"1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"}},
    {"zh",
     ",",
     ".",
     4,
     {"1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"}},
};

_Static_assert(W_COUNTOF(languages) == W_COUNTOF(language_names[0].names),
               "a name in every language");

static const struct w_wiki_language other = {.code = "", .thousands = "", .decimal = "."};

const struct w_wiki_language *w_wiki_language_of(const char *code)
{
    size_t size = strcspn(code, "-");

    if (!size || !strcmp(code, "simple"))
        return &languages[0];
    for (size_t i = 0; i < W_COUNTOF(languages); i++)
        if (size == strlen(languages[i].code) && !memcmp(code, languages[i].code, size))
            return &languages[i];
    return &other;
}

struct w_span w_wiki_language_name(const struct w_wiki_language *in, struct w_span code)
{
    size_t column = in == &other ? W_COUNTOF(languages) : (size_t)(in - languages);
    u8 key[CODE_BYTES];
    size_t size = 0;

    code = w_span_trim(code);
    while (size < code.size && size < CODE_BYTES && code.at[size] != '-') {
        key[size] = w_lower(code.at[size]);
        size++;
    }
    for (size_t i = 0; column < W_COUNTOF(languages) && i < W_COUNTOF(language_names); i++)
        if (w_span_is(w_span_of(language_names[i].code), (struct w_span){key, size}))
            return w_span_of(language_names[i].names[column]);
    return (struct w_span){0};
}
