/* [[links]], [http://links to elsewhere] and -{variants of a language's script}-. */
#include "wiki/render_private.h"

/* "[[Help:Wheel (vehicle)|]]" is short for "[[Help:Wheel (vehicle)|Wheel]]". */
static struct w_span short_name(struct w_span target)
{
    const u8 *colon = target.size ? memchr(target.at, ':', target.size) : NULL;
    const u8 *cut;

    if (colon)
        target = w_span_from(target, (size_t)(colon + 1 - target.at));
    if (target.size && target.at[target.size - 1] == ')' &&
        (cut = memrchr(target.at, '(', target.size)))
        target.size = (size_t)(cut - target.at);
    else if (target.size && (cut = memchr(target.at, ',', target.size)))
        target.size = (size_t)(cut - target.at);
    return w_span_trim(target);
}

/* Does a name end as that of a picture does? */
static bool is_picture(struct w_span target)
{
    static const char *const endings[] = {".jpg",  ".jpeg", ".png",  ".svg", ".gif",
                                          ".webp", ".tif",  ".tiff", ".bmp", ".djvu",
                                          ".pdf",  ".xcf",  ".ogv",  ".webm"};

    for (size_t i = 0; i < W_COUNTOF(endings); i++) {
        size_t size = strlen(endings[i]);
        if (target.size > size &&
            w_span_is_word(w_span_from(target, target.size - size), w_span_of(endings[i])))
            return true;
    }
    return false;
}

/* "200px", "200x150px", "x150px" */
static bool is_size(struct w_span word)
{
    size_t at = 0, digits = 0;

    while (at < word.size && (w_is_digit(word.at[at]) || word.at[at] == 'x'))
        digits += w_is_digit(word.at[at++]);
    return digits && word.size == at + 2 && !memcmp(word.at + at, "px", 2);
}

/* A picture under a name of the namespace that no list has: "[[X:wheel.jpg|thumb|A wheel]]". rest
 * begins after the first bar. */
static bool looks_like_picture(const struct w_wikitext *r, struct w_span target,
                               struct w_range rest)
{
    if (!target.size || *target.at == ':' || !memchr(target.at, ':', target.size) ||
        !is_picture(target))
        return false;
    while (rest.begin < rest.end) {
        u32 begin = rest.begin, end = w_wiki_find(r, &rest, '|');
        struct w_span word = w_span_trim(w_wiki_source(r, begin, end));
        if (is_size(word) || w_wiki_is_frame(word))
            return true;
        rest.begin = W_MIN(end + 1, rest.end);
    }
    return false;
}

void w_wiki_put_link(struct w_wikitext *r, u32 index)
{
    struct w_range label = w_wiki_inside(r, index), rest = label;
    u32 bar = w_wiki_find(r, &rest, '|');
    struct w_span target = w_span_trim(w_wiki_source(r, label.begin, bar));

    enum w_link_kind kind = w_wiki_site_link(r->options.site, target);

    if (kind == W_LINK_PAGE && bar < label.end) {
        rest.begin = bar + 1;
        if (looks_like_picture(r, target, rest))
            kind = W_LINK_FILE;
    }
    if (kind != W_LINK_PAGE) {
        w_wiki_put_mark(r, kind == W_LINK_FILE ? W_MARK_HOLE : W_MARK_NOTHING);
        return;
    }
    if (bar == label.end) {
        if (target.size && *target.at == ':')
            label.begin = (u32)(target.at + 1 - r->source);
        w_wiki_walk(r, label, false);
    } else if (w_span_trim(w_wiki_source(r, bar + 1, label.end)).size == 0) {
        w_wiki_put_plain(r, short_name(target));
    } else {
        rest.begin = bar + 1;
        w_wiki_walk(r, rest, false);
    }
}

/* The end of the address at the beginning of a link; moves the range's markup there. */
static u32 address_end(const struct w_wikitext *r, struct w_range *g)
{
    u32 at = g->begin;

    while (at < g->end) {
        const struct w_markup *m = &r->markup.items[g->markup];
        u8 c = r->source[at];
        if (at == m->begin && (m->kind == W_MARKUP_TEMPLATE || m->kind == W_MARKUP_COMMENT) &&
            m->end && m->end <= g->end) { /* part of the address */
            at = m->end;
            g->markup = m->next;
            continue;
        }
        if (c <= ' ' || c == '"' || c == '<' || c == '>' || c == '[' ||
            (c == '\'' && at + 1 < g->end && r->source[at + 1] == '\''))
            break;
        if (at == m->begin)
            g->markup++;
        at++;
    }
    return at;
}

void w_wiki_put_address(struct w_wikitext *r, u32 index)
{
    struct w_range label = w_wiki_inside(r, index);

    label.begin = address_end(r, &label);
    while (label.begin < label.end && w_is_blank(r->source[label.begin]))
        label.begin++;
    if (label.begin < label.end)
        w_wiki_walk(r, label, false);
    else
        w_wiki_put_mark(r, W_MARK_HOLE); /* shown as a number in brackets */
}

/* "-{zh-hans:one; zh-hant:other}-" shows the first; "-{text}-" text as it is; "-{T|...}-" and
 * some other letters before a bar define conversions for the rest of the page and show nothing
 * here. */
void w_wiki_put_variant(struct w_wikitext *r, u32 index)
{
    struct w_range rule = w_wiki_inside(r, index), rest = rule;
    u32 bar = w_wiki_find(r, &rest, '|'), end;

    if (bar < rule.end) {
        for (u32 i = rule.begin; i < bar; i++)
            if (memchr("HTDN-", r->source[i], 5))
                return;
        rule = rest;
        rule.begin = bar + 1;
    }
    rest = rule;
    end = w_wiki_find(r, &rest, ':');
    if (end < rule.end) {
        rule = rest;
        rule.begin = end + 1;
        rest = rule;
        rule.end = w_wiki_find(r, &rest, ';');
    }
    w_wiki_walk(r, rule, false);
}
