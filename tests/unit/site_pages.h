/* site_pages.h - pages of a wiki of some language, and the text that they have to give. */
#ifndef SITE_PAGES_H
#define SITE_PAGES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "wiki/wikitext.h"

struct pair {
    const char *wikitext, *text;
};

/* What pages of a wiki give, by its language and its address or NULL. */
static inline void check(const char *language, const char *address, const struct pair *pairs,
                         size_t count)
{
    struct w_err err;
    struct w_wikitext_options options = {0};
    struct w_wiki_site *site = NULL;
    struct w_wikitext *r = NULL;

    assert_int_equal(w_wiki_site_new(&site, &err), 0);
    assert_int_equal(w_wiki_site_set_language(site, w_span_of(language), &err), 0);
    w_wiki_site_set_address(site, w_span_of(address));
    options.site = site;
    assert_int_equal(w_wikitext_new(&r, &options, &err), 0);
    for (size_t i = 0; i < count; i++) {
        struct w_span text;
        assert_int_equal(
            w_wikitext_render(r, W_SPAN("Title"), w_span_of(pairs[i].wikitext), &text, &err), 0);
        if (!w_span_is(text, w_span_of(pairs[i].text)))
            fail_msg("%s: %s\n    gives: %.*s\n    wants: %s", language, pairs[i].wikitext,
                     (int)text.size, (const char *)text.at, pairs[i].text);
    }
    w_wikitext_free(r);
    w_wiki_site_free(site);
}

#define CHECK(language, ...)                                                                       \
    do {                                                                                           \
        static const struct pair pairs[] = {__VA_ARGS__};                                          \
        check(language, NULL, pairs, W_COUNTOF(pairs));                                            \
    } while (0)

#endif
