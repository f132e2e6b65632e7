/* {| tables |}, if the options keep them: a line for a row, with " | " between its cells.
 *
 * The source is read line by line; line ends inside other markup do not count. The first two bytes
 * of a line say whether it begins a row, cells or a caption, or continues the last cell. */
#include "wiki/render_private.h"

/* The first "cc" of a range, or its end. Moves the range's markup there. */
static u32 find_pair(const struct w_wikitext *r, struct w_range *g, u8 c)
{
    for (;;) {
        u32 at = w_wiki_find(r, g, c);
        if (at >= g->end || (at + 1 < g->end && r->source[at + 1] == c))
            return at;
        g->begin = at + 1;
    }
}

/* Is a text name=value, name="..." and blanks, with at least one of them? */
static bool is_attributes(struct w_span s)
{
    bool any = false;

    for (s = w_span_trim(s); s.size; any = true) {
        size_t at = 0;
        while (at < s.size && (w_is_letter(s.at[at]) || s.at[at] == '-' || s.at[at] == ':'))
            at++;
        if (!at || at == s.size || s.at[at++] != '=' || at == s.size)
            return false;
        const u8 quote = s.at[at];
        if (quote == '"' || quote == '\'') {
            const u8 *end = memchr(s.at + at + 1, quote, s.size - at - 1);
            if (!end)
                return false;
            at = (size_t)(end + 1 - s.at);
        } else {
            while (at < s.size && !w_is_blank(s.at[at]))
                at++;
        }
        s = w_span_trim(w_span_from(s, at));
    }
    return any;
}

/* Where a cell without a bar begins: in `colspan="2" {{yes}}` the bar comes from the template. */
static u32 after_attributes(const struct w_wikitext *r, struct w_range cell)
{
    const struct w_markup *m = &r->markup.items[cell.markup];

    while (m->begin < cell.begin)
        m++;
    if (m->begin >= cell.end || m->kind != W_MARKUP_TEMPLATE ||
        !is_attributes(w_wiki_source(r, cell.begin, m->begin)))
        return cell.begin;
    return m->begin;
}

/* Is what stands before a bar the text of a cell, and not its attributes? Attributes have no link
 * and no variants. */
static bool is_text(const struct w_wikitext *r, u32 begin, u32 bar)
{
    struct w_span before = w_wiki_source(r, begin, bar);

    return memmem(before.at, before.size, "[[", 2) ||
           (r->variants && memmem(before.at, before.size, "-{", 2));
}

/* The cells of one line after its first mark. `style="..." |` before a cell's text is not text. */
static void put_cells(struct w_wikitext *r, struct w_range line, bool header, bool *in_row)
{
    struct w_range probe = line;
    u8 mark = header && find_pair(r, &probe, '!') < line.end ? '!' : '|';

    for (;;) {
        struct w_range cell = line;
        cell.end = find_pair(r, &line, mark);
        struct w_range text = cell;
        u32 bar = w_wiki_find(r, &text, '|');
        if (bar < cell.end && is_text(r, cell.begin, bar))
            text = cell;
        else if (bar < cell.end)
            text.begin = bar + 1;
        else
            text = cell, text.begin = after_attributes(r, cell);
        /* After a table in the cell before, a line has to begin. */
        if (*in_row && w_buffer_last(&r->marked) != W_MARK_BLOCK)
            w_buffer_put(&r->marked, " | ", 3);
        else
            w_wiki_put_mark(r, W_MARK_ROW);
        *in_row = true;
        w_wiki_walk(r, text, false);
        if (cell.end == line.end)
            return;
        line.begin = cell.end + 2;
    }
}

static void end_row(struct w_wikitext *r, bool *in_row)
{
    w_wiki_quotes_end_line(r);
    if (*in_row)
        w_buffer_byte(&r->marked, '\n');
    *in_row = false;
}

/* One line of a table's source, from its first character that is no space. */
static void put_line(struct w_wikitext *r, struct w_range line, bool *in_row)
{
    u8 first = r->source[line.begin];
    u8 second = line.begin + 1 < line.end ? r->source[line.begin + 1] : 0;

    if (first == '|' && (second == '-' || second == '+')) {
        end_row(r, in_row);
        line.begin += 2;
        if (second == '+') {
            put_cells(r, line, false, in_row);
            end_row(r, in_row);
        }
    } else if (first == '|' || first == '!') {
        line.begin++;
        put_cells(r, line, first == '!', in_row);
    } else if (*in_row) { /* the cell goes on */
        w_buffer_byte(&r->marked, ' ');
        while (line.begin < line.end && memchr("*#:;", r->source[line.begin], 4))
            line.begin++;
        w_wiki_walk(r, line, false);
    }
}

void w_wiki_put_table(struct w_wikitext *r, u32 index)
{
    struct w_range g = w_wiki_inside(r, index);
    bool in_row = false, first = true;

    w_wiki_put_mark(r, W_MARK_BLOCK);
    if (!r->options.tables)
        w_wiki_put_mark(r, W_MARK_HOLE);
    while (r->options.tables && g.begin < g.end) {
        struct w_range line = g;
        line.end = w_wiki_line_skip(r, &g);
        while (line.begin < line.end && w_is_blank(r->source[line.begin]))
            line.begin++;
        if (!first && line.begin < line.end) /* the first line has attributes */
            put_line(r, line, &in_row);
        first = false;
        g.begin = W_MIN(line.end + 1, g.end);
    }
    end_row(r, &in_row);
    w_wiki_put_mark(r, W_MARK_BLOCK);
}
