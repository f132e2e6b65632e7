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

/* DerivedAge.txt. */
static const struct {
    u32 first, last;
} later_punctuation[] = {
    {0x61d, 0x61d},     {0x9fd, 0x9fd},     {0xa76, 0xa76},     {0xc77, 0xc77},
    {0xc84, 0xc84},     {0x1b7d, 0x1b7e},   {0x2e43, 0x2e4f},   {0x2e52, 0x2e5d},
    {0x10ead, 0x10ead}, {0x10f55, 0x10f59}, {0x10f86, 0x10f89}, {0x1144b, 0x1144f},
    {0x1145a, 0x1145b}, {0x1145d, 0x1145d}, {0x11660, 0x1166c}, {0x116b9, 0x116b9},
    {0x1183b, 0x1183b}, {0x11944, 0x11946}, {0x119e2, 0x119e2}, {0x11a3f, 0x11a46},
    {0x11a9a, 0x11a9c}, {0x11a9e, 0x11aa2}, {0x11b00, 0x11b09}, {0x11c41, 0x11c45},
    {0x11c70, 0x11c71}, {0x11ef7, 0x11ef8}, {0x11f43, 0x11f4f}, {0x11fff, 0x11fff},
    {0x12ff1, 0x12ff2}, {0x16e97, 0x16e9a}, {0x16fe2, 0x16fe2}, {0x1e95e, 0x1e95f},
};

bool w_char_was_punctuation(u32 code)
{
    for (size_t i = 0; i < W_COUNTOF(later_punctuation); i++)
        if (code >= later_punctuation[i].first && code <= later_punctuation[i].last)
            return false;
    return w_char_kind(code) == W_KIND_PUNCTUATION || code == 0x166d; /* a symbol since */
}
