/* [[links]], [http://links to elsewhere] and -{variants of a language's script}-. */
#include "wiki/render.h"

/* "[[Help:Wheel (vehicle)|]]" is short for "[[Help:Wheel (vehicle)|Wheel]]". */
static struct w_span short_name(struct w_span target)
{
    const u8 *colon = target.size ? memchr(target.at, ':', target.size) : NULL;
    const u8 *cut;

    if (colon) {
        target.size -= (size_t)(colon + 1 - target.at);
        target.at = colon + 1;
    }
    if (target.size && target.at[target.size - 1] == ')' &&
        (cut = memrchr(target.at, '(', target.size)))
        target.size = (size_t)(cut - target.at);
    else if (target.size && (cut = memchr(target.at, ',', target.size)))
        target.size = (size_t)(cut - target.at);
    return w_span_trim(target);
}

void w_link(struct w_wikitext *r, u32 index)
{
    struct w_range label = w_inside(r, index), rest = label;
    u32 bar = w_find(r, &rest, '|');
    struct w_span target = w_span_trim(w_source(r, label.begin, bar));

    if (w_wiki_site_link(r->options.site, target) != W_LINK_PAGE) {
        w_mark(r, W_MARK_HOLE);
        return;
    }
    if (bar == label.end) {
        if (target.size && *target.at == ':')
            label.begin = (u32)(target.at + 1 - r->source);
        w_walk(r, label, false);
    } else if (w_span_trim(w_source(r, bar + 1, label.end)).size == 0) {
        w_plain(r, short_name(target));
    } else {
        rest.begin = bar + 1;
        w_walk(r, rest, false);
    }
}

void w_address(struct w_wikitext *r, u32 index)
{
    struct w_range label = w_inside(r, index);

    label.begin = w_find(r, &label, ' ');
    if (label.begin == label.end) {
        w_mark(r, W_MARK_HOLE); /* seen as a number in brackets */
        return;
    }
    label.begin++;
    w_walk(r, label, false);
}

/* "-{zh-hans:one; zh-hant:other}-" shows the first; "-{text}-" text as it is; "-{T|...}-" and some other
 * letters before a bar define what is seen elsewhere. */
void w_variant(struct w_wikitext *r, u32 index)
{
    struct w_range rule = w_inside(r, index), rest = rule;
    u32 bar = w_find(r, &rest, '|'), end;

    if (bar < rule.end) {
        for (u32 i = rule.begin; i < bar; i++)
            if (memchr("HTDN-", r->source[i], 5))
                return;
        rule = rest;
        rule.begin = bar + 1;
    }
    rest = rule;
    end = w_find(r, &rest, ':');
    if (end < rule.end) {
        rule = rest;
        rule.begin = end + 1;
        rest = rule;
        rule.end = w_find(r, &rest, ';');
    }
    w_walk(r, rule, false);
}
