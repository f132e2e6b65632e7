/* site.h - the words before the colon of a link that give its kind, in the language of a wiki.
 *
 * [[Datei:Rad.jpg|mini|Ein Rad]] is a picture and [[Kategorie:Rad]] a category of the German
 * Wikipedia. A dump names the namespaces of its wiki in <siteinfo>, but not their other names, such
 * as Bild: these come from a table by language (site_names.h). English names hold everywhere.
 *
 *     w_wiki_site_new(&site, &err);
 *     w_wiki_site_set_language(site, w_span_of("de"), &err);  // <mediawiki xml:lang="de">
 *     w_wiki_site_add(site, 6, w_span_of("Datei"), &err);     // namespaces key="6": Datei
 *
 * Once renderers use a site it does not change; any number of threads may read it. */
#ifndef W_SITE_H
#define W_SITE_H

#include "base/status.h"
#include "wiki/span.h"

/* The kind of a link, by the word before its first colon. */
enum w_link_kind {
    W_LINK_PAGE,     /* a page: the label is text */
    W_LINK_FILE,     /* a picture or sound, with a caption */
    W_LINK_CATEGORY, /* not visible where it stands */
    W_LINK_LANGUAGE, /* the same page in another language: not visible where it stands */
};

#define W_LANGUAGE_BYTES 24 /* of the code of a language, and a 0 */

struct w_wiki_site;

/* A site without names of its own. Fails with W_NOMEM. */
enum w_status w_wiki_site_new(struct w_wiki_site **, struct w_err *) W_MUST_CHECK;
void w_wiki_site_free(struct w_wiki_site *); /* accepts NULL */

/* The language that the wiki is written in, by its code: "de", "zh-hant". Adds the names that wikis
 * of this language have. A code that is too long changes nothing. Call it once. Fails with
 * W_NOMEM. */
enum w_status w_wiki_site_set_language(struct w_wiki_site *, struct w_span code,
                                       struct w_err *) W_MUST_CHECK;
/* Its code in small letters; "" if it is not known, or without a site. */
const char *w_wiki_site_language(const struct w_wiki_site *);
/* The address of the wiki, as <base> has it, by which a Wiktionary is recognized. */
void w_wiki_site_set_address(struct w_wiki_site *, struct w_span address);
bool w_wiki_site_is_wiktionary(const struct w_wiki_site *);
/* Does the wiki convert between scripts, so that -{ }- is markup? */
bool w_wiki_site_has_variants(const struct w_wiki_site *);

/* Add a namespace: its number in MediaWiki and its name in the wiki's language. For links, files
 * (6) and categories (14) matter. The name is copied. Fails with W_NOMEM. */
enum w_status w_wiki_site_add(struct w_wiki_site *, int key, struct w_span name,
                              struct w_err *) W_MUST_CHECK;

/* The number of the namespace whose name stands before a page's title; 0 if there is none. */
int w_wiki_site_namespace(const struct w_wiki_site *, struct w_span title);

/* Is it a name of the namespace of templates? The site may be NULL. */
bool w_wiki_site_is_template(const struct w_wiki_site *, struct w_span prefix);

/* Is it a word that gives a picture a frame, in any language: "thumb", "mini", "vignette"? */
bool w_wiki_is_frame(struct w_span word);

/* The kind of a link's target, without the brackets. The site may be NULL: English names. */
enum w_link_kind w_wiki_site_link(const struct w_wiki_site *, struct w_span target);

#endif
