/* A line is read from left to right and written at once. At a sign that may begin leftover markup,
 * take() returns how many bytes to remove; all else is text. A removal leaves a hole. The next text
 * that is written mends it: spaces and commas that only separated the markup from the text are
 * dropped.
 *
 * "(" is written like any text; at ")" parenthesis() looks back and removes both if only separators
 * lie between. The end of a template, link or element is searched FAR_BYTES ahead at most, so that
 * the time for a line stays linear in its size. */
#include "wiki/clean.h"

#include "wiki/entity.h"
#include "wiki/site.h"
#include "wiki/tag.h"

#define FAR_BYTES ((size_t)10000) /* how far to look for the end of markup */

/* The line being cleaned. */
struct line {
    struct w_clean *clean;
    struct w_buffer *out;
    size_t start; /* of the line in out */
    bool hole;    /* the last thing was a removal: spaces around it may have to go */
};

static bool is_empty(const struct line *l)
{
    return l->out->size == l->start;
}

static void drop_blanks(struct line *l)
{
    while (!is_empty(l) && w_buffer_last(l->out) == ' ')
        l->out->size--;
}

/* Count a removal here and leave a hole. */
static void remove_here(struct line *l, u64 *count)
{
    ++*count;
    l->hole = true;
}

/* Mend a hole between the text before it and `next`, the text after it. Returns how many bytes of
 * that text to drop. */
static size_t mend(struct line *l, struct w_span next)
{
    size_t skip = 0;

    if (!l->hole)
        return 0;
    l->hole = false;
    if (next.size == 0 || memchr(",.;:!?)", next.at[0], 7))
        drop_blanks(l);
    u8 last = is_empty(l) ? ' ' : w_buffer_last(l->out);
    const char *spare = last == ' ' ? " " : last == ',' ? "," : last == '(' ? " ," : "";
    while (skip < next.size && next.at[skip] && strchr(spare, next.at[skip]))
        skip++;
    return skip;
}

/* Put a piece of text as it is. */
static void put(struct line *l, struct w_span text)
{
    size_t skip = mend(l, text);

    if (skip < text.size)
        w_buffer_span(l->out, w_span_from(text, skip));
    else if (skip)
        l->hole = true;
}

/* ---- kinds of leftover markup; each function returns the bytes to remove, 0: it is text ---- */

/* The bytes of {{...}} with all that is nested in it, or 0. */
static size_t template_size(struct w_span s)
{
    size_t depth = 0, end = W_MIN(s.size, FAR_BYTES);

    for (size_t i = 0; i + 1 < end; i++)
        if (s.at[i] == '{' && s.at[i + 1] == '{')
            depth++, i++;
        else if (s.at[i] == '}' && s.at[i + 1] == '}' && i++ && --depth == 0)
            return i + 1;
    return 0;
}

static size_t braces(struct line *l, struct w_span s)
{
    size_t run = 1, whole = 0;

    while (run < s.size && s.at[run] == s.at[0])
        run++;
    if (run == 1)
        return 0;
    if (s.at[0] == '{')
        whole = template_size(s);
    remove_here(l, whole ? &l->clean->counts.templates : &l->clean->counts.braces);
    return whole ? whole : run;
}

static size_t link(struct line *l, struct w_span s)
{
    static const u8 open[] = "[[", close[] = "]]";
    static const struct w_span update = W_SPAN("[ [update]]"); /* of {{as of}} */

    if (s.size >= update.size && !memcmp(s.at, update.at, update.size)) {
        remove_here(l, &l->clean->counts.links);
        return update.size;
    }
    if (s.size < 5 || memcmp(s.at, open, 2) ||
        !(w_is_letter(s.at[2]) || s.at[2] >= 0x80 || s.at[2] == ':'))
        return 0;
    const u8 *end = memmem(s.at + 2, W_MIN(s.size - 2, FAR_BYTES), close, 2);
    if (!end || memmem(s.at + 2, (size_t)(end - s.at - 2), open, 2))
        return 0;
    struct w_span label = {s.at + 2, (size_t)(end - s.at - 2)};
    l->clean->counts.links++;
    if (w_wiki_site_link(NULL, label) != W_LINK_PAGE) {
        l->hole = true;
    } else {
        const u8 *bar = memrchr(label.at, '|', label.size);
        put(l, bar ? w_span_from(label, (size_t)(bar - label.at) + 1) : label);
    }
    return (size_t)(end - s.at) + 2;
}

