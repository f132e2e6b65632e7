/* Numbers are written as MediaWiki does (language_numbers.h); months, as in its messages
 * january-gen, and names (language_names.h) are known in the languages whose templates are. */
#include "wiki/language.h"

#include <string.h>

#include "wiki/language_names.h"
#include "wiki/language_numbers.h"

#define CODE_BYTES 12

/* In the order of the names. */
static const struct {
    const char *code, *months[12];
} languages[] = {
    {"en",
     {"January", "February", "March", "April", "May", "June", "July", "August", "September",
      "October", "November", "December"}},
    {"de",
     {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
      "November", "Dezember"}},
    {"fr",
     {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
      "octobre", "novembre", "décembre"}},
    {"es",
     {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
      "octubre", "noviembre", "diciembre"}},
    {"it",
     {"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre",
      "ottobre", "novembre", "dicembre"}},
    {"pt",
     {"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro",
      "outubro", "novembro", "dezembro"}},
    {"nl",
     {"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september",
      "oktober", "november", "december"}},
    {"pl",
     {"stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września",
      "października", "listopada", "grudnia"}},
    {"ru",
     {"января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября",
      "октября", "ноября", "декабря"}},
    {"ja", {"1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"}},
    {"zh", {"1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"}},
};

_Static_assert(W_COUNTOF(languages) == W_COUNTOF(language_names[0].names),
               "a name in every language");

bool w_wiki_language_is(const char *code, const char *language)
{
    if (!*code)
        code = "en";
    size_t size = strcspn(code, "-");
    return size == strlen(language) && !memcmp(code, language, size);
}

struct w_wiki_language w_wiki_language_of(const char *code)
{
    struct w_wiki_language l = {.thousands = ",", .decimal = '.', .least = 4, .names = -1};
    bool exact = false;

    if (!*code || !strcmp(code, "simple"))
        code = "en";
    l.english = w_wiki_language_is(code, "en");
    for (size_t i = 0; i < W_COUNTOF(languages) && l.names < 0; i++)
        if (w_wiki_language_is(code, languages[i].code)) {
            l.names = (int)i;
            l.months = languages[i].months;
        }
    for (size_t i = 0; i < W_COUNTOF(language_numbers) && !exact; i++) {
        const char *other = language_numbers[i].code;
        exact = !strcmp(other, code);
        if (exact || w_wiki_language_is(code, other)) {
            l.thousands = language_numbers[i].thousands;
            l.decimal = *language_numbers[i].decimal;
            l.least = language_numbers[i].least;
        }
    }
    return l;
}

struct w_span w_wiki_language_name(const struct w_wiki_language *in, struct w_span code)
{
    u8 key[CODE_BYTES];
    size_t size = 0;

    code = w_span_trim(code);
    while (size < code.size && size < CODE_BYTES && code.at[size] != '-') {
        key[size] = w_lower(code.at[size]);
        size++;
    }
    for (size_t i = 0; in->names >= 0 && i < W_COUNTOF(language_names); i++)
        if (w_span_is(w_span_of(language_names[i].code), (struct w_span){key, size}))
            return w_span_of(language_names[i].names[in->names]);
    return (struct w_span){0};
}
