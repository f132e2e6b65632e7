/* Markup at the beginning of a line: headings, lists, rows of tables. A heading and a term are
 * walked here, up to the end of the line or to the colon; of the others only the sign is taken, and
 * the walk that called goes on after it. */
#include "wiki/render_private.h"

#define LEVEL_MAX 6

static u32 run_of(const struct w_wikitext *r, u32 at, u32 end, u8 c)
{
    u32 from = at;

    while (at < end && r->source[at] == c)
        at++;
    return at - from;
}

u32 w_wiki_line_skip(struct w_wikitext *r, struct w_range *g)
{
    const struct w_markup *items = r->markup.items;
    u32 at = g->begin, line_end = g->begin;

    for (;;) {
        if (at >= line_end) {
            const u8 *found = at < g->end ? memchr(r->source + at, '\n', g->end - at) : NULL;
            line_end = found ? (u32)(found - r->source) : g->end;
        }
        while (items[g->markup].begin < at)
            g->markup++;
        const struct w_markup *m = &items[g->markup];
        if (m->begin >= line_end)
            return line_end;
        bool closed = m->end && m->end <= g->end;
        at = closed ? m->end : m->body;
        g->markup = closed ? m->next : g->markup + 1;
    }
}

/* "== Heading ==", perhaps with comments after it. */
static void heading(struct w_wikitext *r, struct w_range *g)
{
    struct w_range line = *g;
    u32 line_end = w_wiki_line_skip(r, &line), end = line_end;
    u32 lead = run_of(r, g->begin, line_end, '='), trail = 0;

    for (u32 i = line.markup;; i--) {
        while (end > g->begin && w_is_blank(r->source[end - 1]))
            end--;
        if (i == g->markup || r->markup.items[i - 1].kind != W_MARKUP_COMMENT ||
            r->markup.items[i - 1].end != end)
            break;
        end = r->markup.items[i - 1].begin;
    }
    while (end - trail > g->begin && r->source[end - trail - 1] == '=')
        trail++;
    u32 level = W_MIN(W_MIN(lead, trail), LEVEL_MAX);
    if (!trail || lead + trail >= end - g->begin)
        return;
    r->poems = 0; /* one that is not closed ends with its section */
    w_wiki_put_mark(r, W_MARK_HEADING);
    w_buffer_byte(&r->marked, (u8)('0' + level));
    w_wiki_walk(r, (struct w_range){g->begin + level, end - level, g->markup}, false);
    g->begin = line_end;
    g->markup = line.markup;
}

/* "; term : definition": two lines. */
static void term(struct w_wikitext *r, struct w_range *g)
{
    struct w_range rest = *g, line = *g;

    line.end = w_wiki_line_skip(r, &rest);
    rest = line;
    u32 colon = w_wiki_find(r, &rest, ':');
    if (colon == line.end || (colon + 1 < line.end && r->source[colon + 1] == '/'))
        return; /* no colon, or that of an address */
    line.end = colon;
    w_wiki_walk(r, line, false);
    w_wiki_put_mark(r, W_MARK_LINE);
    g->begin = colon + 1;
    g->markup = rest.markup;
}

static bool is_blank_line(const struct w_wikitext *r, const struct w_range *g)
{
    u32 at = g->begin;

    while (at < g->end && (r->source[at] == ' ' || r->source[at] == '\t'))
        at++;
    return at == g->end || r->source[at] == '\n';
}

void w_wiki_line_begin(struct w_wikitext *r, struct w_range *g)
{
    const u8 *t = r->source;

    if (g->begin == g->end)
        return;
    switch (t[g->begin]) {
    case '=': heading(r, g); break;
    case '*':
    case '#':
    case ':':
    case ';':
        w_wiki_put_mark(r, W_MARK_ITEM);
        while (g->begin < g->end && memchr("*#:;", t[g->begin], 4))
            g->begin++;
        if (t[g->begin - 1] == ';')
            term(r, g);
        break;
    case ' ': /* shown as it is, line by line */
        if (!is_blank_line(r, g))
            w_wiki_put_mark(r, W_MARK_ROW);
        break;
    case '|': /* of a table that begins in a template or was not closed */
    case '!':
        g->begin = w_wiki_line_skip(r, g);
        w_wiki_put_mark(r, W_MARK_HOLE);
        break;
    case '-':
        if (run_of(r, g->begin, g->end, '-') >= 4) {
            g->begin += run_of(r, g->begin, g->end, '-');
            w_wiki_put_mark(r, W_MARK_BLOCK);
        }
        break;
    default: break;
    }
}
