/* Small pages as they are written in the German, French and Japanese Wikipedias, beside the text
 * that a reader of each would read aloud: written by hand, from what the templates of those wikis
 * show. */
#include "site_pages.h"

/* clang-format off */

static void german_pages(void **state)
{
    (void)state;
    CHECK("de",
          {"{{Infobox Gemeinde in Deutschland\n|Art = Stadt\n|Höhe = 448\n|Wappen = [[Datei:W.svg|140px]]\n}}\n"
           "'''Freising''' ist eine [[Große Kreisstadt]] in [[Oberbayern]]. Die Stadt liegt {{Höhe|448|DE-NHN}} an "
           "der [[Isar]].<ref>{{Internetquelle |url=http://a.de |titel=b |abruf=2020-01-01}}</ref>\n\n"
           "== Geografie ==\n[[Datei:F.jpg|mini|hochkant=1.2|Der [[Freisinger Dom|Dom]]]]\n"
           "Der [[Weihenstephaner Berg]] ({{Höhe|481.5|DE-NHN|link=true}}) ist {{nowrap|2 km}} entfernt.\n\n"
           "== Einzelnachweise ==\n<references />\n\n{{Normdaten|TYP=g|GND=1}}\n[[Kategorie:Ort]]",
           "Freising ist eine Große Kreisstadt in Oberbayern. Die Stadt liegt 448 m ü. NHN an der Isar.\n\nGeografie\n\n"
           "Der Weihenstephaner Berg (481,5 m ü. NHN) ist 2 km entfernt."},
          {"'''Johann Wolfgang von Goethe''' (* [[28. August]] [[1749]] in [[Frankfurt am Main]]; † [[22. März]] "
           "[[1832]] in [[Weimar]]) war ein deutscher [[Dichter]].<ref name=\"a\" /> Er schrieb: {{\"|Edel sei der "
           "Mensch, hilfreich und gut}}.\n\n{{SORTIERUNG:Goethe}}\n{{Personendaten\n|NAME=Goethe\n|GEBURTSDATUM=28. "
           "August 1749\n}}",
           "Johann Wolfgang von Goethe (* 28. August 1749 in Frankfurt am Main; † 22. März 1832 in Weimar) war ein "
           "deutscher Dichter. Er schrieb: „Edel sei der Mensch, hilfreich und gut“."},
          {"'''Prag''' ({{csS|Praha}} [{{IPA|ˈpraɦa|Tondatei=Cs-Praha.ogg}}]) ist die Hauptstadt der "
           "[[Tschechien|Tschechischen Republik]]. Der alte Name ({{laS|''Praga''}}) ist selten.",
           "Prag (tschechisch Praha [ˈpraɦa]) ist die Hauptstadt der Tschechischen Republik. Der alte Name "
           "(lateinisch Praga) ist selten."},
          {"Die '''Prawda''' ({{ruS|Правда||de=Wahrheit}}) war eine Zeitung; eine ''Polis'' "
           "({{grcS|πόλις|pólis|de=Stadt}}) war ein Staat.",
           "Die Prawda (russisch Правда, deutsch ‚Wahrheit‘) war eine Zeitung; eine Polis (altgriechisch πόλις "
           "pólis, deutsch ‚Stadt‘) war ein Staat."},
          {"Nach {{§|823|bgb|juris}} BGB und {{Art.|5|gg|juris}} GG haftet, wer schuldhaft handelt ({{lang|la|culpa}}).",
           "Nach § 823 BGB und Art. 5 GG haftet, wer schuldhaft handelt (culpa)."},
          {"{{Dieser Artikel|behandelt den Fluss; zum Ort siehe [[Isar (Ort)]].}}\nDie '''Isar''' ist ein {{nowrap|292 "
           "km}} langer Fluss; an ihr wohnen {{formatnum:1234567}} Menschen auf {{Bruch|1|2}} der Fläche.",
           "Die Isar ist ein 292 km langer Fluss; an ihr wohnen 1.234.567 Menschen auf 1/2 der Fläche."},
          {"Das Buch erschien 1901.\n\n== Rezeption ==\n{{Zitat\n|Text=Ein großes Werk.\n|Autor=Max Muster\n}}\n"
           "Danach wurde es ins {{enS|''The Book''|de=Das Buch}} übertragen.",
           "Das Buch erschien 1901.\n\nRezeption\n\n„Ein großes Werk.“\n– Max Muster\n\nDanach wurde es ins englisch "
           "The Book, deutsch ‚Das Buch‘ übertragen."},
          {"{{Taxobox\n| Taxon_Name = Rotfuchs\n| Bild = a.jpg\n}}\nDer '''Rotfuchs''' (''Vulpes vulpes'') wird bis zu "
           "90&nbsp;[[Zentimeter|cm]] lang.\n\n== Jagd ==\n{{Hauptartikel|Fuchsjagd}}\nEr wird gejagt.{{Belege fehlen}}",
           "Der Rotfuchs (Vulpes vulpes) wird bis zu 90 cm lang.\n\nJagd\n\nEr wird gejagt."},
          {"== Filmografie ==\n* 1999: ''[[Matrix (Film)|Matrix]]'' (Regie: {{DEU|#}} A)\n* 2003: ''Matrix "
           "Reloaded''\n\n== Weblinks ==\n{{Commonscat|Matrix}}\n",
           "Filmografie\n\n1999: Matrix (Regie: A)\n2003: Matrix Reloaded"},
          {"'''X''' (auch ''Y'', {{arS|مدينة|d=madīna}}) gilt als {{SortKey|10|zehntgrößte}} Stadt.<!-- Stand? -->",
           "X (auch Y, arabisch مدينة, DMG madīna) gilt als zehntgrößte Stadt."});
}

