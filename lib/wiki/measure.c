/* {{convert|1300|mi|km}}: a number and the name of its unit, "1,300 miles". The conversion is not
 * computed. Arguments without a name come in pairs: a value, then a unit ("6|ft|2|in") or a word
 * between two values ("5|to|10|km"). After the last of these come the unit to convert to and the
 * number of digits ("181|sqmi|km2|0"), which are no pair, since a unit is no number. Names of units
 * are English; in other languages symbols stand for them. */
#include "wiki/render_private.h"

/* Codes of units in {{convert}}, and what it writes for one and for several. */
static const struct unit {
    const char *code, *one, *many, *symbol;
} units[] = {
    {"m", "metre", "metres", "m"},
    {"km", "kilometre", "kilometres", "km"},
    {"cm", "centimetre", "centimetres", "cm"},
    {"mm", "millimetre", "millimetres", "mm"},
    {"um", "micrometre", "micrometres", "μm"},
    {"nm", "nanometre", "nanometres", "nm"},
    {"mi", "mile", "miles", "mi"},
    {"ft", "foot", "feet", "ft"},
    {"foot", "foot", "foot", "ft"},
    {"in", "inch", "inches", "in"},
    {"yd", "yard", "yards", "yd"},
    {"nmi", "nautical mile", "nautical miles", "nmi"},
    {"fathom", "fathom", "fathoms", "fathom"},
    {"furlong", "furlong", "furlongs", "furlong"},
    {"hand", "hand", "hands", "hands"},
    {"ly", "light-year", "light-years", "ly"},
    {"AU", "astronomical unit", "astronomical units", "AU"},
    {"pc", "parsec", "parsecs", "pc"},
    {"m2", "square metre", "square metres", "m²"},
    {"km2", "square kilometre", "square kilometres", "km²"},
    {"cm2", "square centimetre", "square centimetres", "cm²"},
    {"ha", "hectare", "hectares", "ha"},
    {"acre", "acre", "acres", "acre"},
    {"sqmi", "square mile", "square miles", "sq mi"},
    {"mi2", "square mile", "square miles", "sq mi"},
    {"sqft", "square foot", "square feet", "sq ft"},
    {"ft2", "square foot", "square feet", "sq ft"},
    {"sqm", "square metre", "square metres", "m²"},
    {"sqkm", "square kilometre", "square kilometres", "km²"},
    {"m3", "cubic metre", "cubic metres", "m³"},
    {"km3", "cubic kilometre", "cubic kilometres", "km³"},
    {"cm3", "cubic centimetre", "cubic centimetres", "cm³"},
    {"cc", "cubic centimetre", "cubic centimetres", "cc"},
    {"cumi", "cubic mile", "cubic miles", "cu mi"},
    {"cuft", "cubic foot", "cubic feet", "cu ft"},
    {"cuin", "cubic inch", "cubic inches", "cu in"},
    {"L", "litre", "litres", "L"},
    {"l", "litre", "litres", "l"},
    {"ml", "millilitre", "millilitres", "ml"},
    {"mL", "millilitre", "millilitres", "mL"},
    {"usgal", "US gallon", "US gallons", "US gal"},
    {"USgal", "US gallon", "US gallons", "US gal"},
    {"impgal", "imperial gallon", "imperial gallons", "imp gal"},
    {"oilbbl", "barrel", "barrels", "bbl"},
    {"Moilbbl", "million barrels", "million barrels", "million bbl"},
    {"Goilbbl", "billion barrels", "billion barrels", "billion bbl"},
    {"oilbbl/d", "barrel per day", "barrels per day", "bbl/d"},
    {"Moilbbl/d", "million barrels per day", "million barrels per day", "million bbl/d"},
    {"g", "gram", "grams", "g"},
    {"kg", "kilogram", "kilograms", "kg"},
    {"mg", "milligram", "milligrams", "mg"},
    {"t", "tonne", "tonnes", "t"},
    {"Mt", "million tonnes", "million tonnes", "Mt"},
    {"lb", "pound", "pounds", "lb"},
    {"lbs", "pound", "pounds", "lb"},
    {"oz", "ounce", "ounces", "oz"},
    {"st", "stone", "stone", "st"},
    {"ST", "short ton", "short tons", "short tons"},
    {"LT", "long ton", "long tons", "long tons"},
    {"ozt", "troy ounce", "troy ounces", "ozt"},
    {"km/h", "kilometre per hour", "kilometres per hour", "km/h"},
    {"kph", "kilometre per hour", "kilometres per hour", "km/h"},
    {"km/s", "kilometre per second", "kilometres per second", "km/s"},
    {"m/s", "metre per second", "metres per second", "m/s"},
    {"mph", "mile per hour", "miles per hour", "mph"},
    {"ft/s", "foot per second", "feet per second", "ft/s"},
    {"kn", "knot", "knots", "kn"},
    {"C", "°C", "°C", "°C"},
    {"°C", "°C", "°C", "°C"},
    {"F", "°F", "°F", "°F"},
    {"°F", "°F", "°F", "°F"},
    {"K", "K", "K", "K"},
    {"W", "watt", "watts", "W"},
    {"kW", "kilowatt", "kilowatts", "kW"},
    {"MW", "megawatt", "megawatts", "MW"},
    {"hp", "horsepower", "horsepower", "hp"},
    {"bhp", "brake horsepower", "brake horsepower", "bhp"},
    {"J", "joule", "joules", "J"},
    {"kJ", "kilojoule", "kilojoules", "kJ"},
    {"kWh", "kilowatt hour", "kilowatt hours", "kWh"},
    {"cal", "calorie", "calories", "cal"},
    {"kcal", "kilocalorie", "kilocalories", "kcal"},
    {"PD/sqmi", "inhabitants per square mile", "inhabitants per square mile", "/sq mi"},
    {"PD/km2", "inhabitants per square kilometre", "inhabitants per square kilometre", "/km²"},
    {"psi", "pound per square inch", "pounds per square inch", "psi"},
    {"kPa", "kilopascal", "kilopascals", "kPa"},
    {"atm", "standard atmosphere", "standard atmospheres", "atm"},
    {"bar", "bar", "bars", "bar"},
};