/* The size of an element, its closing tag included, or 0. */
static size_t element_size(struct w_span s, u8 tag)
{
    size_t end = W_MIN(s.size, FAR_BYTES);

    for (size_t i = 1; i < end; i++) {
        const u8 *found = memmem(s.at + i, end - i, "</", 2);
        if (!found)
            break;
        i = (size_t)(found - s.at);
        struct w_tag closing = w_tag_parse(w_span_from(s, i));
        if (closing.size && closing.closing && closing.tag == tag)
            return i + closing.size;
    }
    return 0;
}

static size_t tag(struct line *l, struct w_span s)
{
    struct w_tag t = w_tag_parse(s);
    size_t size = t.size;

    if (!size)
        return 0;
    remove_here(l, &l->clean->counts.tags);
    enum w_tag_kind kind = w_tag_kind(t.tag);
    if (kind == W_TAG_HIDDEN && !t.closing && !t.empty) {
        size_t whole = element_size(s, t.tag);
        size = whole ? whole : size;
    } else if (kind == W_TAG_BREAK && !is_empty(l) && size < s.size) {
        drop_blanks(l);
        w_buffer_byte(l->out, '\n');
        l->start = l->out->size;
    }
    return size;
}

static size_t entity(struct line *l, struct w_span s)
{
    u32 code;
    size_t size = w_entity_parse(s, &code);

    if (!size || (code < 0x80 && strchr("<>&\"'", (int)code)))
        return 0; /* stays as written: prose about HTML */
    l->clean->counts.entities++;
    if (code == 0xa0)
        code = ' ';
    w_buffer_code(l->out, code);
    return size;
}

/* At the '_' of formula_12. */
static size_t placeholder(struct line *l, struct w_span s)
{
    static const char *const words[] = {"formula", "codice"};
    const struct w_buffer *out = l->out;
    size_t size = 1;

    while (size < s.size && w_is_digit(s.at[size]))
        size++;
    if (size == 1 || (size < s.size && s.at[size] == '_'))
        return 0;
    for (size_t i = 0; i < W_COUNTOF(words); i++) {
        size_t length = strlen(words[i]), have = out->size - l->start;
        if (have < length || memcmp(out->at + out->size - length, words[i], length))
            continue;
        if (have > length && (w_is_letter(out->at[out->size - length - 1]) ||
                              out->at[out->size - length - 1] == '_'))
            continue;
        l->out->size -= length;
        remove_here(l, &l->clean->counts.placeholders);
        return size;
    }
    return 0;
}

/* At ')': removed with its '(' if only separators lie between. Those of a function, f(), stay. */
static size_t parenthesis(struct line *l)
{
    const struct w_buffer *out = l->out;
    size_t open = out->size;

    while (open > l->start && strchr(" ,;:/[]", out->at[open - 1]) && out->at[open - 1])
        open--;
    if (open == l->start || out->at[--open] != '(')
        return 0;
    if (open + 1 == out->size && open > l->start && out->at[open - 1] != ' ' && !l->hole)
        return 0;
    l->out->size = open;
    remove_here(l, &l->clean->counts.parentheses);
    return 1;
}

/* ---- lines ---- */

static const bool is_special[256] = {
    ['{'] = true, ['}'] = true, ['['] = true, ['<'] = true,
    ['&'] = true, ['_'] = true, [')'] = true,
};

static size_t take(struct line *l, struct w_span s)
{
    switch (s.at[0]) {
    case '{':
    case '}': return braces(l, s);
    case '[': return link(l, s);
    case '<': return tag(l, s);
    case '&': return entity(l, s);
    case '_': return placeholder(l, s);
    default: return parenthesis(l);
    }
}