static void french_pages(void **state)
{
    (void)state;
    CHECK("fr",
          {"{{Infobox Commune de France\n| nom = Chartres\n| image = [[Fichier:C.jpg|280px]]\n}}\n'''Chartres''' "
           "({{MSAPI|ʃaʁtʁ}}) est une [[commune (France)|commune française]] située à {{unité|90|km}} au sud-ouest de "
           "[[Paris]]. Sa cathédrale date du {{s-|XIII|e}} et mesure {{unité|113|mètres}}.\n\n== Notes et références "
           "==\n{{Références|colonnes=2}}\n\n{{Portail|Eure-et-Loir}}\n[[Catégorie:Commune]]",
           "Chartres (ʃaʁtʁ) est une commune française située à 90 km au sud-ouest de Paris. Sa cathédrale date du "
           "XIIIe siècle et mesure 113 mètres."},
          {"'''Victor Hugo''', né le {{date de naissance|26|février|1802}} à [[Besançon]] et mort le {{date de "
           "décès|22|mai|1885}} à [[Paris]], est un [[poète]]{{note|groupe=N|a}} et un dramaturge{{sfn|Robb|1997|p=3}}.",
           "Victor Hugo, né le 26 février 1802 à Besançon et mort le 22 mai 1885 à Paris, est un poète et un dramaturge."},
          {"Le {{date-|14 juillet 1789}} vers {{heure|17|30}}, {{souverain2|Louis XVI}} apprend {{citation|la prise de "
           "la Bastille}} ; entre les {{s2-|XV|e|XVI|e}}, elle était une forteresse du {{nobr|{{1er}} rang}}.",
           "Le 14 juillet 1789 vers 17 h 30, Louis XVI apprend « la prise de la Bastille » ; entre les XVe et XVIe "
           "siècles, elle était une forteresse du 1er rang."},
          {"L'eau ({{fchim|H|2|O}}) bout à {{tmp|100|°C}} et sa masse volumique est de {{unité|1000|kg/m|3}} ; le son y "
           "parcourt {{unité|1480|m/s}}.",
           "L'eau (H2O) bout à 100 °C et sa masse volumique est de 1 000 kg/m³ ; le son y parcourt 1 480 m/s."},
          {"'''Pékin''' ({{chinois|c=北京|p=Běijīng}} ; {{lang-en|Beijing}}) est la capitale de la [[Chine]]. "
           "{{Japonais|'''Kyoto'''|京都|Kyōto}} fut celle du Japon.",
           "Pékin (chinois : 北京, pinyin : Běijīng ; en anglais : Beijing) est la capitale de la Chine. Kyoto (京都, "
           "Kyōto) fut celle du Japon."},
          {"{{M.|Dupont}} et {{Mme|Curie}} publient le {{n°|3}} du journal ({{p.|12-14}}), la {{1re}} fois au "
           "{{XXe siècle}}.",
           "M. Dupont et Mme Curie publient le n° 3 du journal (p. 12-14), la 1re fois au XXe siècle."},
          {"Il écrit : {{citation|Je pense, donc je suis}}<ref>{{ouvrage|titre=D}}</ref>.\n{{Citation bloc|Un texte "
           "long.|Auteur}}\nEnsuite, il voyage.",
           "Il écrit : « Je pense, donc je suis ».\n\nUn texte long.\nAuteur\n\nEnsuite, il voyage."},
          {"{{ébauche|Bretagne}}\n== Climat ==\n{{article détaillé|Climat de la Bretagne}}\nLa température moyenne est de "
           "{{température|12}}. {{refnec|Il pleut souvent|date=mai 2010}}.",
           "Climat\n\nLa température moyenne est de 12 °C. Il pleut souvent."},
          {"== Filmographie ==\n* {{date|1960}} : ''À bout de souffle''\n* 1961 : ''{{lien|lang=en|trad=A "
           "Woman|texte=Une femme}}'' de {{lnobr|J.-L. Godard}}",
           "Filmographie\n\n1960 : À bout de souffle\n1961 : Une femme de J.-L. Godard"},
          {"Un angle de {{angle|45|30}}, soit {{fraction|1|8}} de tour{{,}}<ref>a</ref> <ref>b</ref>, vaut "
           "{{unité|0.79|radian}}{{incise|à peu près|stop}}.",
           "Un angle de 45° 30′, soit 1/8 de tour, vaut 0,79 radian – à peu près."});
}

