/* Wikis of different languages and projects: what they call pictures and categories, which of them
 * have variants, and what their templates stand for. */
#include "site_pages.h"

/* clang-format off */

/* Names that a dump does not say, of the language itself and of those that it takes over. */
static void pictures_and_categories_have_more_names_than_one(void **state)
{
    static const struct {
        const char *language, *file, *category;
    } names[] = {
        {"pt", "Arquivo", "Categoria"}, {"pt-BR", "Ficheiro", "Categoria"}, {"pt", "Imagem", NULL},
        {"de", "Bild", "Kategorie"}, {"fr", "Fichier", "catégorie"}, {"es", "Imagen", "Categoría"},
        {"uk", "Зображення", "Категорія"}, {"uk", "Файл", "Категория"}, {"ru", "изображение", "категория"},
        {"zh", "图像", "分类"}, {"zh", "圖像", "分類"}, {"zh", "档案", NULL}, {"zh", "檔案", NULL},
        {"zh", "图片", NULL}, {"zh", "圖片", NULL}, {"zh-tw", "檔案", "分類"},
        {"ar", "صورة", "تصنيف"}, {"fa", "تصویر", "رده"}, {"tr", "Resim", "Kategori"},
        {"hu", "Kép", "Kategória"}, {"fi", "Kuva", "Luokka"}, {"nb", "Bilde", "Kategori"},
        {"no", "Bilde", "Kategori"}, {"zh-min-nan", "Tóng-àn", "Lūi-pia̍t"}, {"da", "Billede", "Kategori"}, {"ca", "Imatge", "Categoria"},
        {"ro", "Imagine", "Categorie"}, {"el", "εικόνα", "Κατηγορία"}, {"vi", "Hình", "Thể loại"},
        {"th", "ภาพ", "หมวดหมู่"}, {"id", "Gambar", "Kategori"}, {"cs", "Soubor", "Kategorie"},
        {"cs", "Obrázok", NULL}, {"sk", "Súbor", "Kategória"}, {"sr", "Слика", "Категорија"},
        {"sr", "Slika", "Kategorija"}, {"sr", "Датотека", NULL}, {"es", "Archivo", "CAT"}, {"hr", "Slika", "Kategorija"}, {"eu", "Irudi", "Kategoria"},
        {"ja", "画像", "カテゴリ"}, {"ko", "그림", "분류"}, {"pl", "Grafika", "Kategoria"},
        {"nl", "Afbeelding", "Categorie"}, {"sv", "Bild", "Kategori"}, {"bg", "Картинка", "Категория"},
        {"he", "תמונה", "קטגוריה"}, {"hi", "चित्र", "श्रेणी"}, {"ka", "სურათი", "კატეგორია"},
        {"tt", "Рәсем", "Төркем"}, {"de-AT", "Datei", "Kategorie"}, {"xx", "Image", "Category"},
    };

    (void)state;
    for (size_t i = 0; i < W_COUNTOF(names); i++) {
        char page[200], other[100] = "";
        if (names[i].category)
            snprintf(other, sizeof other, "[[%s:d]]", names[i].category);
        snprintf(page, sizeof page, "a[[%s:b|c]] %se", names[i].file, other);
        const struct pair pair = {page, "a e"};
        check(names[i].language, NULL, &pair, 1);
    }
    /* In another language these are titles. */
    CHECK("en", {"[[Imagine: A]] [[Bild:B]] [[Kuva:c|d]] [[分类:e]]", "Imagine: A Bild:B d 分类:e"});
    CHECK("ro", {"a[[Imagine: A]] b", "a b"});
    CHECK("de", {"{{Vorlage:Nowrap|a}} {{vorlage:lang|en|b}} {{Template:nowrap|c}} {{Modèle:nowrap|d}}e",
                 "a b c e"});
}