/* | cell, {| table, |- row, ! head */
static bool is_table_line(struct w_span s)
{
    s = w_span_trim(s);
    if (s.size == 0)
        return false;
    return s.at[0] == '|' || (s.at[0] == '{' && s.size > 1 && s.at[1] == '|') ||
           (s.at[0] == '!' && s.size > 1 && (s.at[1] == ' ' || memchr(s.at, '=', s.size)));
}

static void clean_line(struct line *l, struct w_span s)
{
    size_t i = 0;

    while (i < s.size) {
        size_t from = i;
        while (i < s.size && !is_special[s.at[i]])
            i++;
        if (i > from)
            put(l, (struct w_span){s.at + from, i - from});
        if (i == s.size)
            break;
        size_t taken = take(l, w_span_from(s, i));
        if (!taken)
            put(l, (struct w_span){s.at + i, 1});
        i += taken ? taken : 1;
    }
    mend(l, (struct w_span){0});
}

/* Does a line have a letter or a digit? */
static bool has_words(struct w_span s)
{
    for (size_t i = 0; i < s.size; i++)
        if (w_is_letter(s.at[i]) || w_is_digit(s.at[i]) || s.at[i] >= 0x80)
            return true;
    return false;
}

/* &lt; and the like become the characters that they stand for. */
struct w_span w_clean_unescape(struct w_clean *c, struct w_span s)
{
    size_t i = 0;

    if (!c->escaped || s.size == 0 || !memchr(s.at, '&', s.size))
        return s;
    c->line.size = 0;
    while (i < s.size) {
        u32 code = 0;
        size_t size = s.at[i] == '&' ? w_entity_parse(w_span_from(s, i), &code) : 0;
        if (size && code < 0x80 && strchr("<>&\"'", (int)code)) {
            w_buffer_byte(&c->line, (u8)code);
            i += size;
        } else {
            w_buffer_byte(&c->line, s.at[i++]);
        }
    }
    return (struct w_span){c->line.at, c->line.size};
}

void w_clean_text(struct w_clean *c, struct w_span text, struct w_buffer *out)
{
    for (size_t i = 0; i < text.size;) {
        const u8 *newline = memchr(text.at + i, '\n', text.size - i);
        size_t size = newline ? (size_t)(newline - text.at) - i : text.size - i;
        struct w_span s = {text.at + i, size};
        size_t before = out->size;
        i += size + (newline != NULL);
        if (size == 0) {
            /* One blank line is enough where the lines between two were removed. */
            if (newline && !(c->after_blank && c->after_removed))
                w_buffer_byte(out, '\n');
            c->after_blank = true;
            c->after_removed = false;
            continue;
        }
        s = w_clean_unescape(c, s);
        struct line l = {.clean = c, .out = out, .start = before};
        if (!is_table_line(s))
            clean_line(&l, s);
        bool changed = out->size - before != s.size;
        /* A new buffer has no memory yet: a span into it would be arithmetic on NULL. */
        bool empty = out->size == before;
        if (changed &&
            (empty || !has_words((struct w_span){out->at + before, out->size - before}))) {
            out->size = before;
            c->counts.lines++;
            c->after_removed = true;
            continue;
        }
        if (newline)
            w_buffer_byte(out, '\n');
        c->after_blank = c->after_removed = false;
    }
    if (c->line.failed)
        out->failed = true;
}

void w_clean_release(struct w_clean *c)
{
    w_buffer_free(&c->line);
}

bool w_clean_is_escaped(struct w_span text)
{
    static const char *const entities[] = {"&lt;", "&gt;", "&amp;"};
    const u8 *end = text.at + text.size;

    for (const u8 *p = text.at; p < end && (p = memchr(p, '<', (size_t)(end - p))); p++) {
        const u8 *name = p + 1 + (p + 1 < end && p[1] == '/');
        bool at_start = p == text.at || p[-1] == '\n';
        if (!at_start || end - name < 3 || memcmp(name, "doc", 3))
            return false;
    }
    for (size_t i = 0; i < W_COUNTOF(entities) && text.size > 0; i++)
        if (memmem(text.at, text.size, entities[i], strlen(entities[i])))
            return true;
    return false;
}
