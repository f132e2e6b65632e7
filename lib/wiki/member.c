#include "wiki/member.h"

/* From a place on, the first of some signs that is in no string, array or object; else the end. */
static size_t find_sign(struct w_span s, size_t at, const char *signs)
{
    size_t depth = 0;
    bool in_string = false;

    for (; at < s.size; at++) {
        u8 c = s.at[at];
        if (in_string) {
            at += c == '\\';
            in_string = c != '"';
        } else if (!depth && memchr(signs, c, strlen(signs))) {
            return at;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (depth && (c == '}' || c == ']')) {
            depth--;
        }
    }
    return s.size;
}

struct w_span w_member_value(struct w_span object, size_t index)
{
    size_t at = find_sign(object, 0, "{");

    while (at < object.size && object.at[at] != '}') {
        size_t colon = find_sign(object, at + 1, ":");
        size_t end = find_sign(object, W_MIN(colon + 1, object.size), ",}");
        if (index-- == 0 && colon < end)
            return w_span_trim((struct w_span){object.at + colon + 1, end - colon - 1});
        at = end;
    }
    return (struct w_span){0};
}
