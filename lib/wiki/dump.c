/* The XML comes as beginnings and ends of elements (xml.h). A table has the elements that matter,
 * each with its parent: <id> is the page's in <page>, and ignored in <revision> and <contributor>.
 * The parser collects the text of an element into a buffer here, and is asked for a pause after
 * <siteinfo> and after each page. */
#include "wiki/dump.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "sys/xml.h"

#define ID_DIGITS 18                 /* fits into 64 bits */
#define NS_DIGITS 9                  /* into 32 */
#define WORD_BYTES ((size_t)4 << 10) /* longest title, name of a namespace... */

enum element {
    OTHER, /* ignored, with everything inside it */
    DOCUMENT,
    MEDIAWIKI,
    SITEINFO,
    BASE,
    NAMESPACES,
    NAMESPACE,
    PAGE,
    TITLE,
    NS,
    ID,
    REDIRECT,
    REVISION,
    MODEL,
    TEXT,
};

/* The elements that matter. */
static const struct row {
    enum element parent;
    const char *name;
    enum element element;
} rows[] = {
    {DOCUMENT, "mediawiki", MEDIAWIKI},
    {MEDIAWIKI, "siteinfo", SITEINFO},
    {SITEINFO, "base", BASE},
    {SITEINFO, "namespaces", NAMESPACES},
    {NAMESPACES, "namespace", NAMESPACE},
    {MEDIAWIKI, "page", PAGE},
    {PAGE, "title", TITLE},
    {PAGE, "ns", NS},
    {PAGE, "id", ID},
    {PAGE, "redirect", REDIRECT},
    {PAGE, "revision", REVISION},
    {REVISION, "model", MODEL},
    {REVISION, "text", TEXT},
};

struct w_dump {
    struct w_xml *xml;
    enum element stack[W_XML_DEEPEST + 1];
    unsigned depth;
    struct w_buffer title, text, word;
    struct w_page page;
    bool has_page, has_site;
    bool has_ns; /* the present page says its namespace */
    i64 key;     /* of the present <namespace> */
    struct w_wiki_site *site;
    char *address;
};

static enum element find(enum element parent, const char *name)
{
    for (size_t i = 0; i < W_COUNTOF(rows); i++)
        if (rows[i].parent == parent && !strcmp(rows[i].name, name))
            return rows[i].element;
    return OTHER;
}

/* At most `most` digits, perhaps after a minus, and nothing else. */
static bool parse_number(const char *text, size_t most, i64 *number)
{
    bool negative = *text == '-';

    text += negative;
    if (!*text || strlen(text) > most)
        return false;
    for (*number = 0; w_is_digit((u8)*text); text++)
        *number = *number * 10 + (*text - '0');
    if (negative)
        *number = -*number;
    return !*text;
}

static void collect(struct w_dump *d, struct w_buffer *into, size_t most)
{
    into->size = 0;
    w_xml_collect(d->xml, into, most);
}

static enum w_status begin_namespace(struct w_dump *d, const char *const *attributes,
                                     struct w_err *err)
{
    for (d->key = 0; *attributes; attributes += 2)
        if (!strcmp(attributes[0], "key") && !parse_number(attributes[1], NS_DIGITS, &d->key))
            return w_fail(err, W_CORRUPT, "a namespace without a number");
    return W_DONE;
}

/* <mediawiki xml:lang="de"> */
static enum w_status set_language(struct w_dump *d, const char *const *attributes,
                                  struct w_err *err)
{
    for (; *attributes; attributes += 2)
        if (!strcmp(attributes[0], "xml:lang"))
            return w_wiki_site_set_language(d->site, w_span_of(attributes[1]), err);
    return W_DONE;
}

static enum w_status on_start(void *context, const char *name, const char *const *attributes,
                              struct w_err *err)
{
    struct w_dump *d = context;
    enum element element = find(d->stack[d->depth], name);

    d->stack[++d->depth] = element;
    switch (element) {
    case MEDIAWIKI: return set_language(d, attributes, err);
    case PAGE:
        d->page = (struct w_page){.wikitext = true};
        d->has_ns = false;
        d->title.size = d->text.size = 0;
        if (!d->has_site) {
            d->has_site = true;
            return W_END;
        }
        break;
    case REVISION:
        d->text.size = 0;
        d->page.wikitext = true;
        break;
    case NAMESPACE: collect(d, &d->word, WORD_BYTES); return begin_namespace(d, attributes, err);
    case BASE:
    case NS:
    case ID:
    case MODEL: collect(d, &d->word, WORD_BYTES); break;
    case TITLE: collect(d, &d->title, WORD_BYTES); break;
    case TEXT: collect(d, &d->text, W_PAGE_BYTES); break;
    case REDIRECT: d->page.redirect = true; break;
    default:
        if (d->depth == 1 && element != MEDIAWIKI)
            return w_fail(err, W_CORRUPT, "not a MediaWiki dump: it begins with <%.40s>", name);
    }
    return W_DONE;
}

/* https://en.wikipedia.org/wiki/Main_Page is the address of a page by its title; by its number
 * it is https://en.wikipedia.org/wiki?curid=12, as WikiExtractor writes it. */