static void what_looks_like_a_picture_is_one(void **state)
{
    (void)state;
    CHECK("en",
          {"a[[Bildo:B.jpg|thumb|c]] d", "a d"},
          {"a[[X:b c.SVG|links|120px|d [[e|f]]]] g", "a g"},
          {"a[[X:b.png|x40px]] c [[X:b.png|30x40px|d]]", "a c"},
          {"a[[X:b.png|mini|c]] d [[X:b.png|Vignette|c]] [[X:b.png|vignette]]", "a d Vignette|c"},
          {"[[X:b.jpg|c]] [[X:b|thumb|c]] [[b.jpg|thumb]]", "c thumb|c thumb"},
          {"[[:X:b.jpg|thumb]] [[X:b.jpg]] [[X:b.jpg|px]] [[X:b.jpg|9px9]]", "thumb X:b.jpg px 9px9"});
}

static void only_wikis_with_variants_have_them(void **state)
{
    (void)state;
    CHECK("zh",
          {"-{zh-hans:甲;zh-hant:乙}- -{三}- -{T|zh:四}- -{", "甲 三 -{"},
          {"[[A|-{zh-cn:甲; zh-tw:乙}-]]", "甲"});
    CHECK("zh-hant", {"-{甲}-", "甲"});
    CHECK("sr", {"-{sr-ec: а; sr-el: b}-", "а"});
    CHECK("kk", {"-{a}-", "a"});
    CHECK("en",
          {"N-{4-[2-(diethylamino)ethyl]phenyl}-acetamide", "N-{4-[2-(diethylamino)ethyl]phenyl}-acetamide"},
          {"4-{[(2-amino)methyl]amino}-benzoic", "4-{[(2-amino)methyl]amino}-benzoic"},
          {"{a-{1}-b} -{T|foo}-", "{a-{1}-b} -{T|foo}-"});
    CHECK("ja", {"-{a}-", "-{a}-"});
    CHECK("zhx", {"-{a}-", "-{a}-"});
    CHECK("zh-yue", {"-{a}-", "-{a}-"});
}

static void tags_of_extensions(void **state)
{
    (void)state;
    CHECK("en",
          {"<phonos file=\"a.ogg\">b</phonos> <langconvert from=\"zh\" to=\"zh-tw\">c</langconvert>", "b c"},
          {"<languages/><translate><!--T:1--> a <tvar name=1>b</tvar></translate>", "a b"},
          {"<pages index=\"A.djvu\" from=1 to=2 />b<dynamicpagelist>\ncategory=c\n</dynamicpagelist>", "b"},
          {"a<rss>http://b</rss> <quiz>\n{c}\n+ d\n</quiz><page-collection>e</page-collection>f", "a f"},
          {"<meta itemprop=\"a\" content=\"b\"><link itemprop=\"c\" href=\"d\"/>e <nobr>f g</nobr>", "e f g"},
          {"the letter <a> and the key <tab>", "the letter <a> and the key <tab>"});
}

static void english_templates(void **state)
{
    (void)state;
    CHECK("en",
          {"B{{music|flat}} F{{music|#}} C{{Music|natural}} in {{music|time|3|4}}", "B♭ F♯ C♮ in 3/4"},
          {"{{sclass|Nimitz|aircraft carrier}}s, the {{sclass|Kongō|battlecruiser|4}}, {{sclass2|A|b|5}}",
           "Nimitz-class aircraft carriers, the Kongō class, A"},
          {"{{USS|Enterprise|CVN-65}}, {{USS|Enterprise|CVN-65|6}}, {{USS|Enterprise|CVN-65|2}}",
           "USS Enterprise (CVN-65), USS Enterprise, Enterprise"},
          {"{{HMS|Victory}} {{ship|Japanese destroyer|Akagi||2}} {{ship|RMS|A|1911}}",
           "HMS Victory Akagi RMS A (1911)"},
          {"{{CO2}} {{tmath|x^2}} ({{gloss|water}}, {{lit|y}}) 2{{x10^|5}} {{nobold|5}}",
           "CO2 x^2 ('water', lit. 'y') 2×10⁵ 5"},
          {"{{sortname|John|Smith}} {{sort|a|b}} {{nts|1234}}", "John Smith b 1,234"},
          {"at {{coord|57|18|22|N|4|27|32|W|display=inline}}, {{coord|12|N|70|W}}, {{coord|-1.5|+30}}",
           "at 57°18′22″N 4°27′32″W, 12°N 70°W, 1.5°S 30°E"},
          {"a {{coord|1|N|2|E|display=title}} b {{coord|1|N|2|E|region:x|display=inline,title}} {{coord}}c",
           "a b 1°N 2°E c"},
          {"{{Nihongo|A|B|C|extra=lit. D}} {{nihongo|A|B||E}} {{nihongo|A|lit=E|B}}",
           "A (B, C, lit. D) A (B, E) A (B, lit. 'E')"},
          {"{{zh|s=汉|t=漢|p=Hàn}} {{zh|c=中|l=middle}} {{zh|p=x}}",
           "simplified Chinese: 汉; traditional Chinese: 漢; pinyin: Hàn Chinese: 中; lit. 'middle' pinyin: x"},
          {"{{langx|de|Wien}} {{langx|de|Wien|label=none}} {{lang-ru|X|Y}} {{lang-xx|z}}",
           "German: Wien Wien Russian: X, romanized: Y z"},
          {"{{citation needed span|a b|date=May 2020}} {{okina}}", "a b ʻ"});
    CHECK("simple", {"{{as of|2009}}", "As of 2009"});
}

