#include "wiki/wiki_block.h"

#include <stdio.h>
#include <string.h>

static bool add_span(struct w_bytes *out, struct w_span s)
{
    return w_bytes_add(out, s.at, s.size);
}

/* What a JSON string must not have as it is. */
static const bool needs_escape[256] = {[0 ... 31] = true, ['"'] = true, ['\\'] = true};

bool w_json_escape(struct w_bytes *out, struct w_span text)
{
    static const char hex[] = "0123456789abcdef";
    size_t i = 0;

    for (;;) {
        size_t from = i, size = 2;
        while (i < text.size && !needs_escape[text.at[i]])
            i++;
        if (!w_bytes_add(out, text.at + from, i - from))
            return false;
        if (i == text.size)
            return true;
        u8 c = text.at[i++];
        char escape[6] = {'\\', c == '\n' ? 'n' : c == '\t' ? 't' : (char)c};
        if (c < 0x20 && c != '\n' && c != '\t') {
            memcpy(escape + 1, "u00", 3);
            escape[4] = hex[c >> 4];
            escape[5] = hex[c & 15];
            size = 6;
        }
        if (!w_bytes_add(out, escape, size))
            return false;
    }
}

/* The value of an attribute between quotes. */
static bool add_attribute(struct w_bytes *out, struct w_span text)
{
    bool ok = true;

    for (size_t i = 0; i < text.size && ok; i++)
        switch (text.at[i]) {
        case '"': ok = w_bytes_add_text(out, "&quot;"); break;
        case '&': ok = w_bytes_add_text(out, "&amp;"); break;
        case '<': ok = w_bytes_add_text(out, "&lt;"); break;
        case '>': ok = w_bytes_add_text(out, "&gt;"); break;
        default: ok = w_bytes_add(out, text.at + i, 1);
        }
    return ok;
}

/* A line of the text that would end the block gets a blank before it. */
static bool add_lines(struct w_bytes *out, struct w_span text)
{
    static const char tag[] = "</doc>";
    const size_t size = sizeof tag - 1;
    const u8 *end = text.at + text.size, *found;

    for (const u8 *from = text.at;
         from < end && (found = memmem(from, (size_t)(end - from), tag, size));
         from = found + size) {
        bool alone = (found == text.at || found[-1] == '\n') &&
                     (found + size == end || found[size] == '\n' || found[size] == '\r');
        if (!w_bytes_add(out, text.at, alone ? (size_t)(found - text.at) : 0) ||
            !w_bytes_add_text(out, alone ? " " : ""))
            return false;
        if (alone)
            text = (struct w_span){found, (size_t)(end - found)};
    }
    return add_span(out, text);
}

static bool add_block(struct w_bytes *out, const struct w_wiki_style *style, const char *id,
                      struct w_span title, struct w_span text)
{
    bool has_url = *style->address;

    return w_bytes_add_text(out, "<doc id=\"") && w_bytes_add_text(out, id) &&
           w_bytes_add_text(out, has_url ? "\" url=\"" : "") &&
           add_attribute(out, w_span_of(style->address)) &&
           w_bytes_add_text(out, has_url ? id : "") && w_bytes_add_text(out, "\" title=\"") &&
           add_attribute(out, title) && w_bytes_add_text(out, "\">\n") && add_lines(out, title) &&
           w_bytes_add_text(out, "\n\n") && add_lines(out, text) &&
           w_bytes_add_text(out, "\n</doc>\n");
}

static bool add_object(struct w_bytes *out, const struct w_wiki_style *style, const char *id,
                       struct w_span title, struct w_span text)
{
    bool has_url = *style->address;

    return w_bytes_add_text(out, "{\"id\":\"") && w_bytes_add_text(out, id) &&
           w_bytes_add_text(out, has_url ? "\",\"url\":\"" : "") &&
           w_json_escape(out, w_span_of(style->address)) &&
           w_bytes_add_text(out, has_url ? id : "") && w_bytes_add_text(out, "\",\"title\":\"") &&
           w_json_escape(out, title) && w_bytes_add_text(out, "\",\"text\":\"") &&
           (!style->with_title || (w_json_escape(out, title) && w_bytes_add_text(out, "\\n\\n"))) &&
           w_json_escape(out, text) && w_bytes_add_text(out, "\"}\n");
}

bool w_wiki_block_add(struct w_bytes *out, const struct w_wiki_style *style, u64 id,
                      struct w_span title, struct w_span text)
{
    char number[24];

    snprintf(number, sizeof number, "%llu", (unsigned long long)id);
    switch (style->form) {
    case W_WIKI_BLOCKS: return add_block(out, style, number, title, text);
    case W_WIKI_JSONL: return add_object(out, style, number, title, text);
    default:
        return (!style->with_title || (add_span(out, title) && w_bytes_add_text(out, "\n\n"))) &&
               add_span(out, text) && w_bytes_add_text(out, style->separator);
    }
}