static enum w_status set_address(struct w_dump *d, struct w_err *err)
{
    static const char query[] = "?curid=";
    const char *base = (const char *)d->word.at, *slash = strrchr(base, '/');
    size_t size = slash ? (size_t)(slash - base) : strlen(base);

    w_wiki_site_set_address(d->site, w_span_of(base));
    free(d->address);
    d->address = malloc(size + sizeof query);
    if (!d->address)
        return w_fail(err, W_NOMEM, "no memory for an address");
    memcpy(d->address, base, size);
    memcpy(d->address + size, query, sizeof query);
    return W_DONE;
}

static enum w_status end_number(struct w_dump *d, enum element element, struct w_err *err)
{
    i64 number;
    size_t most = element == ID ? ID_DIGITS : NS_DIGITS;

    if (!parse_number((const char *)d->word.at, most, &number) || (element == ID && number < 0))
        return w_fail(err, W_CORRUPT, "page \"%.*s\": <%s> is no number", (int)d->title.size,
                      d->title.size ? (char *)d->title.at : "", element == ID ? "id" : "ns");
    if (element == ID)
        d->page.id = (u64)number;
    else
        d->page.ns = number, d->has_ns = true;
    return W_DONE;
}

/* "#REDIRECT [[page]]", as MediaWiki reads it, though in English alone. Old dumps have no
 * <redirect>. */
static bool redirects(struct w_span text)
{
    static const struct w_span word = W_SPAN("#REDIRECT");
    size_t at = 0;

    while (at < text.size && w_is_blank(text.at[at]))
        at++;
    if (text.size - at < word.size ||
        !w_span_is_word((struct w_span){text.at + at, word.size}, word))
        return false;
    at += word.size;
    while (at < text.size && (w_is_blank(text.at[at]) || text.at[at] == ':'))
        at++;
    return text.size - at > 2 && text.at[at] == '[' && text.at[at + 1] == '[';
}

static void end_page(struct w_dump *d)
{
    struct w_page *page = &d->page;

    page->title = (struct w_span){d->title.at, d->title.size};
    page->text = (struct w_span){d->text.at, d->text.size};
    if (!d->has_ns)
        page->ns = w_wiki_site_namespace(d->site, page->title);
    page->redirect = page->redirect || redirects(page->text);
    d->has_page = true;
}

static enum w_status on_end(void *context, struct w_err *err)
{
    struct w_dump *d = context;
    enum element element = d->stack[d->depth--];

    if (element == BASE || element == NAMESPACE || element == NS || element == ID ||
        element == MODEL) {
        w_buffer_byte(&d->word, 0); /* ends the string */
        if (d->word.failed)
            return w_fail(err, W_NOMEM, "no memory for a page");
    }
    switch (element) {
    case BASE: return set_address(d, err);
    case NAMESPACE:
        return w_wiki_site_add(d->site, (int)d->key, w_span_of((const char *)d->word.at), err);
    case SITEINFO: d->has_site = true; return W_END;
    case NS:
    case ID: return end_number(d, element, err);
    case MODEL: d->page.wikitext = !strcmp((const char *)d->word.at, "wikitext"); break;
    case PAGE: end_page(d); return W_END;
    default: break;
    }
    return W_DONE;
}

enum w_status w_dump_open(struct w_dump **dump, struct w_unpack *unpack, const char *name,
                          struct w_err *err)
{
    static const struct w_xml_handlers handlers = {on_start, on_end};
    struct w_dump *d = calloc(1, sizeof *d);

    *dump = d;
    if (!d)
        return w_fail(err, W_NOMEM, "no memory to read a dump");
    enum w_status status = w_xml_new(&d->xml, unpack, name, &handlers, d, err);
    if (status)
        w_dump_close(dump);
    return status;
}

void w_dump_close(struct w_dump **dump)
{
    struct w_dump *d = *dump;

    *dump = NULL;
    if (!d)
        return;
    w_xml_free(d->xml);
    w_wiki_site_free(d->site);
    w_buffer_free(&d->title);
    w_buffer_free(&d->text);
    w_buffer_free(&d->word);
    free(d->address);
    free(d);
}

enum w_status w_dump_begin(struct w_dump *d, struct w_err *err)
{
    enum w_status status = w_xml_begin(d->xml, err);

    if (status)
        return status;
    w_wiki_site_free(d->site);
    d->site = NULL;
    free(d->address);
    d->address = NULL;
    d->depth = 0;
    d->stack[0] = DOCUMENT;
    d->has_site = d->has_page = false;
    status = w_wiki_site_new(&d->site, err);
    while (!status && !d->has_site)
        status = w_xml_run(d->xml, err);
    /* At the end of an empty dump w_dump_next() gives W_END again. */
    return status == W_END ? W_DONE : status;
}

enum w_status w_dump_next(struct w_dump *d, struct w_page *page, struct w_err *err)
{
    enum w_status status = W_DONE;

    while (!status && !d->has_page)
        status = w_xml_run(d->xml, err);
    if (status)
        return status;
    d->has_page = false;
    *page = d->page;
    return W_DONE;
}

const struct w_wiki_site *w_dump_site(const struct w_dump *d)
{
    return d->site;
}

const char *w_dump_address(const struct w_dump *d)
{
    return d->address ? d->address : "";
}
