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

u32 w_first_letter(struct w_span s)
{
    u32 code = s.size > 1 ? (s.at[0] & 0x1Fu) << 6 | (s.at[1] & 0x3Fu) : 0;

    if (s.size < 2 || s.at[0] < 0xC3 || s.at[0] > 0xD1)
        return 0;
    if ((code >= 0xC0 && code <= 0xDE) || (code >= 0x391 && code <= 0x3A9) ||
        (code >= 0x410 && code <= 0x42F))
        return code + 0x20;
    return code >= 0x400 && code <= 0x40F ? code + 0x50 : code;
}

bool w_span_is_name(struct w_span a, struct w_span b)
{
    u32 letter = w_first_letter(a);

    if (letter && letter == w_first_letter(b)) {
        a = w_span_from(a, 2);
        b = w_span_from(b, 2);
    }
    return w_span_is_word(a, b);
}
