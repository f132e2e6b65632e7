#include "wiki/span.h"

#include <string.h>

struct w_span w_span_of(const char *text)
{
    return (struct w_span){(const u8 *)text, text ? strlen(text) : 0};
}

struct w_span w_span_trim(struct w_span s)
{
    while (s.size && w_is_blank(s.at[s.size - 1]))
        s.size--;
    while (s.size && w_is_blank(*s.at))
        s = w_span_from(s, 1);
    return s;
}

struct w_span w_span_unmarked(struct w_span s)
{
    static const u8 mark[] = {0xEF, 0xBB, 0xBF};

    if (s.size >= sizeof mark && !memcmp(s.at, mark, sizeof mark))
        s = w_span_from(s, sizeof mark);
    return s;
}

bool w_span_is(struct w_span a, struct w_span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

bool w_span_is_word(struct w_span a, struct w_span b)
{
    size_t i = 0;

    if (a.size != b.size)
        return false;
    while (i < a.size && (w_lower(a.at[i]) == w_lower(b.at[i]) ||
                          (strchr("_ ", a.at[i]) && a.at[i] && strchr("_ ", b.at[i]) && b.at[i])))
        i++;
    return i == a.size;
}