static void other_languages(void **state)
{
    (void)state;
    CHECK("fr",
          {"Au {{s-|XIX|e}}, il a parcouru {{unité|5|km}}.", "Au XIXe siècle, il a parcouru 5 km."},
          {"le {{date|1|janvier|2000}} et le {{date-|14|7|1789}}", "le 1er janvier 2000 et le 14 juillet 1789"},
          {"{{unité|1234567.5|m|2}} {{unité|10|à=20|km}} {{nombre|12345|habitants}} {{unité|3 km}} {{unité|25000 km}}",
           "1 234 567,5 m² 10 à 20 km 12 345 habitants 3 km 25 000 km"},
          {"{{-s|V|e}} {{s2|XV|e|XVI|e}} {{XIXe siècle}} {{Ier siècle}} {{1er}} {{XX{{e}} siècle}}x",
           "Ve siècle av. J.-C. XVe et XVIe siècles XIXe siècle Ier siècle 1er x"},
          {"{{lang-de|Wien}} {{lang|en|a}} {{lien|trad=A|lang=en|fr=B|texte=C}} {{abréviation|D|E}}",
           "en allemand : Wien a C D"},
          {"{{M.|Hulot}}, {{n°|5}}, {{citation|mot}}, {{référence nécessaire|fait|date=2010}}, {{formatnum:1234.5}}",
           "M. Hulot, n° 5, « mot », fait, 1 234,5"},
          {"{{as of|2009}}a {{floruit|1500}}b {{birth date|1950|4|12}}c", "a b c"});
    CHECK("de",
          {"{{enS|''Munich''}}, {{ruS|Москва|Moskwa}}, {{laS|Roma}}", "englisch Munich, russisch Москва Moskwa, lateinisch Roma"},
          {"{{Höhe|1028.5|DE-NHN}} {{formatnum:1234567.5}} {{Zahl|12345}} {{§|1|bgb|juris}}",
           "1028,5 m ü. NHN 1.234.567,5 12.345 § 1"},
          {"{{\"|Wort}} {{lang|fr|mot}} {{Zitat|A|B}}", "„Wort“ mot\n\n„A“\n– B"},
          {"{{date|5}}a {{height|m=1}}b", "a b"});
    CHECK("es",
          {"{{unidad|5|km}} {{siglo|XIX||s}} {{siglo|V|a|s}} {{fecha|1|1|2000}}", "5 km siglo XIX siglo V a. C. 1 de enero de 2000"},
          {"{{lang-en|Rome}} {{esd|12 m}} {{versalita|IV}} {{formatnum:1234}} {{formatnum:12345}}",
           "en inglés, Rome 12 m IV 1234 12 345"});
    CHECK("it",
          {"{{M|10|ul=km}} {{M|5|k|m}} {{M|3||m/s}} {{formatnum:12345.5}} {{tutto attaccato|5 m}}",
           "10 km 5 km 3 m/s 12 345,5 5 m"},
          {"{{senza fonte|frase}} {{nihongo|A|B|C}}", "frase A (B C)"});
    CHECK("pt",
          {"{{fmtn|1234567|km}} {{dtext|1|1|2000}} {{séc|XIX}} {{lang-en|Rome}} {{PBPE|econômico|económico}}",
           "1 234 567 km 1 de janeiro de 2000 século XIX em inglês: Rome econômico ou económico"},
          {"{{convert|10|km|mi}} {{carece de fontes2|frase|data=maio de 2010}}", "10 km frase"});
    CHECK("nl",
          {"{{lang-en|Rome}} {{formatnum:1234.5}} {{Aut|Jansen}}", "Engels: Rome 1.234,5 Jansen"});
    CHECK("pl",
          {"{{w języku|en|Rome}} {{lang-de|Wien}} {{liczba|1234567}} {{fakt|zdanie|data=2010-01}}",
           "ang. Rome niem. Wien 1 234 567 zdanie"});
    CHECK("ru",
          {"{{lang-en|Rome}}, {{число|12345}}, {{s|5 км}}, {{нп5|A|B|en|C}}, {{Нп3|A|}}, {{Lang-ja|X}}",
           "англ. Rome, 12 345, 5 км, B, A, яп. X"},
          {"{{comment|a|b}} {{тире}} {{дата|1|1|2000}} {{мфа|x}}", "a — 1 января 2000 [x]"});
    CHECK("ja",
          {"{{読み仮名|東京|とうきょう}}、{{仮リンク|A|en|B|label=C}}、{{lang-en-short|Rome}}、{{lang-en|Rome}}",
           "東京（とうきょう）、C、英: Rome、英語: Rome"},
          {"{{要出典範囲|文|date=2010年1月}}{{JIS2004フォント|辻}}{{没年齢|1900|1|2|1950|3|4}}", "文辻1950年3月4日"});
    CHECK("zh",
          {"'''甲'''{{bd|1879年|3月14日|1955年|4月18日|catIdx=A}}，{{lang-en|Rome}}", "甲（1879年3月14日—1955年4月18日），英语：Rome"},
          {"{{le|甲|A}}、{{tsl|en|A|甲|乙}}、{{link-ja|丙|C}}", "甲、乙、丙"});
    /* A language without rows of its own: neither English words nor English numbers. */
    CHECK("bg",
          {"{{lang-la|Anno Domini}} {{nowrap|a b}} {{convert|1234.5|km|mi}} {{formatnum:1234}} {{as of|2009}}c",
           "Anno Domini a b 1234,5 km 1234 c"},
          {"{{formatnum:12345.5}} {{formatnum:1234567 м}}", "12 345,5 1 234 567 м"});
    CHECK("de-ch", {"{{formatnum:12345.5}}", "12'345,5"});
    CHECK("fa", {"{{formatnum:12345.5}}", "12345.5"});
    CHECK("ceb", {"{{formatnum:12345.5}} {{birth date|1|2|3}}a", "12,345.5 a"});
}

