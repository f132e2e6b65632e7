/* The second step. The walk alternates: text up to the next markup, which is copied except for
 * entities, quotes and control characters; then that markup, which goes to the file of its kind and
 * is skipped. At a line end in the text line.c looks at the beginning of the next line.
 *
 * Why it is linear: w_wiki_find() and w_wiki_line_skip() skip closed markup as well, so that only
 * the innermost markup around a byte reads it, a fixed number of times, and no template writes an
 * argument twice. The calls nest as the markup does, W_MARKUP_DEPTH deep. */
#include "base/lanes.h"
#include "wiki/render_private.h"

/* MediaWiki's words between double underscores. Those of other languages are recognized by their
 * form, in wikis of these: capital letters, as in __SIN_TDC__, and not what programs have. */
static const char magic_words[] =
    " TOC NOTOC FORCETOC NOEDITSECTION NEWSECTIONLINK NONEWSECTIONLINK NOGALLERY HIDDENCAT "
    "NOCONTENTCONVERT NOCC NOTITLECONVERT NOTC INDEX NOINDEX STATICREDIRECT NOGLOBAL DISAMBIG "
    "EXPECTUNUSEDCATEGORY EXPECTUNUSEDTEMPLATE ARCHIVEDTALK NOTALK EXPECTED_UNCONNECTED_PAGE START "
    "END ";
static const char program_words[] =
    " FILE LINE DATE TIME DIR CLASS FUNCTION FUNC METHOD NAMESPACE DATA COUNTER STDC VERSION ";

/* The size of a magic word that begins at text[0], or 0. */
static size_t magic_word(struct w_span text, bool english)
{
    char word[40] = " ";
    size_t size = 2;
    bool foreign = false;

    while (size < text.size && size < sizeof word - 2 &&
           !(text.at[size] == '_' && size + 1 < text.size && text.at[size + 1] == '_')) {
        u8 c = text.at[size];
        if (c < 0x80 && c != '_' && !(c >= 'A' && c <= 'Z'))
            return 0;
        foreign |= c >= 0x80;
        word[size++ - 1] = (char)c;
    }
    word[size - 1] = ' ';
    if (size == 2 || size + 2 > text.size || text.at[size] != '_')
        return 0;
    bool known = memmem(magic_words, sizeof magic_words - 1, word, size);
    foreign |= !english && size > 4 && !memmem(program_words, sizeof program_words - 1, word, size);
    return foreign || known ? size + 2 : 0;
}

size_t w_wiki_put_reference(struct w_wikitext *r, struct w_span text, bool twice)
{
    u32 code, inner;
    size_t size = w_entity_parse(text, &code), more;

    if (!size) {
        w_buffer_byte(&r->marked, '&');
        return 1;
    }
    /* "&amp;nbsp;" was meant as a space, "&amp;lt;" as the text "&lt;". The second reference is
     * parsed from the ';' of the first, which stands in for its '&'. */
    if (twice && code == '&') {
        more = w_entity_parse(w_span_from(text, size - 1), &inner);
        if (more && inner >= 0x80) {
            code = inner;
            size += more - 1;
        }
    }
    switch (code) {
    case '\t':
    case '\n':
    case 0xA0: w_buffer_byte(&r->marked, ' '); break;
    case 0xAD: /* soft hyphen, and marks of width and direction: invisible */
    case 0x200B:
    case 0x200E:
    case 0x200F:
    case 0xFEFF: break;
    default: w_buffer_code(&r->marked, code);
    }
    return size;
}

void w_wiki_put_plain(struct w_wikitext *r, struct w_span text)
{
    for (size_t i = 0; i < text.size;) {
        size_t from = i;
        while (i < text.size && text.at[i] != '&' &&
               (text.at[i] >= ' ' || text.at[i] == '\n' || text.at[i] == '\t'))
            i++;
        w_buffer_put(&r->marked, text.at + from, i - from);
        if (i < text.size && text.at[i] == '&')
            i += w_wiki_put_reference(r, w_span_from(text, i), false);
        else
            i++; /* a control character is dropped */
    }
}

/* The next control character or sign that is not text as it stands. */
static u32 next_special(const u8 *text, u32 at, u32 end)
{
    for (; end - at >= W_LANES; at += W_LANES) {
        w_lanes x = w_lanes_load(text + at);
        u32 first = w_lanes_first((w_lanes)((x < ' ') | (x == '&') | (x == '_') | (x == '\'')));
        if (first < W_LANES)
            return at + first;
    }
    while (at < end && text[at] >= ' ' && text[at] != '&' && text[at] != '_' && text[at] != '\'')
        at++;
    return at;
}

