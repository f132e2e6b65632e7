/* The templates that stand in sentences of the German and Dutch Wikipedias. German names a language
 * by a template of its own, {{enS}}. */
#include "wiki/inline_rows.h"

/* {{ruS|Правда|Prawda|de=Wahrheit}}; d: how a text in Arabic letters is read */
#define LANGUAGE(code, name)                                                                       \
    code "s = " name " {1}\\[ {2}\\]\\[, DMG {d}\\]\\[, deutsch ‚{de}‘\\]\n"

const char w_inline_rows_de[] =
    /* clang-format off */
    "# Numbers and units.\n"
    "zahl = {1:number}\n"
    "formatzahl = {1:number}\n"
    "höhe = {2=DE-NHN?}{1:decimal} m ü. NHN || {2=DE-NN?}{1:decimal} m ü. NN || "
        "{2=DE-HN?}{1:decimal} m ü. HN || {2=AT?}{1:decimal} m ü. A. || {2=CH?}{1:decimal} m "
        "ü. M. || {2=CH-m?}{1:decimal} m ü. M. || {2=IT?}{1:decimal} m s.l.m. || {1:decimal} "
        "m\n"
    "bruch = \\d{1} {2}/{3} || \\d{1}/{2} || \\d1/{1}\n"
    "hoch = {1:sup}\n"
    "tief = {1:sub}\n"
    "0 =\n"
    "sortkey = {2} || {1}\n"
    "sortkeyname = {1} {2} || {1}\n"
    "datumzelle = {1}\n"
    "§ = {text} || § {1}\n"
    "art. = Art. {1}\n"
    "# Quotations, signs, looks.\n"
    "\" = „{1|text}“\n"
    "zitat = \\n\\n„{1|Text|text}“\\n– {2|Autor|autor}\\[: {3|Quelle|quelle}\\]\\n\\n || "
        "\\n\\n„{1|Text|text}“\\n\\n\n"
    "zitat-en = \\n\\n“{1|Text|text}”\\n– {2|Autor|autor}\\[: {3|Quelle|quelle}\\]\\n\\n || "
        "\\n\\n“{1|Text|text}”\\n\\n\n"
    "ipa = [{1}]\n"
    "lautschrift = [{1}]\n"
    "kapitälchen = {1}\n"
    "großbuchstaben = {1}\n"
    "farbe = {2}\n"
    "farbig = {2}\n"
    "arab = {1}\n"
    "arf = {1}\n"
    "hebr = {1}\n"
    "polytonisch = {1}\n"
    "kyrl = {1}\n"
    "modifikationen =\n"
    "zh = \\[chinesisch {c|v}\\]\\[, {t}\\]\\[, Pinyin {p}\\]\n"
    "lang-* = {#:language} {1|text} || {1|text}\n"
    "# Names of languages.\n"
    LANGUAGE("ab", "abchasisch")
    LANGUAGE("af", "afrikaans")
    LANGUAGE("am", "amharisch")
    LANGUAGE("ang", "altenglisch")
    LANGUAGE("ar", "arabisch")
    LANGUAGE("arc", "aramäisch")
    LANGUAGE("az", "aserbaidschanisch")
    LANGUAGE("ba", "baschkirisch")
    LANGUAGE("be", "belarussisch")
    LANGUAGE("bg", "bulgarisch")
    LANGUAGE("bn", "bengalisch")
    LANGUAGE("br", "bretonisch")
    LANGUAGE("bs", "bosnisch")
    LANGUAGE("ca", "katalanisch")
    LANGUAGE("co", "korsisch")
    LANGUAGE("cs", "tschechisch")
    LANGUAGE("cu", "kirchenslawisch")
    LANGUAGE("cv", "tschuwaschisch")
    LANGUAGE("cy", "walisisch")
    LANGUAGE("da", "dänisch")
    LANGUAGE("dsb", "niedersorbisch")
    LANGUAGE("el", "griechisch")
    LANGUAGE("en", "englisch")
    LANGUAGE("eo", "Esperanto")
    LANGUAGE("es", "spanisch")
    LANGUAGE("et", "estnisch")
    LANGUAGE("eu", "baskisch")
    LANGUAGE("fa", "persisch")
    LANGUAGE("fi", "finnisch")
    LANGUAGE("fo", "färöisch")
    LANGUAGE("fr", "französisch")
    LANGUAGE("fy", "westfriesisch")
    LANGUAGE("ga", "irisch")
    LANGUAGE("gd", "gälisch")
    LANGUAGE("gl", "galicisch")
    LANGUAGE("goh", "althochdeutsch")
    LANGUAGE("got", "gotisch")
    LANGUAGE("grc", "altgriechisch")
    LANGUAGE("gsw", "schweizerdeutsch")
    LANGUAGE("gv", "manx")
    LANGUAGE("he", "hebräisch")
    LANGUAGE("hi", "Hindi")
    LANGUAGE("hr", "kroatisch")
    LANGUAGE("hsb", "obersorbisch")
    LANGUAGE("hu", "ungarisch")
    LANGUAGE("hy", "armenisch")
    LANGUAGE("id", "indonesisch")
    LANGUAGE("is", "isländisch")
    LANGUAGE("it", "italienisch")
    LANGUAGE("ja", "japanisch")
    LANGUAGE("ka", "georgisch")
    LANGUAGE("kk", "kasachisch")
    LANGUAGE("km", "khmer")
    LANGUAGE("ko", "koreanisch")
    LANGUAGE("ku", "kurdisch")
    LANGUAGE("kw", "kornisch")
    LANGUAGE("ky", "kirgisisch")
    LANGUAGE("la", "lateinisch")
    LANGUAGE("lb", "luxemburgisch")
    LANGUAGE("lt", "litauisch")
    LANGUAGE("lv", "lettisch")
    LANGUAGE("mi", "māori")
    LANGUAGE("mk", "mazedonisch")
    LANGUAGE("ml", "malayalam")
    LANGUAGE("mn", "mongolisch")
    LANGUAGE("ms", "malaiisch")
    LANGUAGE("mt", "maltesisch")
    LANGUAGE("nb", "norwegisch")
    LANGUAGE("nds", "niederdeutsch")
    LANGUAGE("ne", "nepalesisch")
    LANGUAGE("nl", "niederländisch")
    LANGUAGE("nn", "norwegisch")
    LANGUAGE("no", "norwegisch")
    LANGUAGE("oc", "okzitanisch")
    LANGUAGE("os", "ossetisch")
    LANGUAGE("pa", "punjabi")
    LANGUAGE("pl", "polnisch")
    LANGUAGE("ps", "paschtu")
    LANGUAGE("pt", "portugiesisch")
    LANGUAGE("rm", "rätoromanisch")
    LANGUAGE("ro", "rumänisch")
    LANGUAGE("ru", "russisch")
    LANGUAGE("sa", "Sanskrit")
    LANGUAGE("sc", "sardisch")
    LANGUAGE("sh", "serbokroatisch")
    LANGUAGE("si", "singhalesisch")
    LANGUAGE("sk", "slowakisch")
    LANGUAGE("sl", "slowenisch")
    LANGUAGE("sq", "albanisch")
    LANGUAGE("sr", "serbisch")
    LANGUAGE("sv", "schwedisch")
    LANGUAGE("sw", "suaheli")
    LANGUAGE("syc", "altsyrisch")
    LANGUAGE("ta", "tamil")
    LANGUAGE("te", "telugu")
    LANGUAGE("tg", "tadschikisch")
    LANGUAGE("th", "thailändisch")
    LANGUAGE("tk", "turkmenisch")
    LANGUAGE("tr", "türkisch")
    LANGUAGE("tt", "tatarisch")
    LANGUAGE("ug", "uigurisch")
    LANGUAGE("uk", "ukrainisch")
    LANGUAGE("ur", "Urdu")
    LANGUAGE("uz", "usbekisch")
    LANGUAGE("vi", "vietnamesisch")
    LANGUAGE("yi", "jiddisch")
    LANGUAGE("zh", "chinesisch")
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
