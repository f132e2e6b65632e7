/* The word before a link's first colon is looked up among the names of the dump's namespaces and
 * those of its language, then among names that hold everywhere, then among the languages of
 * Wikipedia. The search is linear: few links have a colon. */
#include "wiki/site.h"

#include <stdlib.h>
#include <string.h>

#include "wiki/site_names.h"

#define FILE_KEY 6
#define TEMPLATE_KEY 10
#define CATEGORY_KEY 14

/* Names that hold in every wiki. */
static const struct {
    const char *name;
    enum w_link_kind kind;
} known[] = {
    {"File", W_LINK_FILE},
    {"Image", W_LINK_FILE},
    {"Category", W_LINK_CATEGORY},
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
    char language[W_LANGUAGE_BYTES]; /* in small letters */
    bool wiktionary;
};

/* Languages with more than one script or set of words, between which a wiki converts. */
static const char with_variants[] = " ban crh gan iu kk ku mni sh shi sr tg tly uz wuu zgh zh ";

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

/* Add the names between bars. */
static enum w_status add_all(struct w_wiki_site *site, int key, const char *names,
                             struct w_err *err)
{
    enum w_status status = W_DONE;

    while (*names && !status) {
        size_t size = strcspn(names, "|");
        status = w_wiki_site_add(site, key, (struct w_span){(const u8 *)names, size}, err);
        names += size + (names[size] == '|');
    }
    return status;
}

/* Is a word in a list whose words have a separator on both sides? */
static bool is_listed(const char *list, size_t list_size, u8 separator, struct w_span word)
{
    u8 key[48];

    if (word.size == 0 || word.size > sizeof key - 2 || memchr(word.at, separator, word.size))
        return false;
    key[0] = key[word.size + 1] = separator;
    memcpy(key + 1, word.at, word.size);
    return memmem(list, list_size, key, word.size + 2) != NULL;
}

/* Names that only the configuration of some wikis of Wikimedia has. */
static const struct {
    const char *language;
    int key;
    const char *names;
} configured[] = {
    {"crh", FILE_KEY, "Файл"},
    {"cu", CATEGORY_KEY, "Категория"},
    {"cu", TEMPLATE_KEY, "Шаблон"},
    {"es", CATEGORY_KEY, "CAT"},
    {"he", CATEGORY_KEY, "קט"},
    {"hr", FILE_KEY, "DT"},
    {"hr", CATEGORY_KEY, "CT|KT"},
    {"it", CATEGORY_KEY, "CAT"},
    {"ku", FILE_KEY, "پەڕگە"},
    {"ku", CATEGORY_KEY, "پۆل"},
    {"ku", TEMPLATE_KEY, "داڕێژە"},
    {"rm", FILE_KEY, "Bild"},
    {"ru", CATEGORY_KEY, "К"},
    {"sh", FILE_KEY, "Датотека|Fotografija|DT|ДТ"},
    {"sh", CATEGORY_KEY, "KAT|KT|КАТ|КТ"},
    {"sr", FILE_KEY, "Datoteka|Датотека|Fotografija|Фотографија"},
    {"sr", TEMPLATE_KEY, "Predložak|Предложак"},
    {"tr", CATEGORY_KEY, "KAT"},
    {"zh", CATEGORY_KEY, "CAT"},
};

/* Codes that some wikis have for their language, and those that MediaWiki's tables have. */
static const char *const former[][2] = {
    {"no", "nb"},       {"als", "gsw"},        {"be-x-old", "be-tarask"},
    {"fiu-vro", "vro"}, {"zh-min-nan", "nan"}, {"zh-yue", "yue"},
    {"bat-smg", "sgs"}, {"roa-rup", "rup"},    {"zh-classical", "lzh"},
};

static const struct site_row *row_of(struct w_span language)
{
    for (size_t i = 0; i < W_COUNTOF(site_rows); i++)
        if (w_span_is(w_span_of(site_rows[i].language), language))
            return &site_rows[i];
    return NULL;
}

