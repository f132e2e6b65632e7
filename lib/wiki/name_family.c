#include "wiki/name_family.h"

#include <string.h>

static bool is_any(const struct w_wiki_language *in, struct w_span text)
{
    (void)in;
    return text.size;
}

static bool is_country(const struct w_wiki_language *in, struct w_span text)
{
    return w_wiki_country_name(in, text).size;
}

/* Without the "-at" of "de-at": the names of other templates have hyphens. */
static bool is_language(const struct w_wiki_language *in, struct w_span text)
{
    return text.size && !memchr(text.at, '-', text.size) && w_wiki_language_name(in, text).size;
}

static bool is_number(const struct w_wiki_language *in, struct w_span text)
{
    (void)in;
    for (size_t i = 0; i < text.size; i++)
        if (!w_is_digit(text.at[i]))
            return false;
    return text.size;
}

static bool is_month(const struct w_wiki_language *in, struct w_span text)
{
    return !is_number(in, text) && w_wiki_month_of(in, text);
}

/* From I to XXXIX, in any case: centuries and rulers have no higher ones. */
static bool is_roman(const struct w_wiki_language *in, struct w_span text)
{
    static const char *const ones[] = {"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"};
    size_t tens = 0;

    (void)in;
    while (tens < 3 && tens < text.size && w_lower(text.at[tens]) == 'x')
        tens++;
    if (tens == text.size)
        return tens > 0;
    for (size_t i = 0; i < W_COUNTOF(ones); i++)
        if (w_span_is_word(w_span_from(text, tens), w_span_of(ones[i])))
            return true;
    return false;
}

/* A name of one word and a Roman number: "Louis XIV", "Jean Ier". */
static bool is_ruler(const struct w_wiki_language *in, struct w_span text)
{
    const u8 *space = text.size ? memchr(text.at, ' ', text.size) : NULL;
    size_t size = space ? (size_t)(space - text.at) : 0;
    struct w_span number = w_span_from(text, size + (space ? 1 : 0));

    for (size_t i = 0; i < size; i++)
        if (!w_is_letter(text.at[i]) && text.at[i] < 0x80 && text.at[i] != '-')
            return false;
    return size && (is_roman(in, number) || w_span_is(number, W_SPAN("Ier")) ||
                    w_span_is(number, W_SPAN("Ire")));
}

/* The letters before the name of a ship, "HMS Victory", in the case of the template: "BNS" is one,
 * "bnS" a German name of Bengali. */
static bool is_ship(const struct w_wiki_language *in, struct w_span text)
{
    static const char *const letters[] = {
        "ARA",   "BAP", "BNS",   "GS",    "HDMS",  "HMAS", "HMBS",  "HMCS", "HMHS", "HMNZS",
        "HMPNG", "HMS", "HNLMS", "HNoMS", "HSwMS", "JDS",  "MS",    "MV",   "ORP",  "RCGS",
        "RFA",   "RMS", "RV",    "SMS",   "SS",    "USAT", "USCGC", "USNS", "USRC", "USS",
    };

    (void)in;
    if (text.size < 2 || (u8)(text.at[1] - 'A') >= 26) /* most names, quickly */
        return false;
    for (size_t i = 0; i < W_COUNTOF(letters); i++)
        if (w_span_is(text, w_span_of(letters[i])))
            return true;
    return false;
}

static const struct {
    const char *name;
    bool (*is)(const struct w_wiki_language *, struct w_span);
} parts[] = {
    [W_PART_ANY] = {NULL, is_any},
    [W_PART_COUNTRY] = {"<country>", is_country},
    [W_PART_LANGUAGE] = {"<language>", is_language},
    [W_PART_MONTH] = {"<month>", is_month},
    [W_PART_NUMBER] = {"<number>", is_number},
    [W_PART_ROMAN] = {"<roman>", is_roman},
    [W_PART_RULER] = {"<ruler>", is_ruler},
    [W_PART_SHIP] = {"<ship>", is_ship},
};

enum w_status w_name_family_of(struct w_span name, struct w_name_family *family, struct w_err *err)
{
    const u8 *open = name.size ? memchr(name.at, '<', name.size) : NULL;
    const size_t prefix = open ? (size_t)(open - name.at) : name.size;

    *family = (struct w_name_family){.part = W_PART_NONE};
    if (!open) {
        if (name.size > 2 && !memcmp(name.at + name.size - 2, "-*", 2))
            *family = (struct w_name_family){.part = W_PART_ANY, .prefix = name.size - 1};
        return W_DONE;
    }
    for (size_t i = W_PART_COUNTRY; i < W_COUNTOF(parts); i++) {
        const size_t end = prefix + strlen(parts[i].name);
        if (name.size >= end && !memcmp(open, parts[i].name, end - prefix) &&
            !memchr(name.at + end, '<', name.size - end)) {
            *family = (struct w_name_family){(enum w_name_part)i, prefix, name.size - end};
            return W_DONE;
        }
    }
    return w_fail(err, W_USAGE,
                  "a name may have one of <country>, <language>, <month>, <number>, <roman>, "
                  "<ruler>, <ship>, and no other '<'");
}

bool w_name_part_is(enum w_name_part part, const struct w_wiki_language *in, struct w_span text)
{
    return parts[part].is(in, text);
}
