/* The number of a tag is its row in the table, found by binary search. A tag is parsed with at most
 * one look ahead for each quote, which stops at the end of the line and at the next '<'. */
#include "wiki/tag.h"

#include <string.h>

#define NAME_MAX_BYTES 18

/* Sorted by name. Row 0 stands for no tag. */
static const struct row {
    char name[NAME_MAX_BYTES + 1];
    u8 kind;
} rows[] = {
    {"", W_TAG_INLINE},
    {"abbr", W_TAG_INLINE},
    {"b", W_TAG_INLINE},
    {"bdi", W_TAG_INLINE},
    {"bdo", W_TAG_INLINE},
    {"big", W_TAG_INLINE},
    {"blockquote", W_TAG_BLOCK},
    {"br", W_TAG_BREAK},
    {"caption", W_TAG_LINE},
    {"categorytree", W_TAG_OPAQUE},
    {"ce", W_TAG_MATH},
    {"center", W_TAG_BLOCK},
    {"charinsert", W_TAG_OPAQUE},
    {"chem", W_TAG_MATH},
    {"cite", W_TAG_INLINE},
    {"code", W_TAG_INLINE},
    {"data", W_TAG_INLINE},
    {"dd", W_TAG_LINE},
    {"del", W_TAG_INLINE},
    {"dfn", W_TAG_INLINE},
    {"div", W_TAG_BLOCK},
    {"dl", W_TAG_BLOCK},
    {"dpl", W_TAG_OPAQUE},
    {"dt", W_TAG_LINE},
    {"dynamicpagelist", W_TAG_OPAQUE},
    {"em", W_TAG_INLINE},
    {"embedvideo", W_TAG_OPAQUE},
    {"font", W_TAG_INLINE},
    {"gallery", W_TAG_OPAQUE},
    {"googlemap", W_TAG_OPAQUE},
    {"graph", W_TAG_OPAQUE},
    {"graphviz", W_TAG_OPAQUE},
    {"h1", W_TAG_BLOCK},
    {"h2", W_TAG_BLOCK},
    {"h3", W_TAG_BLOCK},
    {"h4", W_TAG_BLOCK},
    {"h5", W_TAG_BLOCK},
    {"h6", W_TAG_BLOCK},
    {"hiero", W_TAG_OPAQUE},
    {"hr", W_TAG_BLOCK},
    {"i", W_TAG_INLINE},
    {"imagemap", W_TAG_OPAQUE},
    {"includeonly", W_TAG_HIDDEN},
    {"indicator", W_TAG_HIDDEN},
    {"infobox", W_TAG_HIDDEN},
    {"inputbox", W_TAG_OPAQUE},
    {"ins", W_TAG_INLINE},
    {"kbd", W_TAG_INLINE},
    {"langconvert", W_TAG_INLINE},
    {"languages", W_TAG_HIDDEN},
    {"li", W_TAG_LINE},
    {"lilypond", W_TAG_OPAQUE},
    {"link", W_TAG_INLINE},
    {"mapframe", W_TAG_OPAQUE},
    {"maplink", W_TAG_OPAQUE},
    {"mark", W_TAG_INLINE},
    {"math", W_TAG_MATH},
    {"mermaid", W_TAG_OPAQUE},
    {"meta", W_TAG_INLINE},
    {"mobileonly", W_TAG_INLINE},
    {"mscgen", W_TAG_OPAQUE},
    {"nobr", W_TAG_INLINE},
    {"noinclude", W_TAG_INLINE},
    {"nomobile", W_TAG_INLINE},
    {"nowiki", W_TAG_NOWIKI},
    {"ol", W_TAG_BLOCK},
    {"onlyinclude", W_TAG_INLINE},
    {"p", W_TAG_BLOCK},
    {"page-collection", W_TAG_OPAQUE},
    {"pagelist", W_TAG_OPAQUE},
    {"pagequality", W_TAG_HIDDEN},
    {"pages", W_TAG_HIDDEN},
    {"phonos", W_TAG_INLINE},
    {"plantuml", W_TAG_OPAQUE},
    {"poem", W_TAG_POEM},
    {"pre", W_TAG_PRE},
    {"q", W_TAG_INLINE},
    {"quiz", W_TAG_OPAQUE},
    {"rb", W_TAG_INLINE},
    {"ref", W_TAG_HIDDEN},
    {"references", W_TAG_HIDDEN},
    {"rp", W_TAG_INLINE},
    {"rss", W_TAG_OPAQUE},
    {"rt", W_TAG_INLINE},
    {"rtc", W_TAG_INLINE},
    {"ruby", W_TAG_INLINE},
    {"s", W_TAG_INLINE},
    {"samp", W_TAG_INLINE},
    {"score", W_TAG_OPAQUE},
    {"section", W_TAG_INLINE},
    {"small", W_TAG_INLINE},
    {"source", W_TAG_PRE},
    {"span", W_TAG_INLINE},
    {"strike", W_TAG_INLINE},
    {"strong", W_TAG_INLINE},
    {"sub", W_TAG_SUB},
    {"sup", W_TAG_SUP},
    {"syntaxhighlight", W_TAG_PRE},
    {"table", W_TAG_TABLE},
    {"tbody", W_TAG_INLINE},
    {"td", W_TAG_CELL},
    {"templatedata", W_TAG_OPAQUE},
    {"templatestyles", W_TAG_OPAQUE},
    {"tfoot", W_TAG_INLINE},
    {"th", W_TAG_CELL},
    {"thead", W_TAG_INLINE},
    {"time", W_TAG_INLINE},
    {"timeline", W_TAG_OPAQUE},
    {"tr", W_TAG_LINE},
    {"translate", W_TAG_INLINE},
    {"tt", W_TAG_INLINE},
    {"tvar", W_TAG_INLINE},
    {"u", W_TAG_INLINE},
    {"ul", W_TAG_BLOCK},
    {"var", W_TAG_INLINE},
    {"videoflash", W_TAG_OPAQUE},
    {"wbr", W_TAG_INLINE},
    {"youtube", W_TAG_OPAQUE},
};

