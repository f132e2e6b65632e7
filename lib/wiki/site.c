/* The word before a link's first colon is looked up among the names of the dump's namespaces, then
 * among names that are known without a dump, then among the languages of Wikipedia. The search is
 * linear: few links have a colon. */
#include "wiki/site.h"

#include <stdlib.h>
#include <string.h>

#define FILE_KEY 6
#define CATEGORY_KEY 14

/* Names that hold in every wiki, and former names that old pages of one language still use. */
static const struct {
    const char *name;
    enum w_link_kind kind;
} known[] = {
    {"File", W_LINK_FILE},          {"Image", W_LINK_FILE},         {"Category", W_LINK_CATEGORY},
    {"Bild", W_LINK_FILE},          {"Datei", W_LINK_FILE},         {"Kategorie", W_LINK_CATEGORY},
    {"Fichier", W_LINK_FILE},       {"Catégorie", W_LINK_CATEGORY}, {"Archivo", W_LINK_FILE},
    {"Imagen", W_LINK_FILE},        {"Immagine", W_LINK_FILE},      {"Ficheiro", W_LINK_FILE},
    {"Imagem", W_LINK_FILE},        {"Bestand", W_LINK_FILE},       {"Afbeelding", W_LINK_FILE},
    {"Plik", W_LINK_FILE},          {"Grafika", W_LINK_FILE},       {"Fil", W_LINK_FILE},
    {"Файл", W_LINK_FILE},          {"Изображение", W_LINK_FILE},   {"Картинка", W_LINK_FILE},
    {"Категория", W_LINK_CATEGORY}, {"ファイル", W_LINK_FILE},      {"画像", W_LINK_FILE},
    {"文件", W_LINK_FILE},          {"파일", W_LINK_FILE},
};

/* The languages of Wikipedia, as their addresses and links between them name them. Links of this
 * form at the end of a page lead to it in other languages. A page called "Ko: ..." would be taken
 * for one too, as in MediaWiki. */
static const char languages[] =
    " aa ab ace ady af ak als alt am ami an ang ar arc ary arz as ast atj av avk awa ay az azb ba "
    "ban bar bat-smg bcl be be-tarask be-x-old bew bg bh bi bjn blk bm bn bo bpy br bs btm bug bxr "
    "ca cbk-zam cdo ce ceb ch cho chr chy ckb co cr crh cs csb cu cv cy da dag de dga din diq dsb "
    "dtp dty dv dz ee el eml en eo es et eu ext fa fat ff fi fiu-vro fj fo fon fr frp frr fur fy "
    "ga gag gan gcr gd gl glk gn gom gor got gpe gsw gu guc gur guw gv ha hak haw he hi hif ho hr "
    "hsb ht hu hy hyw hz ia id ie ig igl ii ik ilo inh io is it iu ja jam jbo jv ka kaa kab kbd "
    "kbp kcg kg kge ki kj kk kl km kn knc ko koi kr krc ks ksh ku kus kv kw ky la lad lb lbe lez "
    "lfn lg li lij lld lmo ln lo lrc lt ltg lv mad mai map-bms mdf mg mh mhr mi min mk ml mn mni "
    "mnw mo mos mr mrj ms mt mus mwl my myv mzn na nah nan nap nds nds-nl ne new ng nia nl nn no "
    "nov nqo nr nrm nso nv ny oc olo om or os pa pag pam pap pcd pcm pdc pdt pfl pi pih pl pms pnb "
    "pnt ps pt pwn qu rm rmy rn ro roa-rup roa-tara rsk ru rue rw sa sah sat sc scn sco sd se sg "
    "sgs sh shi shn shy si simple sk skr sl sm smn sn so sq sr srn ss st stq su sv sw szl szy ta "
    "tay tcy tdd te tet tg th ti tk tl tly tn to tpi tr trv ts tt tum tw ty tyv udm ug uk ur uz ve "
    "vec vep vi vls vo vro wa war wo wuu xal xh xmf yi yo yue za zea zgh zh zh-classical zh-cn "
    "zh-min-nan zh-tw zh-yue zu ";

struct name {
    char *text; /* owned */
    size_t size;
    int key;
};

struct w_wiki_site {
    struct name *names;
    size_t count;
};

