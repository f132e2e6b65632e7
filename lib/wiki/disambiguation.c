/* The page is searched for "{{", and the name after each compared with the list. */
#include "wiki/disambiguation.h"

#include <string.h>

/* Names of templates; ASCII letters of any case are equal, as is the first letter; "*" stands for
 * any ending. */
static const char *const templates[] = {
    "disambig*",
    "dab",
    "disamb",
    "hndis*",
    "geodis*",
    "human name disambiguation",
    "place name disambiguation",
    "airport disambiguation",
    "school disambiguation",
    "surname disambiguation",
    "begriffsklärung",
    "homonymie",
    "doorverwijspagina",
    "dp",
    "ujednoznacznienie",
    "förgrening*",
    "grensider",
    "flertydig",
    "täsmennyssivu",
    "rozcestník",
    "egyért*",
    "anlam ayrımı",
    "неоднозначность",
    "багатозначність",
    "định hướng",
    "동음이의",
    "曖昧さ回避",
    "aimai",
    "消歧义",
    "消歧義",
    "消歧义页",
    "توضيح",
    "ابهام‌زدایی",
    "פירושונים",
    "dubbelsinnig",
    "desambig*",
    "صفحة توضيح",
    "dixebra",
    "begriffsklar*",
    "неадназначнасць",
    "шматзначнасць",
    "пояснение",
    "disheñvelout*",
    "čvor",
    "anamrwysedd",
    "gwahaniaethu",
    "αποσαφ*",
    "apartigilo",
    "argipen",
    "homonimo",
    "homónimos",
    "homonimia",
    "ابهام زدایی",
    "ابهام‌زدائی",
    "täsmennyssivu/sukunimi",
    "idirdhealú",
    "soilleireachadh",
    "बहुविकल्पी शब्द",
    "razdvojba",
    "nova razdvojba",
    "disingkat",
    "aðgreining",
    "მრავალმნიშვნელოვანი",
    "동명이인",
    "동음이의어",
    "cudakirin",
    "nozīmju atdalīšana",
    "појаснување",
    "നാനാർത്ഥങ്ങൾ",
    "വിവക്ഷകൾ",
    "салаа утгатай",
    "nyahkekaburan",
    "mehrdüdig begreep",
    "dpintro",
    "fleirtyding",
    "pekerside",
    "tobokstavforkorting",
    "omonimia",
    "strona ujednoznaczniająca",
    "dez",
    "dezamb*",
    "persoane omonime",
    "многозначность",
    "список однофамильцев",
    "višeznačnost",
    "višeznačna odrednica",
    "rozlišovacia stránka",
    "razločitev*",
    "kthjellim",
    "gren",
    "grensida",
    "namngrensida",
    "betydelselista",
    "bkl",
    "letter-number combination disambiguation",
    "பக்கவழி நெறிப்படுத்தல்",
    "అయోమయ నివృత్తి",
    "แก้ความกำกวม",
    "แก้กำกวม",
    "คำกำกวม",
    "paglilinaw",
    "anlam ayrım",
    "күп мәгънәләр",
    "күп мәғәнәлелек",
    "trang định hướng",
    "באדייטן",
    "khu-pia̍t-ia̍h",
    "搞清楚",
};

/* {{disambiguation needed}} follows a link in a sentence. */
static bool is_note(struct w_span name)
{
    static const struct w_span end = W_SPAN(" needed");

    if (name.size < end.size)
        return false;
    return w_span_is_word((struct w_span){name.at + name.size - end.size, end.size}, end);
}

static bool is_listed(struct w_span name)
{
    if (is_note(name))
        return false;
    for (size_t i = 0; i < W_COUNTOF(templates); i++) {
        struct w_span listed = w_span_of(templates[i]), front = name;
        if (listed.at[listed.size - 1] == '*') {
            listed.size--;
            front.size = W_MIN(front.size, listed.size);
        }
        if (w_span_is_name(front, listed))
            return true;
    }
    return false;
}

bool w_is_disambiguation(struct w_span title, struct w_span source)
{
    static const char suffix[] = "(disambiguation)", word[] = "__DISAMBIG__";
    const size_t size = sizeof suffix - 1;
    const u8 *end = source.at + source.size;

    if (title.size >= size && !memcmp(title.at + title.size - size, suffix, size))
        return true;
    if (source.size == 0)
        return false;
    if (memmem(source.at, source.size, word, sizeof word - 1))
        return true;
    for (const u8 *p = source.at; (p = memmem(p, (size_t)(end - p), "{{", 2)); p += 2) {
        const u8 *name = p + 2;
        size_t length = 0, most = W_MIN((size_t)(end - name), (size_t)64);
        while (length < most && !memchr("|}{\n", name[length], 4))
            length++;
        if (is_listed(w_span_trim((struct w_span){name, length})))
            return true;
    }
    return false;
}