static enum w_status add_row(struct w_wiki_site *site, const struct site_row *row,
                             struct w_err *err)
{
    enum w_status status = W_DONE;

    if (row)
        status = add_all(site, FILE_KEY, row->files, err);
    if (row && !status)
        status = add_all(site, CATEGORY_KEY, row->categories, err);
    if (row && !status)
        status = add_all(site, TEMPLATE_KEY, row->templates, err);
    return status;
}

enum w_status w_wiki_site_set_language(struct w_wiki_site *site, struct w_span code,
                                       struct w_err *err)
{
    if (code.size == 0 || code.size >= sizeof site->language)
        return W_DONE;
    for (size_t i = 0; i < W_COUNTOF(former); i++)
        if (w_span_is_word(w_span_of(former[i][0]), code))
            code = w_span_of(former[i][1]);
    for (size_t i = 0; i < code.size; i++)
        site->language[i] = (char)w_lower(code.at[i]);
    site->language[code.size] = 0;
    const struct site_row *own = row_of(w_span_of(site->language));
    enum w_status status = add_row(site, own, err);
    for (const char *rest = own ? own->fallback : ""; *rest && !status;) {
        size_t size = strcspn(rest, ",");
        status = add_row(site, row_of((struct w_span){(const u8 *)rest, size}), err);
        rest += size + (rest[size] == ',');
    }
    for (size_t i = 0; i < W_COUNTOF(configured) && !status; i++)
        if (!strcmp(configured[i].language, site->language))
            status = add_all(site, configured[i].key, configured[i].names, err);
    return status;
}

const char *w_wiki_site_language(const struct w_wiki_site *site)
{
    return site ? site->language : "";
}

void w_wiki_site_set_address(struct w_wiki_site *site, struct w_span address)
{
    static const char name[] = ".wiktionary.";

    site->wiktionary =
        address.size && memmem(address.at, address.size, name, sizeof name - 1) != NULL;
}

bool w_wiki_site_is_wiktionary(const struct w_wiki_site *site)
{
    return site && site->wiktionary;
}

bool w_wiki_site_has_variants(const struct w_wiki_site *site)
{
    const char *language = w_wiki_site_language(site);

    /* "zh-hant" is of "zh" */
    return is_listed(with_variants, sizeof with_variants - 1, ' ',
                     (struct w_span){(const u8 *)language, strcspn(language, "-")});
}

bool w_wiki_is_frame(struct w_span word)
{
    return is_listed(frame_words, sizeof frame_words - 1, '|', word);
}

static bool is_language(struct w_span prefix)
{
    u8 word[16];

    if (prefix.size < 2 || prefix.size > sizeof word)
        return false;
    for (size_t i = 0; i < prefix.size; i++) {
        if (!w_is_letter(prefix.at[i]) && prefix.at[i] != '-')
            return false;
        word[i] = w_lower(prefix.at[i]);
    }
    return is_listed(languages, sizeof languages - 1, ' ', (struct w_span){word, prefix.size});
}

/* The word before the first colon; empty if there is none. */
static struct w_span prefix_of(struct w_span title)
{
    const u8 *colon = title.size ? memchr(title.at, ':', title.size) : NULL;

    return w_span_trim((struct w_span){title.at, colon ? (size_t)(colon - title.at) : 0});
}

static bool is_name(const struct name *n, struct w_span prefix)
{
    return w_span_is_name(prefix, (struct w_span){(const u8 *)n->text, n->size});
}

bool w_wiki_site_is_template(const struct w_wiki_site *site, struct w_span prefix)
{
    for (size_t i = 0; site && i < site->count; i++)
        if (site->names[i].key == TEMPLATE_KEY && is_name(&site->names[i], prefix))
            return true;
    return w_span_is_word(prefix, W_SPAN("template"));
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
        if (w_span_is_name(prefix, w_span_of(known[i].name)))
            return known[i].kind;
    return is_language(prefix) ? W_LINK_LANGUAGE : W_LINK_PAGE;
}
