/* Tags and their content, by the kind of the tag (tag.h). <sup> and <sub> leave no mark: the place
 * in the output where they begin is remembered, and at their end script.c changes what was appended
 * since. */
#include "wiki/render_private.h"

/* Without empty lines around it and spaces after it. */
static struct w_span trimmed_lines(struct w_span body)
{
    struct w_span text = w_span_trim(body);

    /* The spaces before its first line stay. */
    while (text.size && text.at > body.at && text.at[-1] != '\n') {
        text.at--;
        text.size++;
    }
    return text;
}

/* <syntaxhighlight inline> stands in a sentence, and so did <source enclose="none">; all else of
 * this kind is a block, be it one line. */
static bool is_inline(struct w_span tag)
{
    return memmem(tag.at, tag.size, "inline", 6) || memmem(tag.at, tag.size, "none", 4);
}

static void preformatted(struct w_wikitext *r, struct w_span tag, struct w_span body)
{
    static const struct w_span marks[] = {{(const u8 *)"<nowiki>", 8},
                                          {(const u8 *)"</nowiki>", 9}};
    bool block = !is_inline(tag) || memchr(body.at, '\n', body.size);

    body = block ? trimmed_lines(body) : w_span_trim(body);
    if (block)
        w_wiki_put_mark(r, W_MARK_BLOCK);
    w_wiki_put_mark(r, W_MARK_RAW);
    for (size_t i = 0; i < W_COUNTOF(marks); i++) { /* <nowiki> in <pre> adds nothing */
        const u8 *found = memmem(body.at, body.size, marks[i].at, marks[i].size);
        if (!found)
            break;
        w_wiki_put_plain(r, (struct w_span){body.at, (size_t)(found - body.at)});
        body = w_span_from(body, (size_t)(found - body.at) + marks[i].size);
    }
    w_wiki_put_plain(r, body);
    w_wiki_put_mark(r, W_MARK_RAW_END);
    if (block)
        w_wiki_put_mark(r, W_MARK_BLOCK);
}

/* TeX in one line. A space goes between two braces, which TeX ignores, so that no text seems to
 * hold a template. */
void w_wiki_put_mathematics(struct w_wikitext *r, struct w_span tex)
{
    struct w_buffer *out = &r->marked;

    if (r->options.math) {
        if (!*r->options.math)
            w_wiki_put_mark(r, W_MARK_HOLE);
        w_buffer_span(out, w_span_of(r->options.math));
        return;
    }
    tex = w_span_trim(tex);
    for (size_t i = 0; i < tex.size; i++) {
        u8 c = tex.at[i];
        if (c == '&') {
            i += w_wiki_put_reference(r, w_span_from(tex, i), false) - 1;
        } else if (c <= ' ') {
            w_buffer_byte(out, ' ');
        } else {
            if ((c == '{' || c == '}') && i && tex.at[i - 1] == c)
                w_buffer_byte(out, ' ');
            w_buffer_byte(out, c);
        }
    }
}

void w_wiki_put_tag(struct w_wikitext *r, u32 index)
{
    const struct w_markup *m = &r->markup.items[index];
    size_t around;

    switch (w_tag_kind(m->tag)) {
    case W_TAG_INLINE: break;
    case W_TAG_BREAK:
    case W_TAG_LINE: w_wiki_put_mark(r, W_MARK_LINE); break;
    case W_TAG_BLOCK: w_wiki_put_mark(r, W_MARK_BLOCK); break;
    case W_TAG_CELL:
        if (!m->closing && w_buffer_last(&r->marked) != W_MARK_LINE)
            w_buffer_put(&r->marked, " | ", 3);
        break;
    case W_TAG_SUP:
        if (m->closing)
            w_wiki_superscript(r, r->sup);
        around = m->closing ? SIZE_MAX : r->sup;
        r->sup = m->closing ? r->sup_around : r->marked.size;
        r->sup_around = around;
        break;
    case W_TAG_SUB:
        if (m->closing)
            w_wiki_subscript(r, r->sub);
        r->sub = m->closing ? SIZE_MAX : r->marked.size;
        break;
    case W_TAG_POEM:
        if (!m->closing)
            r->poems++;
        else if (r->poems)
            r->poems--;
        w_wiki_put_mark(r, W_MARK_BLOCK);
        break;
    case W_TAG_NOWIKI: w_wiki_put_mark(r, W_MARK_NOTHING); break;
    default: w_wiki_put_mark(r, W_MARK_HOLE); /* <ref/>, or a closing tag without an opening one */
    }
}

void w_wiki_put_element(struct w_wikitext *r, u32 index)
{
    const struct w_markup *m = &r->markup.items[index];
    struct w_span body = w_wiki_source(r, m->body, m->body_end);

    switch (w_tag_kind(m->tag)) {
    case W_TAG_TABLE:
        w_wiki_put_mark(r, W_MARK_BLOCK);
        if (r->options.tables)
            w_wiki_walk(r, w_wiki_inside(r, index), false);
        else
            w_wiki_put_mark(r, W_MARK_HOLE);
        w_wiki_put_mark(r, W_MARK_BLOCK);
        break;
    case W_TAG_NOWIKI: w_wiki_put_plain(r, body); break;
    case W_TAG_PRE: preformatted(r, w_wiki_source(r, m->begin, m->body), body); break;
    case W_TAG_MATH: w_wiki_put_mathematics(r, body); break;
    case W_TAG_INLINE: w_wiki_put_mark(r, W_MARK_NOTHING); break; /* of a style that hides it */
    default: w_wiki_put_mark(r, W_MARK_HOLE);
    }
}