/* One row stands for all templates whose names differ in a number, a month, a country ... */
static void families_of_templates(void **state)
{
    (void)state;
    CHECK("fr",
          {"le {{1er}}, la {{1re|place}}, {{2e}}, {{82e|minute}}, {{150e}}, {{2d}}, {{2de|étape}}, {{3ème}}, {{1o}}",
           "le 1er, la 1re place, 2e, 82e minute, 150e, 2d, 2de étape, 3e, 1o"},
          {"{{1er janvier}} {{1er février}} {{1er août}} {{1er décembre}} {{1er juin|1900}} {{1er foo}}x",
           "1er janvier 1er février 1er août 1er décembre 1er juin 1900 x"},
          {"{{XXIe siècle}} {{Ve}} {{IIe siècle av. J.-C.}} {{XIV}} {{IIIe République}} {{XXXXe}} {{VX}} {{IXIe}}x",
           "XXIe siècle Ve IIe siècle av. J.-C. XIV IIIe République x"},
          {"{{Ier millénaire}} {{IIe millénaire av. J.-C.}} {{-sp-|IX|e|-|VII|e|s}} {{japonais|a|b||c}}, z.{{nnbsp}}B.",
           "Ier millénaire IIe millénaire av. J.-C. IXe - VIIe siècles av. J.-C. a (b, c), z. B."},
          {"{{Louis XIV}}, {{Jean Ier}}, {{Élisabeth II}}, {{Pie XII}}, {{Saison 2}}x {{Palette Louis XIV}}y",
           "Louis XIV, Jean Ier, Élisabeth II, Pie XII, x y"},
          {"{{France}} {{États-Unis|américain}} {{GBR}} {{URSS}} {{RFA}} {{Drapeau|Italie}}x", "France américain Royaume-Uni Union soviétique Allemagne de l'Ouest x"},
          {"{{HMS|Hood|51}} {{USS|Enterprise|CV-6|6}} {{navire|Vengeur}}", "HMS Hood (51) USS Enterprise Vengeur"});
    CHECK("de",
          {"{{CHE}} {{DEU|Lindau}} {{DEU-1871}} {{AUT|#}}. x {{GER}} {{DDR|DDR}} {{URS}} {{urS|x}} {{TCH}} {{deu}} {{XYZ}} {{DEU-}} {{DEUS}}y",
           "Schweiz Lindau Deutschland. x Deutschland DDR Sowjetunion urdu x Tschechoslowakei y"},
          {"{{enS|''Munich''}}, {{EnS|a}}, {{laS|Roma}}, {{zhS|爪哇語|p=Zhǎowā yǔ}}, {{bnS|b}}, {{SMS|Emden|1908}}, {{BNS|a}}, {{Da-Artikels|x}} {{xxS|c}}",
           "englisch Munich, englisch a, lateinisch Roma, chinesisch 爪哇語, Pinyin Zhǎowā yǔ, bengalisch b, SMS Emden (1908), BNS a"});
    CHECK("es", {"{{ARG}}, {{CHI}}, {{URU}}, {{bandera2|ESP}}, {{bandera2|Uruguay}}, {{sel|fútbol|BRA}} {{USS|Brooklyn|ACR-3}}",
                 "Argentina, Chile, Uruguay, España, Uruguay, Brasil USS Brooklyn (ACR-3)"});
    CHECK("ja", {"{{JPN}}", "日本"});
    CHECK("en", {"{{DEU}} {{HMS|Hood}} {{Hms|Hood}}x", "HMS Hood x"});
}