/* Words between two numbers of one measure. */
static const struct {
    const char *word, *written;
} ranges[] = {
    {"to", " to "},
    {"-", "–"},
    {"–", "–"},
    {"and", " and "},
    {"or", " or "},
    {"x", " × "},
    {"×", " × "},
    {"by", " by "},
    {"to(-)", " to "},
    {"and(-)", " and "},
    {"to about", " to about "},
    {"+/-", " ± "},
    {"±", " ± "},
    {"&", " & "},
    {"xx", " × "},
    {",", ", "},
    {"/", "/"},
};

struct w_span w_wiki_word_of(struct w_wikitext *r, const struct w_range *value, u8 word[W_WORD_MAX])
{
    size_t from = r->marked.size, size;

    if (value)
        w_wiki_walk(r, *value, false);
    size = r->marked.size - from;
    if (size > W_WORD_MAX)
        size = 0;
    if (size)
        memcpy(word, r->marked.at + from, size);
    r->marked.size = from;
    return (struct w_span){word, size};
}

const char *w_wiki_range_word(struct w_span word)
{
    for (size_t i = 0; i < W_COUNTOF(ranges); i++)
        if (w_span_is(word, w_span_of(ranges[i].word)))
            return ranges[i].written;
    return NULL;
}

/* Is a text a number, such as "1,300", "5 1/2", "⅔" or "1e6"? A unit has a letter. */
static bool is_number(struct w_span text)
{
    bool digit = false;

    for (size_t i = 0; i < text.size; i++) {
        u8 c = text.at[i];
        digit |= w_is_digit(c) || c >= 0x80;
        if (w_is_letter(c) && !(c == 'e' && digit))
            return false;
    }
    return digit;
}