/* Text up to the next markup. Stops after the end of a line. */
static void text(struct w_wikitext *r, struct w_range *g, u32 stop)
{
    const u8 *t = r->source;
    u32 at = g->begin, from, run;
    size_t size;

    while (at < stop) {
        from = at;
        at = next_special(t, at, stop);
        w_buffer_put(&r->marked, t + from, at - from);
        if (at == stop)
            break;
        switch (t[at]) {
        case '\n':
            w_wiki_quotes_end_line(r);
            if (r->poems && w_buffer_last(&r->marked) != '\n')
                w_wiki_put_mark(r, W_MARK_LINE);
            w_buffer_byte(&r->marked, '\n');
            g->begin = at + 1;
            w_wiki_line_begin(r, g);
            return;
        case '&': at += (u32)w_wiki_put_reference(r, w_wiki_source(r, at, stop), true); break;
        case '\'':
            for (run = 1; at + run < stop && t[at + run] == '\'';)
                run++;
            if (run == 1)
                w_buffer_byte(&r->marked, '\'');
            else
                w_wiki_quotes_run(r, run);
            at += run;
            break;
        case '_':
            size = at + 1 < stop && t[at + 1] == '_'
                       ? magic_word(w_wiki_source(r, at, stop), r->language.english)
                       : 0;
            w_buffer_byte(&r->marked, size ? W_MARK_NOTHING : '_');
            at += size ? (u32)size : 1;
            break;
        default:
            if (t[at] == '\t')
                w_buffer_byte(&r->marked, ' ');
            at++;
        }
    }
    g->begin = at;
}

/* A comment that is alone on its lines is removed with their ends. */
static void comment(struct w_wikitext *r, struct w_range *g)
{
    const struct w_markup *m = &r->markup.items[g->markup];
    u32 before = m->begin, after = m->end;

    while (before && (r->source[before - 1] == ' ' || r->source[before - 1] == '\t'))
        before--;
    while (after < g->end && (r->source[after] == ' ' || r->source[after] == '\t'))
        after++;
    g->begin = m->end;
    g->markup++;
    if ((before == 0 || r->source[before - 1] == '\n') && after < g->end &&
        r->source[after] == '\n') {
        g->begin = after + 1;
        w_wiki_line_begin(r, g);
    }
}

/* An opening mark that is not closed, or is closed after the end of the range: a tag leaves a hole,
 * of a table its first line goes, any other mark is text. */
static void unclosed(struct w_wikitext *r, struct w_range *g)
{
    const struct w_markup *m = &r->markup.items[g->markup];
    bool tag =
        m->kind == W_MARKUP_ELEMENT || m->kind == W_MARKUP_TAG || m->kind == W_MARKUP_COMMENT;

    g->markup++;
    g->begin = W_MIN(m->body, g->end);
    if (m->kind == W_MARKUP_TABLE)
        g->begin = w_wiki_line_skip(r, g);
    if (m->kind == W_MARKUP_TABLE || tag)
        w_wiki_put_mark(r, W_MARK_HOLE);
    else
        w_buffer_span(&r->marked, w_wiki_source(r, m->begin, g->begin));
}

static void markup(struct w_wikitext *r, struct w_range *g)
{
    const struct w_markup *m = &r->markup.items[g->markup];

    if ((m->end == 0 && m->kind != W_MARKUP_NOTHING) || m->end > g->end) {
        unclosed(r, g);
        return;
    }
    if (m->kind == W_MARKUP_COMMENT) {
        comment(r, g);
        return;
    }
    switch (m->kind) {
    case W_MARKUP_TEMPLATE: w_wiki_put_template(r, g->markup); break;
    case W_MARKUP_ARGUMENT: w_wiki_put_argument(r, g->markup); break;
    case W_MARKUP_LINK: w_wiki_put_link(r, g->markup); break;
    case W_MARKUP_URL: w_wiki_put_address(r, g->markup); break;
    case W_MARKUP_TABLE: w_wiki_put_table(r, g->markup); break;
    case W_MARKUP_VARIANT: w_wiki_put_variant(r, g->markup); break;
    case W_MARKUP_TAG: w_wiki_put_tag(r, g->markup); break;
    case W_MARKUP_NOTHING: break;
    default: w_wiki_put_element(r, g->markup);
    }
    g->begin = m->end;
    g->markup = m->next;
}

void w_wiki_walk(struct w_wikitext *r, struct w_range g, bool at_line)
{
    const struct w_markup *items = r->markup.items;
    const size_t sup = r->sup, sup_around = r->sup_around, sub = r->sub;

    /* A tag in the range closes none outside it: the caller relies on the output before the range,
     * which must not change. */
    r->sup = r->sup_around = r->sub = SIZE_MAX;
    if (at_line)
        w_wiki_line_begin(r, &g);
    while (g.begin < g.end) {
        while (items[g.markup].begin < g.begin)
            g.markup++;
        u32 next = items[g.markup].begin;
        if (next == g.begin)
            markup(r, &g);
        else
            text(r, &g, W_MIN(next, g.end));
    }
    r->sup = sup;
    r->sup_around = sup_around;
    r->sub = sub;
}

u32 w_wiki_find(const struct w_wikitext *r, struct w_range *g, u8 c)
{
    const struct w_markup *items = r->markup.items;
    u32 at = g->begin;

    for (;;) {
        while (items[g->markup].begin < at)
            g->markup++;
        const struct w_markup *m = &items[g->markup];
        u32 stop = W_MIN(m->begin, g->end);
        const u8 *found = at < stop ? memchr(r->source + at, c, stop - at) : NULL;
        if (found)
            return (u32)(found - r->source);
        if (m->begin >= g->end)
            return g->end;
        bool closed = m->end && m->end <= g->end;
        at = closed ? m->end : m->body;
        g->markup = closed ? m->next : g->markup + 1;
    }
}
