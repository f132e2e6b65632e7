/* Numbers are written as MediaWiki does (language_numbers.h); months, as in its messages
 * january-gen, and names (language_names.h, country_names.h) are known in the languages whose
 * templates are. */
#include "wiki/language.h"

#include <string.h>

#include "wiki/country_names.h"
#include "wiki/language_names.h"
#include "wiki/language_numbers.h"

#define CODE_BYTES 12
#define CODE_LETTERS 3 /* of a country */

/* In the order of the names. */
static const struct {
    const char *code, *west, *months[12];
} languages[] = {
    {"en",
     "W",
     {"January", "February", "March", "April", "May", "June", "July", "August", "September",
      "October", "November", "December"}},
    {"de",
     "W",
     {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
      "November", "Dezember"}},
    {"fr",
     "O",
     {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
      "octobre", "novembre", "décembre"}},
    {"es",
     "O",
     {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
      "octubre", "noviembre", "diciembre"}},
    {"it",
     "O",
     {"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre",
      "ottobre", "novembre", "dicembre"}},
    {"pt",
     "O",
     {"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro",
      "outubro", "novembro", "dezembro"}},
    {"nl",
     "W",
     {"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september",
      "oktober", "november", "december"}},
    {"pl",
     "W",
     {"stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września",
      "października", "listopada", "grudnia"}},
    {"ru",
     "W",
     {"января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября",
      "октября", "ноября", "декабря"}},
    {"ja",
     "W",
     {"1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"}},
    {"zh",
     "W",
     {"1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"}},
};