static void put_unit(struct w_wikitext *r, struct w_span code, bool one, bool symbol, bool american)
{
    static const char *const powers[] = {"e3", "thousand ", "e6",  "million ",
                                         "e9", "billion ",  "e12", "trillion "};
    struct w_span name;

    for (size_t i = 0; i < W_COUNTOF(powers); i += 2) {
        size_t size = strlen(powers[i]);
        if (code.size > size && memcmp(code.at, powers[i], size) == 0 &&
            !w_is_digit(code.at[size])) {
            w_buffer_span(&r->marked, w_span_of(powers[i + 1]));
            code = w_span_from(code, size);
            one = false;
        }
    }
    name = code;
    for (size_t i = 0; i < W_COUNTOF(units); i++) {
        if (w_span_is(code, w_span_of(units[i].code))) {
            name = w_span_of(symbol ? units[i].symbol : one ? units[i].one : units[i].many);
            break;
        }
    }
    for (size_t i = 0; i < name.size; i++) {
        bool swap = american && i + 1 < name.size && name.at[i] == 'r' && name.at[i + 1] == 'e' &&
                    i && name.at[i - 1] == 't';
        if (swap) /* metre, meter; litre, liter */
            w_buffer_put(&r->marked, "er", 2);
        else
            w_buffer_byte(&r->marked, name.at[i]);
        i += swap;
    }
}

/* What {{convert}} is told by arguments with names. */
struct form {
    bool symbol, adjective, american;
};

static struct form form_of(struct w_wikitext *r, const struct w_arguments *all, bool abbreviate)
{
    static const struct {
        const char *name, *value[2];
    } switches[] = {{"abbr", {"on", "in"}}, {"adj", {"on", "mid"}}, {"sp", {"us", "us"}}};
    bool on[W_COUNTOF(switches)];
    u8 bytes[W_WORD_MAX];

    for (size_t i = 0; i < W_COUNTOF(switches); i++) {
        struct w_span word =
            w_wiki_word_of(r, w_wiki_argument_find(all, w_span_of(switches[i].name)), bytes);
        on[i] = w_span_is(word, w_span_of(switches[i].value[0])) ||
                w_span_is(word, w_span_of(switches[i].value[1]));
        if (i == 0)
            on[i] |= (abbreviate && !w_span_is(word, W_SPAN("off"))) || !r->language.english;
    }
    return (struct form){.symbol = on[0], .adjective = on[1], .american = on[2]};
}

void w_wiki_put_measure(struct w_wikitext *r, const struct w_arguments *all, bool abbreviate)
{
    u8 bytes[W_WORD_MAX];
    const struct form form = form_of(r, all, abbreviate);
    const struct w_range *value, *unit;
    u32 number_at = 0;
    bool after_unit = false;

    while ((value = w_wiki_argument_next(all, &number_at)) &&
           (unit = w_wiki_argument_next(all, &number_at))) {
        size_t from = r->marked.size;
        w_wiki_walk(r, *value, false);
        struct w_span number = {r->marked.at + from, r->marked.size - from};
        if (after_unit && !is_number(number)) { /* "6|ft|2|in" goes on, "6|ft|m" does not */
            r->marked.size = from;
            return;
        }
        bool one = w_span_is(number, W_SPAN("1"));
        w_wiki_group_digits(r, from);
        if (after_unit)
            w_buffer_insert(&r->marked, from, " ", 1);
        struct w_span word = w_wiki_word_of(r, unit, bytes);
        const char *range = w_wiki_range_word(word);
        after_unit = !range;
        if (range) {
            w_buffer_span(&r->marked, w_span_of(range));
            continue;
        }
        w_buffer_byte(&r->marked, form.adjective && !form.symbol ? '-' : ' ');
        put_unit(r, word, one || form.adjective, form.symbol, form.american);
    }
}