static void french_templates(void **state)
{
    (void)state;
    CHECK("fr",
          {"{{unité|3|à|5|jours}} {{unité|3 à 5|jours}} {{unité|8|x|10|m}} {{unité|157e6|km}} {{unité|1.5e-3|kg}} {{unité|±0.5|UA}}",
           "3 à 5 jours 3 à 5 jours 8 × 10 m 157 × 10⁶ km 1,5 × 10⁻³ kg ±0,5 UA"},
          {"{{unité/2|4.1|m|3|s|-1}} {{unité|1.532|g||cm|-3}} {{nombre|1250|km|2}} {{unité|2000000|km2}} {{unité|24|e=3|m/s2}}",
           "4,1 m³·s⁻¹ 1,532 g·cm⁻³ 1 250 km² 2 000 000 km² 24 × 10³ m/s²"},
          {"{{dunité|2100|45|m}} {{tunité|1|2|3|m|3}} {{conversion|180|km/h}} {{formule|''E'' {{=}} ''mc''{{exp|2}}}} {{nucléide|14|C}}",
           "2 100 × 45 m 1 × 2 × 3 m³ 180 km/h E = mc² ¹⁴C"},
          {"{{date-|1957|au cinéma}} {{date|3|mai|1957|au cinéma}} {{date|1|1|2000}} {{date||mai|1957}} {{date|juin|1900}} {{jour|18|juin}} {{date|3|janv.|1957}} {{date|5|13|2000}}",
           "1957 3 mai 1957 1er janvier 2000 mai 1957 juin 1900 18 juin 3 janv. 1957 5 13 2000"},
          {"{{s|I}} {{-s|I|er}} {{s2|XVI|XVII}} {{sp-|XI|e|au|XII|e}} {{date républicaine|13|prairial|an II}}",
           "Ier siècle Ier siècle av. J.-C. XVIe et XVIIe siècles XIe au XIIe siècle 13 prairial an II"},
          {"{{lang|en|texte=GNU}} {{langue|oc|olada}} {{API|[ø]}} {{API-fr|ø}} {{phon|ø}} {{phono|ø}} {{arabe|جاوية|ǧāwiyya}} {{prononciation|fr|a}}",
           "GNU olada [ø] [ø] [ø] /ø/ arabe : جاوية, ǧāwiyya [a]"},
          {"{{touche|Ctrl}} + {{touche|S}}, {{guillemets|Quel}}, {{numéros|4}} et 5, {{pk|12,3}}, {{circa|1200}}, si{{bémol}}, n{{o}} 3",
           "Ctrl + S, « Quel », nos 4 et 5, PK 12,3, c. 1200, si♭, no 3"},
          {"à {{coord|49|26|N|1|6|W|display=inline}} ({{coord|1|2|display=title}}), {{heure||20}}, {{cf.}} {{BWV|565}}, {{Bible|Mt|5|3}}",
           "à 49°26′N 1°6′O, 20 min, cf. BWV 565, Mt 5,3"},
          {"a\n{{colonnes|nombre=2|\n* b\n* c\n}}\n{{théorème|titre=T|d}} {{démonstration|contenu=e}}f", "a\nb\nc\n\nT — d\n\ne\n\nf"});
}

