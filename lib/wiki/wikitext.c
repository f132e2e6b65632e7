/* A page goes through the three steps that wikitext.h shows; the buffers between them are kept for
 * the next page. */
#include <stdlib.h>

#include "wiki/render_private.h"

#define PAGE_MAX ((size_t)1 << 30) /* bytes: offsets have 32 bits, and MediaWiki's limit is 2 MiB */

enum w_status w_wikitext_new(struct w_wikitext **renderer, const struct w_wikitext_options *options,
                             struct w_err *err)
{
    struct w_wikitext *r = calloc(1, sizeof *r);
    enum w_status status = W_DONE;

    *renderer = NULL;
    if (!r)
        return w_fail(err, W_NOMEM, "no memory for a renderer of wikitext");
    r->options = *options;
    r->language = w_wiki_language_of(w_wiki_site_language(r->options.site));
    r->variants = w_wiki_site_has_variants(r->options.site);
    if (!r->options.inlines) {
        status = w_inline_table_new(&r->own_inlines, r->options.site, err);
        r->options.inlines = r->own_inlines;
    }
    if (status)
        w_wikitext_free(r);
    else
        *renderer = r;
    return status;
}

void w_wikitext_free(struct w_wikitext *r)
{
    if (!r)
        return;
    w_inline_table_free(r->own_inlines);
    w_markup_free(&r->markup);
    w_buffer_free(&r->marked);
    w_buffer_free(&r->text);
    free(r);
}

enum w_status w_wikitext_render(struct w_wikitext *r, struct w_span title, struct w_span source,
                                struct w_span *text, struct w_err *err)
{
    enum w_status status;

    *text = (struct w_span){0};
    if (source.size == 0)
        return W_DONE;
    if (source.size > PAGE_MAX)
        return w_fail(err, W_LIMIT, "a page of %zu bytes; the limit is %zu", source.size, PAGE_MAX);
    status = w_markup_scan(&r->markup, source, r->variants, err);
    if (status)
        return status;
    r->marked.size = r->text.size = 0;
    r->source = source.at;
    r->title = title;
    r->quotes = (struct w_quotes){0};
    r->poems = 0;
    w_wiki_walk(r, (struct w_range){0, (u32)source.size, 0}, true);
    w_wiki_quotes_end_line(r);
    w_wiki_finish(&r->options, (struct w_span){r->marked.at, r->marked.size}, &r->text);
    if (r->marked.failed || r->text.failed)
        return w_fail(err, W_NOMEM, "no memory for the text of a page of %zu bytes", source.size);
    *text = (struct w_span){r->text.at, r->text.size};
    return W_DONE;
}
