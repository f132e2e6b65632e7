#include "tools/wrap.h"

#include <string.h>

u32 w_columns_of(const char *text, size_t bytes)
{
    u32 n = 0;

    for (size_t i = 0; i < bytes; i++)
        n += (text[i] & 0xC0) != 0x80;
    return n;
}

void w_wrap(FILE *f, const char *text, u32 column, u32 indent)
{
    bool first = true; /* of its line */

    for (size_t n; text += strspn(text, " "), n = strcspn(text, " "), n > 0; text += n) {
        const u32 width = w_columns_of(text, n);
        if (!first && column + 1 + width > W_WRAP_COLUMNS) {
            fprintf(f, "\n%*s", (int)indent, "");
            column = indent;
            first = true;
        }
        fprintf(f, "%s%.*s", first ? "" : " ", (int)n, text);
        column += width + !first;
        first = false;
    }
}