static void japanese_pages(void **state)
{
    (void)state;
    CHECK("ja",
          {"{{日本の市\n|画像 = [[ファイル:K.jpg|300px]]\n}}\n'''金沢市'''（かなざわし）は、[[石川県]]のほぼ中央に位置する"
           "[[市]]。{{要出典範囲|加賀百万石の城下町|date=2010年1月}}として知られる<ref>{{Cite web|url=http://a|title=b}}</ref>。"
           "\n\n== 脚注 ==\n{{Reflist}}\n\n[[カテゴリ:市]]",
           "金沢市（かなざわし）は、石川県のほぼ中央に位置する市。加賀百万石の城下町として知られる。"},
          {"{{読み仮名|'''夏目 漱石'''|なつめ そうせき|[[1867年]] - [[1916年]]}}は、[[日本]]の[[小説家]]{{Sfn|江藤|1970|p=12}}。",
           "夏目 漱石（なつめ そうせき、1867年 - 1916年）は、日本の小説家。"},
          {"'''パリ'''（{{lang-fr-short|Paris}}）は、[[フランス]]の[[首都]]。{{Lang|en|City of Light}}とも呼ばれる{{R|a|b}}。",
           "パリ（仏: Paris）は、フランスの首都。City of Lightとも呼ばれる。"},
          {"{{仮リンク|ルーヴル条約|fr|Traité du Louvre}}は、{{仮リンク|第二次条約|en|Second Treaty|label=次の条約}}の前に結ばれた{{要出典|date=2015年}}。",
           "ルーヴル条約は、次の条約の前に結ばれた。"},
          {"人口は{{formatnum:1234567}}人（{{Nowrap|2020年}}）で、県の{{分数|1|3}}を占める。",
           "人口は1,234,567人（2020年）で、県の1/3を占める。"},
          {"{{ルビ|本気|マジ}}と読む。{{JIS2004フォント|辻}}さんは{{Ruby|漢字|かんじ}}を書く。",
           "本気（マジ）と読む。辻さんは漢字（かんじ）を書く。"},
          {"== 作品 ==\n* [[1905年]] 『[[吾輩は猫である]]』{{R|c}}\n* 1906年 『坊っちゃん』<ref group=\"注\">x</ref>\n\n== 関連項目 ==\n",
           "作品\n\n1905年 『吾輩は猫である』\n1906年 『坊っちゃん』"},
          {"冒頭は次の通り。\n{{Quotation|吾輩は猫である。名前はまだ無い。|夏目漱石}}\nこれは有名である。",
           "冒頭は次の通り。\n\n吾輩は猫である。名前はまだ無い。\n夏目漱石\n\nこれは有名である。"},
          {"{{Otheruses|県|市|甲市}}\n{{Infobox 人物\n|氏名 = 甲\n|生年月日 = {{生年月日と年齢|1980|4|1}}\n}}\n"
           "'''甲'''（こう、[[1980年]][[4月1日]] - ）は、日本の[[歌手]]。",
           "甲（こう、1980年4月1日 - ）は、日本の歌手。"},
          {"{{ill2|赤い月|en|Red Moon}}は{{Lang-de-short|Roter Mond}}の訳で、{{独自研究範囲|よく知られている|date=2012年}}{{誰|date=2012年}}。",
           "赤い月は独: Roter Mondの訳で、よく知られている。"});
}

/* clang-format on */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(german_pages),
        cmocka_unit_test(french_pages),
        cmocka_unit_test(japanese_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