_Static_assert(W_COUNTOF(rows) <= W_TAGS_MAX, "numbers of tags are less than W_TAGS_MAX");

u8 w_tag_find(struct w_span name)
{
    size_t low = 1, high = W_COUNTOF(rows);
    char lower[NAME_MAX_BYTES + 1] = {0};

    if (name.size == 0 || name.size > NAME_MAX_BYTES)
        return 0;
    for (size_t i = 0; i < name.size; i++)
        lower[i] = (char)w_lower(name.at[i]);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(lower, rows[middle].name);
        if (order == 0)
            return (u8)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return 0;
}

enum w_tag_kind w_tag_kind(u8 tag)
{
    return (enum w_tag_kind)rows[tag].kind;
}

/* Where the quoted value ends that begins with the quote at `at`; `at` itself if it is not
 * closed. */
static size_t quoted_end(struct w_span text, size_t at)
{
    for (size_t i = at + 1; i < text.size && text.at[i] != '<' && text.at[i] != '\n'; i++)
        if (text.at[i] == text.at[at])
            return i;
    return at;
}

/* Is there "display:none" among the attributes? */
static bool is_hidden(struct w_span attributes)
{
    const u8 *display = memmem(attributes.at, attributes.size, "display", 7);

    if (!display)
        return false;
    attributes = w_span_from(attributes, (size_t)(display + 7 - attributes.at));
    while (attributes.size && (*attributes.at == ' ' || *attributes.at == ':'))
        attributes = w_span_from(attributes, 1);
    return attributes.size >= 4 && memcmp(attributes.at, "none", 4) == 0;
}

struct w_tag w_tag_parse(struct w_span text)
{
    struct w_tag tag = {0};
    size_t at = 1, name;
    u8 before = 0;

    if (at < text.size && text.at[at] == '/') {
        tag.closing = true;
        at++;
    }
    name = at;
    while (at < text.size &&
           (w_is_letter(text.at[at]) || w_is_digit(text.at[at]) || text.at[at] == '-'))
        at++;
    tag.tag = w_tag_find((struct w_span){text.at + name, at - name});
    if (!tag.tag || at == text.size ||
        !(w_is_blank(text.at[at]) || text.at[at] == '/' || text.at[at] == '>'))
        return tag;
    name = at;
    for (; at < text.size && text.at[at] != '>' && text.at[at] != '<'; at++) {
        if (text.at[at] == '\n' && at + 1 < text.size && text.at[at + 1] == '\n')
            return tag; /* no tag extends into the next paragraph */
        if ((text.at[at] == '"' || text.at[at] == '\'') && before == '=')
            at = quoted_end(text, at);
        if (!w_is_blank(text.at[at]))
            before = text.at[at];
    }
    if (at < text.size && text.at[at] == '>') {
        tag.size = at + 1;
        tag.empty = before == '/' || (tag.closing && before);
        tag.hidden = is_hidden((struct w_span){text.at + name, at - name});
    }
    return tag;
}
