#include "wiki/wikitext.h"

#include <stdlib.h>
#include <string.h>

struct w_wikitext {
    struct w_wikitext_options options;
    u8 *text;
};

enum w_status w_wikitext_new(struct w_wikitext **r, const struct w_wikitext_options *options,
                             struct w_err *err)
{
    *r = calloc(1, sizeof **r);
    if (!*r)
        return w_fail(err, W_NOMEM, "no memory for a renderer of wikitext");
    (*r)->options = *options;
    return W_DONE;
}

void w_wikitext_free(struct w_wikitext *r)
{
    if (r)
        free(r->text);
    free(r);
}

enum w_status w_wikitext_render(struct w_wikitext *r, struct w_span title, struct w_span source,
                                struct w_span *text, struct w_err *err)
{
    (void)title;
    free(r->text);
    r->text = malloc(source.size + 1);
    if (!r->text)
        return w_fail(err, W_NOMEM, "no memory for a page of %zu bytes", source.size);
    memcpy(r->text, source.at, source.size);
    *text = (struct w_span){r->text, source.size};
    return W_DONE;
}
