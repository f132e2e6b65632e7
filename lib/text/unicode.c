#include "text/unicode.h"

#include "text/unicode_table.h"

enum w_char_class w_char_class(u32 code)
{
    if (code >> 8 >= PAGES)
        return W_CHAR_OTHER;
    return page_bits[page_map[code >> 8]][code >> 4 & 15] >> (code & 15) * 2 & 3;
}
