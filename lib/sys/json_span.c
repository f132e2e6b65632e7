#include "sys/json_span.h"

#include <string.h>

/* From `at` on, the first of some characters outside of strings and nested values; else the end. */
static size_t find_sign(const char *text, size_t size, size_t at, const char *signs)
{
    size_t depth = 0;
    bool in_string = false;

    for (; at < size; at++) {
        char c = text[at];
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
    return size;
}

const char *w_json_span(const char *object, size_t size, size_t index, size_t *value_size)
{
    static const char blanks[] = {' ', '\t', '\r', '\n'};
    size_t at = find_sign(object, size, 0, "{");

    while (at < size && object[at] != '}') {
        size_t from = find_sign(object, size, at + 1, ":") + 1;
        size_t end = find_sign(object, size, W_MIN(from, size), ",}");
        at = end;
        if (index-- > 0 || from > end)
            continue;
        while (from < end && memchr(blanks, object[from], sizeof blanks))
            from++;
        while (from < end && memchr(blanks, object[end - 1], sizeof blanks))
            end--;
        *value_size = end - from;
        return object + from;
    }
    return NULL;
}