_Static_assert(W_COUNTOF(languages) == W_COUNTOF(language_names[0].names) &&
                   W_COUNTOF(languages) == W_COUNTOF(country_names[0].names),
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
    struct w_wiki_language l = {
        .thousands = ",", .decimal = '.', .least = 4, .west = "W", .names = -1};
    bool exact = false;

    if (!*code || !strcmp(code, "simple"))
        code = "en";
    l.english = w_wiki_language_is(code, "en");
    for (size_t i = 0; i < W_COUNTOF(languages) && l.names < 0; i++)
        if (w_wiki_language_is(code, languages[i].code)) {
            l.names = (int)i;
            l.months = languages[i].months;
            l.west = languages[i].west;
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

u32 w_wiki_month_of(const struct w_wiki_language *in, struct w_span text)
{
    u32 number = 0;

    text = w_span_trim(text);
    for (u32 i = 0; in->months && i < 12; i++)
        if (w_span_is_word(text, w_span_of(in->months[i])))
            return i + 1;
    for (size_t i = 0; i < text.size; i++) {
        if (!w_is_digit(text.at[i]) || number > 12)
            return 0;
        number = number * 10 + (u32)(text.at[i] - '0');
    }
    return number <= 12 ? number : 0;
}

/* "DEU" and "DEU-1871" are codes; the letters are capital. */
static bool is_code(struct w_span text)
{
    size_t at = 0, year;

    while (at < text.size && (u8)(text.at[at] - 'A') < 26)
        at++;
    if (at != CODE_LETTERS || text.size == at)
        return at == CODE_LETTERS;
    year = at + 1;
    for (at = year; at < text.size && w_is_digit(text.at[at]);)
        at++;
    return text.at[year - 1] == '-' && at > year && at == text.size;
}

/* Countries that are no more, which the CLDR does not name. */
static const struct country former[] = {
    {"CSK",
     {"Czechoslovakia", "Tschechoslowakei", "Tchécoslovaquie", "Checoslovaquia", "Cecoslovacchia",
      "Checoslováquia", "Tsjecho-Slowakije", "Czechosłowacja", "Чехословакия", "チェコスロバキア",
      "捷克斯洛伐克"}},
    {"DDR",
     {"East Germany", "DDR", "Allemagne de l'Est", "Alemania Oriental", "Germania Est",
      "Alemanha Oriental", "Oost-Duitsland", "NRD", "ГДР", "東ドイツ", "东德"}},
    {"FRG",
     {"West Germany", "BR Deutschland", "Allemagne de l'Ouest", "Alemania Occidental",
      "Germania Ovest", "Alemanha Ocidental", "West-Duitsland", "RFN", "ФРГ", "西ドイツ", "西德"}},
    {"SCG",
     {"Serbia and Montenegro", "Serbien und Montenegro", "Serbie-et-Monténégro",
      "Serbia y Montenegro", "Serbia e Montenegro", "Sérvia e Montenegro", "Servië en Montenegro",
      "Serbia i Czarnogóra", "Сербия и Черногория", "セルビア・モンテネグロ", "塞尔维亚和黑山"}},
    {"SUN",
     {"Soviet Union", "Sowjetunion", "Union soviétique", "Unión Soviética", "Unione Sovietica",
      "União Soviética", "Sovjet-Unie", "ZSRR", "Советский Союз", "ソビエト連邦", "苏联"}},
    {"YUG",
     {"Yugoslavia", "Jugoslawien", "Yougoslavie", "Yugoslavia", "Jugoslavia", "Iugoslávia",
      "Joegoslavië", "Jugosławia", "Югославия", "ユーゴスラビア", "南斯拉夫"}},
};

/* Codes of the International Olympic Committee, each before the other one of ISO 3166. */
static const char olympic[][2 * CODE_LETTERS + 1] = {
    "ALGDZA", "ANGAGO", "ANTATG", "ARUABW", "ASAASM", "BAHBHS", "BANBGD", "BARBRB", "BERBMU",
    "BHUBTN", "BIZBLZ", "BOTBWA", "BRUBRN", "BULBGR", "BURBFA", "CAMKHM", "CAYCYM", "CGOCOG",
    "CHATCD", "CHICHL", "CRCCRI", "CROHRV", "DENDNK", "ESASLV", "FIJFJI", "GAMGMB", "GDRDDR",
    "GBSGNB", "GEQGNQ", "GERDEU", "GREGRC", "GRNGRD", "GUAGTM", "GUIGIN", "HAIHTI", "HONHND",
    "INAIDN", "IRIIRN", "ISVVIR", "IVBVGB", "KSASAU", "LATLVA", "LBALBY", "LESLSO", "MADMDG",
    "MASMYS", "MAWMWI", "MGLMNG", "MONMCO", "MRIMUS", "MTNMRT", "MYAMMR", "NCANIC", "NEDNLD",
    "NEPNPL", "NGRNGA", "NIGNER", "OMAOMN", "PARPRY", "PHIPHL", "PLEPSE", "PORPRT", "PURPRI",
    "RSAZAF", "SAMWSM", "SEYSYC", "SINSGP", "SKNKNA", "SLOSVN", "SOLSLB", "SRILKA", "SUDSDN",
    "SUICHE", "TANTZA", "TCHCSK", "TGATON", "TOGTGO", "TPETWN", "TRITTO", "UAEARE", "URSSUN",
    "URUURY", "VANVUT", "VIEVNM", "VINVCT", "ZAMZMB", "ZIMZWE",
};

/* The code in ISO 3166. */
static struct w_span iso_code(struct w_span code)
{
    for (size_t i = 0; i < W_COUNTOF(olympic); i++)
        if (!memcmp(code.at, olympic[i], CODE_LETTERS))
            return (struct w_span){(const u8 *)olympic[i] + CODE_LETTERS, CODE_LETTERS};
    return code;
}

/* The name in a column, by a code or by that name. */
static struct w_span find_country(const struct country *countries, size_t count, int column,
                                  struct w_span text, bool by_code)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = countries[i].names[column];
        if (by_code ? !memcmp(text.at, countries[i].code, CODE_LETTERS)
                    : *name == (char)*text.at && w_span_is(text, w_span_of(name)))
            return w_span_of(name);
    }
    return (struct w_span){0};
}

struct w_span w_wiki_country_name(const struct w_wiki_language *in, struct w_span code)
{
    struct w_span name;
    bool by_code;

    code = w_span_trim(code);
    if (!code.size || in->names < 0)
        return (struct w_span){0};
    by_code = is_code(code);
    if (by_code)
        code = iso_code(code);
    name = find_country(country_names, W_COUNTOF(country_names), in->names, code, by_code);
    return name.size ? name : find_country(former, W_COUNTOF(former), in->names, code, by_code);
}
