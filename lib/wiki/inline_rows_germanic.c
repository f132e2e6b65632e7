/* The templates that stand in sentences of the German and Dutch Wikipedias. German names a language
 * by a template of its own, {{enS}}, and a country by its code, {{DEU}}. */
#include "wiki/inline_rows.h"

/* {{ruS|Правда|Prawda|de=Wahrheit}}; d: how a text in Arabic letters is read, p: one in Chinese */
#define LANGUAGE(code, name)                                                                       \
    code "s = " name " {1}\\[ {2}\\]\\[, Pinyin {p}\\]\\[, DMG {d}\\]\\[, deutsch ‚{de}‘\\]\n"
/* {{Zitat|text|author|source|translation}} */
#define QUOTATION(open, close)                                                                     \
    " = \\n\\n" open "{1|Text|text}" close "\\[\\n„{4|Übersetzung}“\\]\\n– {2|Autor|autor}" \
    "\\[: {3|Quelle|quelle}\\]\\n\\n || \\n\\n" open "{1|Text|text}" close                         \
    "\\[\\n„{4|Übersetzung}“\\]\\n\\n\n"

const char w_inline_rows_de[] =
    /* clang-format off */
    "# Numbers, units and dates.\n"
    "zahl = {1:number}\n"
    "formatzahl = {1:number}\n"
    "formatnum = {1:number}\n"
    "nts = {1:number}\n"
    "zahlexp = \\[{2:number} · \\]10{1:sup}\\[ {post|suffix}\\]\n"
    "höhe = {2=DE-NHN?}{1:decimal} m ü. NHN || {2=DE-NN?}{1:decimal} m ü. NN || "
        "{2=DE-HN?}{1:decimal} m ü. HN || {2=AT?}{1:decimal} m ü. A. || {2=CH?}{1:decimal} m "
        "ü. M. || {2=CH-m?}{1:decimal} m ü. M. || {2=IT?}{1:decimal} m s.l.m. || {1:decimal} "
        "m\n"
    "bruch = \\d{1} {2}/{3} || \\d{1}/{2} || \\d1/{1}\n"
    "hoch = {1:sup}\n"
    "hochgestellt = {1:sup}\n"
    "tief = {1:sub}\n"
    "tiefgestellt = {1:sub}\n"
    "formel = {*}\n"
    "numblk = \\n{2}\\n\n"
    "0 =\n"
    "sortkey = {2} || {1}\n"
    "sortkeyname = {1} {2} || {1}\n"
    "datumzelle = {1}\n"
    "dts = {1}\n"
    /* In both calendars, by the date in the Gregorian one. */
    "julgregdatum = {1}. {2:month} {3}\n"
    "§ = {text} || § {1}\n"
    "§§ = {text} || §§ {1}\n"
    "art. = Art. {1}\n"
    "art = Art. {1}\n"
    "bibel = {1} {2}\\[,{3}\\]\\[ {4}\\]\n"
    "b = {1} {2}\\[,{3}\\]\\[ {4}\\]\n"
    "coordinate = @coordinate\n"
    "# Quotations, signs, looks.\n"
    "\" = {lang=en?}“{1|text}” || „{1|text}“\n"
    "zitat" QUOTATION("„", "“") "zitat-*" QUOTATION("„", "“") "zitat-en" QUOTATION("“", "”")
    "mehrspaltige liste = \\n{liste|1}\\n\n"
    "ipa = {1}\n" /* with brackets of its own; Lautschrift adds them */
    "ipa-text = {1}\n"
    "lautschrift = [{1}]\n"
    "kapitälchen = {1}\n"
    "person = {1}\n"
    "großbuchstaben = {1}\n"
    "taste = {*+}\n"
    "farbe = {2}\n"
    "farbig = {2}\n"
    "arab = {1}\n"
    "arf = {1}\n"
    "hebr = {1}\n"
    "polytonisch = {1}\n"
    "kyrl = {1}\n"
    "♂ = ♂\n"
    "♀ = ♀\n"
    "musik = {1=b?}♭ || {1=#?}♯ || {1=n?}♮\n"
    "modifikationen =\n"
    "zh = \\[chinesisch {c|v}\\]\\[, {t}\\]\\[, Pinyin {p}\\]\n"
    "lang-* = {#:language} {1|text} || {1|text}\n"
    "# Languages; some names are written otherwise than the table of names has them.\n"
    LANGUAGE("<language>", "{#:language}") LANGUAGE("eo", "Esperanto") LANGUAGE("hi", "Hindi")
    LANGUAGE("la", "lateinisch") LANGUAGE("sa", "Sanskrit") LANGUAGE("sh", "serbokroatisch")
    "# Countries and ships.\n"
    /* {{DEU}} is a flag and a name, {{DEU|Lindau}} a flag and that, {{DEU|#}} a flag alone. */
    "<country> = {1=#?} || {1} || {#:country}\n"
    W_ROW_SHIPS
    "schiff = {4} {1} || {1}\n"
    /* clang-format on */
    ;

const char w_inline_rows_nl[] =
    /* clang-format off */
    "lang-* = {#:language}: {1|text} || {1|text}\n"
    "formatnum = {1:number}\n"
    "breuk = \\d{1} {2}/{3} || \\d{1}/{2}\n"
    "aut = {1}\n"
    "afk = {1}\n"
    "afkorting = {1}\n"
    "kleinkapitaal = {1}\n"
    "kleur = {2}\n"
    "citaat = \\n\\n{1|tekst}\\n{2|bron|auteur}\\n\\n || \\n\\n{1|tekst}\\n\\n\n"
    "cquote = \\n\\n{1}\\n\\n\n"
    "bron? = {1}\n"
    "feit = {1}\n"
    "wie? = {1}\n"
    "twijfel = {1}\n"
    "nihongo = {1} ({2}, {3}) || {1} ({2}) || {1} ({3}) || {1}\n"
    "eur = €{1:number} || €\n"
    "€ = €{1:number} || €\n"
    /* clang-format on */
    ;
