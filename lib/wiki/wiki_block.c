/* Text is copied in runs up to the next byte that has to be escaped in JSON, or the next line that
 * would end a block. */
#include "wiki/wiki_block.h"

#include <stdio.h>
#include <string.h>

/* Bytes that a JSON string must have escaped. */
static const bool needs_escape[256] = {[0 ... 31] = true, ['"'] = true, ['\\'] = true};

void w_wiki_json_text(struct w_buffer *out, struct w_span text)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < text.size;) {
        size_t from = i;
        while (i < text.size && !needs_escape[text.at[i]])
            i++;
        w_buffer_put(out, text.at + from, i - from);
        if (i == text.size)
            break;
        u8 c = text.at[i++];
        if (c >= 0x20 || c == '\n' || c == '\t') {
            w_buffer_byte(out, '\\');
            w_buffer_byte(out, c == '\n' ? 'n' : c == '\t' ? 't' : c);
        } else {
            w_buffer_text(out, "\\u00");
            w_buffer_byte(out, (u8)hex[c >> 4]);
            w_buffer_byte(out, (u8)hex[c & 15]);
        }
    }
}

/* The value of an attribute between quotes. */
static void put_attribute(struct w_buffer *out, struct w_span text)
{
    for (size_t i = 0; i < text.size; i++)
        switch (text.at[i]) {
        case '"': w_buffer_text(out, "&quot;"); break;
        case '&': w_buffer_text(out, "&amp;"); break;
        case '<': w_buffer_text(out, "&lt;"); break;
        case '>': w_buffer_text(out, "&gt;"); break;
        default: w_buffer_byte(out, text.at[i]);
        }
}

void w_wiki_block_text(struct w_buffer *out, struct w_span text)
{
    static const char tag[] = "</doc>";
    const size_t size = sizeof tag - 1;
    const u8 *from = text.at, *end = text.at + text.size, *found = from;

    while (found < end && (found = memmem(found, (size_t)(end - found), tag, size))) {
        const u8 *after = found + size;
        while (after < end && *after != '\n' && w_is_blank(*after))
            after++;
        bool alone = (found == text.at || found[-1] == '\n') && (after == end || *after == '\n');
        if (alone) {
            w_buffer_put(out, from, (size_t)(found - from));
            w_buffer_byte(out, ' ');
            from = found;
        }
        found += size;
    }
    w_buffer_put(out, from, (size_t)(end - from));
}

static void put_block(struct w_buffer *out, const struct w_wiki_style *style, const char *id,
                      struct w_span title, struct w_span text)
{
    w_buffer_text(out, "<doc id=\"");
    w_buffer_text(out, id);
    if (*style->address) {
        w_buffer_text(out, "\" url=\"");
        put_attribute(out, w_span_of(style->address));
        w_buffer_text(out, id);
    }
    w_buffer_text(out, "\" title=\"");
    put_attribute(out, title);
    w_buffer_text(out, "\">\n");
    w_wiki_block_text(out, title);
    w_buffer_text(out, "\n\n");
    w_wiki_block_text(out, text);
    w_buffer_text(out, "\n</doc>\n");
}

static void put_object(struct w_buffer *out, const struct w_wiki_style *style, const char *id,
                       struct w_span title, struct w_span text)
{
    w_buffer_text(out, "{\"id\":\"");
    w_buffer_text(out, id);
    if (*style->address) {
        w_buffer_text(out, "\",\"url\":\"");
        w_wiki_json_text(out, w_span_of(style->address));
        w_buffer_text(out, id);
    }
    w_buffer_text(out, "\",\"title\":\"");
    w_wiki_json_text(out, title);
    w_buffer_text(out, "\",\"text\":\"");
    if (style->with_title) {
        w_wiki_json_text(out, title);
        w_buffer_text(out, "\\n\\n");
    }
    w_wiki_json_text(out, text);
    w_buffer_text(out, "\"}\n");
}

static void put_plain(struct w_buffer *out, const struct w_wiki_style *style, struct w_span title,
                      struct w_span text)
{
    if (style->with_title) {
        w_buffer_span(out, title);
        w_buffer_text(out, "\n\n");
    }
    w_buffer_span(out, text);
    w_buffer_text(out, style->separator);
}

void w_wiki_block_add(struct w_buffer *out, const struct w_wiki_style *style, u64 id,
                      struct w_span title, struct w_span text)
{
    char number[24];

    snprintf(number, sizeof number, "%llu", (unsigned long long)id);
    switch (style->form) {
    case W_WIKI_JSONL: put_object(out, style, number, title, text); break;
    case W_WIKI_BLOCKS: put_block(out, style, number, title, text); break;
    case W_WIKI_PLAIN: put_plain(out, style, title, text); break;
    }
}