static void german_templates(void **state)
{
    (void)state;
    CHECK("de",
          {"{{Zitat|By the shore|Übersetzung=Am Ufer|Autor=Stern}}", "„By the shore“\n„Am Ufer“\n– Stern"},
          {"{{Zitat-la|Prudens est|Kallias|De modo|Klug ist}}", "„Prudens est“\n„Klug ist“\n– Kallias: De modo"},
          {"{{Taste|Strg}}+{{Taste|S}} {{Taste|Alt|F4}} [{{IPA|x}}] {{Lautschrift|y}} {{IPA-Text|ba.sa}} {{Person|Linné}} {{§§|3|bgb|juris}} {{Art|14|gg}}",
           "Strg+S Alt+F4 [x] [y] ba.sa Linné §§ 3 Art. 14"},
          {"{{FormatNum|24500}} {{ZahlExp|13|1,5|post=kg}} {{ZahlExp|6}} {{Formel|H|2|O}} {{JULGREGDATUM|28|6|1709|Link=true}}",
           "24.500 1,5 · 10¹³ kg 10⁶ H2O 28. Juni 1709"},
          {"an {{Coordinate|text=DMS|NS=50/56/55|EW=10/42/5/E|type=x}}, {{Coordinate|text=/|NS=16/39//N|EW=24/41//W}}, {{Coordinate|text=DMS|NS=-50.1966|EW=8.5}}",
           "an 50° 56′ 55″ N, 10° 42′ 5″ O, 16° 39′ N, 24° 41′ W, 50° 11′ 48″ S, 8° 30′ 0″ O"},
          {"a {{Coordinate|article=DMS|NS=1/2/3/N|EW=1/2/3/E}} b {{Coordinate|text=ICON0|NS=1|EW=2}} c {{Coordinate|text=DMS|NS=x|EW=2}} d {{Coordinate|text=DMS|NS=1.2.3|EW=2}}e",
           "a b c d e"},
          {"{{Bibel|Spr|8|12|EU}} {{mp|1986 QB|1}} F{{Musik|#}} {{\"|lang=en|No}} {{Nts|5000}} {{Dts|3. Mai}}", "Spr 8,12 EU 1986 QB1 F♯ “No” 5.000 3. Mai"},
          {"a\n{{Mehrspaltige Liste|breite=20em|liste=\n* b\n* c\n}}\n{{NumBlk|:|<math>d</math>|1}}\ne", "a\nb\nc\n\nd\ne"});
}