enum w_status w_wiki_site_new(struct w_wiki_site **site, struct w_err *err)
{
    *site = calloc(1, sizeof **site);
    return *site ? W_DONE : w_fail(err, W_NOMEM, "no memory for the names of namespaces");
}

void w_wiki_site_free(struct w_wiki_site *site)
{
    if (!site)
        return;
    for (size_t i = 0; i < site->count; i++)
        free(site->names[i].text);
    free(site->names);
    free(site);
}

enum w_status w_wiki_site_add(struct w_wiki_site *site, int key, struct w_span name,
                              struct w_err *err)
{
    struct name *names;

    if (name.size == 0) /* of the articles */
        return W_DONE;
    names = realloc(site->names, (site->count + 1) * sizeof *names);
    if (!names)
        return w_fail(err, W_NOMEM, "no memory for the names of namespaces");
    site->names = names;
    names[site->count] = (struct name){
        .text = strndup((const char *)name.at, name.size),
        .size = name.size,
        .key = key,
    };
    if (!names[site->count].text)
        return w_fail(err, W_NOMEM, "no memory for the names of namespaces");
    site->count++;
    return W_DONE;
}

/* The first letter of a name may be of either case in MediaWiki. ASCII is compared so throughout;
 * for a first letter of two bytes this gives the code of its small form, in Latin-1, Greek and
 * Cyrillic. 0: no such letter. */
static u32 first_letter(struct w_span s)
{
    u32 code = s.size > 1 ? (s.at[0] & 0x1Fu) << 6 | (s.at[1] & 0x3Fu) : 0;

    if (s.size < 2 || s.at[0] < 0xC3 || s.at[0] > 0xD1)
        return 0;
    if ((code >= 0xC0 && code <= 0xDE) || (code >= 0x391 && code <= 0x3A9) ||
        (code >= 0x410 && code <= 0x42F))
        return code + 0x20;
    return code >= 0x400 && code <= 0x40F ? code + 0x50 : code;
}

static bool same_name(struct w_span a, struct w_span b)
{
    u32 letter = first_letter(a);

    if (letter && letter == first_letter(b)) {
        a = w_span_from(a, 2);
        b = w_span_from(b, 2);
    }
    return w_span_is_word(a, b);
}

static bool is_language(struct w_span prefix)
{
    char word[16];
    size_t size = prefix.size;

    if (size < 2 || size > sizeof word - 3)
        return false;
    word[0] = ' ';
    for (size_t i = 0; i < size; i++) {
        if (!w_is_letter(prefix.at[i]) && prefix.at[i] != '-')
            return false;
        word[i + 1] = (char)w_lower(prefix.at[i]);
    }
    word[size + 1] = ' ';
    return memmem(languages, sizeof languages - 1, word, size + 2) != NULL;
}

/* The word before the first colon; empty if there is none. */
static struct w_span prefix_of(struct w_span title)
{
    const u8 *colon = title.size ? memchr(title.at, ':', title.size) : NULL;

    return w_span_trim((struct w_span){title.at, colon ? (size_t)(colon - title.at) : 0});
}

static bool is_name(const struct name *n, struct w_span prefix)
{
    return same_name(prefix, (struct w_span){(const u8 *)n->text, n->size});
}

int w_wiki_site_namespace(const struct w_wiki_site *site, struct w_span title)
{
    struct w_span prefix = prefix_of(title);

    for (size_t i = 0; prefix.size && i < site->count; i++)
        if (is_name(&site->names[i], prefix))
            return site->names[i].key;
    return 0;
}

enum w_link_kind w_wiki_site_link(const struct w_wiki_site *site, struct w_span target)
{
    struct w_span prefix = prefix_of(target);

    if (!prefix.size) /* none, or [[:File:...]]: a link that shows its name */
        return W_LINK_PAGE;
    for (size_t i = 0; site && i < site->count; i++) {
        const struct name *n = &site->names[i];
        if ((n->key == FILE_KEY || n->key == CATEGORY_KEY) && is_name(n, prefix))
            return n->key == FILE_KEY ? W_LINK_FILE : W_LINK_CATEGORY;
    }
    for (size_t i = 0; i < W_COUNTOF(known); i++)
        if (same_name(prefix, w_span_of(known[i].name)))
            return known[i].kind;
    return is_language(prefix) ? W_LINK_LANGUAGE : W_LINK_PAGE;
}
