/* dump.h - the pages of a MediaWiki XML dump, one after the other.
 *
 *     w_dump_open(&d, unpack, name, &err);
 *     while (!(status = w_dump_begin(d, &err)))               // a <mediawiki>: mostly there is one
 *         while (!(status = w_dump_next(d, &page, &err)))     // W_END after its last page
 *             use(w_dump_site(d), &page);
 *     w_dump_close(&d);
 *
 * Of a page with several revisions the text is that of the last one. Every page is given, redirects
 * and talk pages included; the caller decides which to leave out. */
#ifndef W_DUMP_H
#define W_DUMP_H

#include "sys/unpack.h"
#include "wiki/site.h"
#include "wiki/span.h"

#define W_PAGE_BYTES ((size_t)64 << 20) /* largest text of a page; MediaWiki's own limit is 2 MiB */

struct w_page {
    u64 id;
    i64 ns; /* namespace; 0 has the articles. In old dumps, which do not give it, by the title */
    struct w_span title,
        text;      /* valid until the next call; the text is empty for deleted ones too */
    bool redirect; /* has <redirect>, whatever the language; or its text begins with #REDIRECT */
    bool wikitext; /* not JSON, CSS, Lua... */
};

struct w_dump;

/* Unpack and name stay the caller's and have to live as long. Fails with W_NOMEM. */
enum w_status w_dump_open(struct w_dump **, struct w_unpack *, const char *name,
                          struct w_err *err) W_MUST_CHECK;
void w_dump_close(struct w_dump **); /* accepts NULL */

/* Go to the next <mediawiki> and read its <siteinfo>, if it has one. W_END if there is no more.
 * W_CORRUPT for XML that is broken or not a dump, W_TRUNCATED where it ends before its last tag,
 * W_LIMIT for what xml.h and W_PAGE_BYTES do not allow; W_NOMEM; and as w_unpack_next(). */
enum w_status w_dump_begin(struct w_dump *, struct w_err *err) W_MUST_CHECK;
/* The next page. W_END after the last of this <mediawiki>; else fails as w_dump_begin(). */
enum w_status w_dump_next(struct w_dump *, struct w_page *, struct w_err *err) W_MUST_CHECK;

/* From <mediawiki> and <siteinfo>: the language and the names of namespaces; and the address of a
 * page up to its id, such as "https://en.wikipedia.org/wiki?curid=", or "". Valid until the next
 * w_dump_begin(). */
const struct w_wiki_site *w_dump_site(const struct w_dump *);
const char *w_dump_address(const struct w_dump *);

#endif