static void spanish_templates(void **state)
{
    (void)state;
    CHECK("es",
          {"{{Siglo|XIX||S}} {{siglo|V|d|s}} {{siglo|XVI|3=s}} {{circa|1254}} {{ordinal|40}} {{unidad|5|e=6|m3}} {{raíz|2}}",
           "Siglo XIX siglo V d. C. siglo XVI c. 1254 40.º 5 × 10⁶ m³ √2"},
          {"{{sic|x}} {{Cita harvard|Ross|1923|p=4}} {{abr|Tte.|teniente}} {{música|bemol}} {{SimpleNuclide|Rubidio|87}} {{tecla|Alt|F4}} {{código|lt -h}} {{CIE10|A|92|8}} {{Biblia|Mateo|5|3}}",
           "x Ross (1923, p. 4) Tte. ♭ Rubidio-87 Alt+F4 lt -h A92.8 Mateo 5:3"},
          {"en {{ac|218}}, {{AC|siglo X}}, 5 {{dC}}, 50.5{{esd}}°C", "en 218 a. C., siglo X a. C., 5 d. C., 50.5 °C"},
          {"{{cita|a|b|c}} {{cita|d||e}} {{cita bloque|f}}", "a\nb, c\n\nd\ne\n\nf"},
          {"Decía:\n{{Verso|\nClaveles blancos,\nclaveles de paz.\n}}\nFin", "Decía:\n\nClaveles blancos,\nclaveles de paz.\n\nFin"},
          {"{{teorema|título=T|1=a}} {{demostración|b}} {{lista de columnas|2|\n* c\n* d\n}}\n{{duración|m=4|s=5}} {{coord|18|N|69|W}}",
           "T. a\n\nb\n\nc\nd\n\n4 min 5 s 18°N 69°O"});
}

static void words_between_underscores(void **state)
{
    (void)state;
    CHECK("es", {"a __SIN_TDC__ b __init__ __FILE__ __TOC__ __A__ __Sin__", "a b __init__ __FILE__ __A__ __Sin__"});
    CHECK("fr", {"a __SANSSOMMAIRE__ b", "a b"});
    CHECK("en", {"a __SIN_TDC__ __DEBUG__", "a __SIN_TDC__ __DEBUG__"});
}

static void bulgarian_templates(void **state)
{
    (void)state;
    CHECK("bg", {"a {{)}}. b {{))}}. c", "a. b. c"});
    CHECK("en", {"{{((}}a{{))}}", "{{a}}"});
}

static void a_wiktionary_has_other_templates(void **state)
{
    static const struct pair pairs[] = {
        {"From {{etyl|la|en}} {{term|canis||dog|lang=la}}, cf. {{m|fr|chien}}.", "From Latin canis (“dog”), cf. chien."},
        {"* French: {{t+|fr|chien|m}} {{gloss|animal}}", "French: chien (animal)"},
        {"{{lb|en|zoology|rare}} a {{convert|1|km}}", "(zoology, rare) a 1 kilometre"},
    };
    static const struct pair elsewhere[] = {{"a {{etyl|la|en}} {{gloss|b}}", "a 'b'"}};

    (void)state;
    check("en", "https://en.wiktionary.org/wiki/Main_Page", pairs, W_COUNTOF(pairs));
    check("en", "https://en.wikipedia.org/wiki/Main_Page", elsewhere, 1);
}

/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_and_categories_have_more_names_than_one),
        cmocka_unit_test(what_looks_like_a_picture_is_one),
        cmocka_unit_test(only_wikis_with_variants_have_them),
        cmocka_unit_test(tags_of_extensions),
        cmocka_unit_test(english_templates),
        cmocka_unit_test(other_languages),
        cmocka_unit_test(families_of_templates),
        cmocka_unit_test(french_templates),
        cmocka_unit_test(german_templates),
        cmocka_unit_test(spanish_templates),
        cmocka_unit_test(words_between_underscores),
        cmocka_unit_test(bulgarian_templates),
        cmocka_unit_test(a_wiktionary_has_other_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
