#include "text/unicode.h"

#include "text/unicode_table.h"

enum w_char_kind w_char_kind(u32 code)
{
    if (code >> 8 >= PAGES) /* variation selectors are far after all others */
        return code >= 0xE0100 && code <= 0xE01EF ? W_KIND_MARK : W_KIND_NONE;
    return page_bits[page_map[code >> 8] * 16 + (code >> 4 & 15)] >> (code & 15) * 4 & 15;
}

enum w_char_class w_char_class(u32 code)
{
    return w_char_class_of(w_char_kind(code));
}
